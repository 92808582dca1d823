"""A fleet's tables in memory, by the clock of the loop."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import anyio

from precoro_daemon.errors import StoreUnavailable
from precoro_daemon.runtime.tenure import Fleet, Holding, Standing


@dataclass
class Row:
    holder: str = ""
    epoch: int = 0
    moved_to: str | None = None


@dataclass
class MemoryFleet:
    """The database of a fleet. `only_here`: what the other workers have no file for, by a worker's name ·
    `gone`: it refuses everybody · `silent`: it answers nobody"""

    lease: float
    companies: dict[str, Row]
    alive_until: dict[str, float] = field(default_factory=dict)
    draining: set[str] = field(default_factory=set)
    only_here: dict[str, frozenset[str]] = field(default_factory=dict)
    gone: bool = False
    silent: bool = False

    def files_of(self, name: str) -> list[str]:
        others = frozenset[str]().union(*(here for worker, here in self.only_here.items() if worker != name))
        return [company for company in self.companies if company not in others]

    def alive(self) -> list[str]:
        return [worker for worker, until in self.alive_until.items() if until > anyio.current_time()]


@dataclass
class MemoryLeases:
    """Implements `Leases`; `name` is that of the worker."""

    fleet: MemoryFleet
    name: str
    joined: int = 0
    standing: Standing = field(init=False)
    woken: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        self.standing = Standing(self.fleet.lease)

    @property
    def worker(self) -> str:
        return f"{self.name}/{self.joined}"

    async def _reach(self) -> None:
        if self.fleet.silent:
            with anyio.move_on_after(self.fleet.lease / 3):
                await anyio.sleep(inf)
            raise StoreUnavailable("silent")
        if self.fleet.gone:
            raise StoreUnavailable("gone")
        await anyio.sleep(0.01)

    async def join(self) -> None:
        joined_at = anyio.current_time()
        await self._reach()
        self.joined += 1
        self.fleet.alive_until[self.worker] = anyio.current_time() + self.fleet.lease
        self.standing = Standing(self.fleet.lease).renewed(joined_at)

    async def keep(self) -> None:
        """Until the tables say that it is lost: that a lease is over is for the worker to see."""
        while self.standing != Standing(self.fleet.lease):
            with anyio.move_on_after(self.standing.renewal_in(anyio.current_time())):
                await self.woken.wait()
            self.woken = anyio.Event()
            await self._renew()

    async def _renew(self) -> None:
        sent_at = anyio.current_time()
        try:
            await self._reach()
        except StoreUnavailable:
            self.standing = self.standing.failed()
            return
        if self.worker not in self.fleet.alive():
            self.standing = Standing(self.fleet.lease)
            return
        self.fleet.alive_until[self.worker] = anyio.current_time() + self.fleet.lease
        self.standing = self.standing.renewed(sent_at)

    def doubt(self) -> None:
        self.standing = self.standing.failed()
        self.woken.set()

    async def holdings(self) -> Sequence[Holding] | None:
        await self._reach()
        if self.worker not in self.fleet.alive():
            return None
        return [
            Holding(name, row.epoch, "", row.moved_to)
            for name, row in self.fleet.companies.items()
            if row.holder == self.worker
        ]

    def _free(self, known: Collection[str]) -> list[str]:
        alive = self.fleet.alive()
        return [name for name in known if self.fleet.companies[name].holder not in alive]

    async def survey(self, known: Collection[str]) -> Fleet:
        await self._reach()
        here = self.fleet.only_here.get(self.name, frozenset())
        known = [name for name in known if name not in here]
        serving = [worker for worker in self.fleet.alive() if worker.split("/")[0] not in self.fleet.draining]
        holders = [self.fleet.companies[name].holder for name in known]
        held = {worker: holders.count(worker) for worker in serving}
        names = frozenset(worker.split("/")[0] for worker in serving)
        free = self._free(known)
        moved_here = sum(self.fleet.companies[company].moved_to == self.name for company in free)
        return Fleet(len(known), len(free), held, names, moved_here, here)

    async def take(self, known: Collection[str], most: int) -> Sequence[Holding]:
        await self._reach()
        taken = []
        eligible = [name for name in self._free(known) if self.fleet.companies[name].moved_to in (None, self.name)]
        for name in sorted(eligible, key=lambda name: self.fleet.companies[name].moved_to is None)[:most]:
            row = self.fleet.companies[name] = replace(
                self.fleet.companies[name], holder=self.worker, epoch=self.fleet.companies[name].epoch + 1
            )
            taken.append(Holding(name, row.epoch, "", row.moved_to))
        return taken

    async def release(self, companies: Collection[str]) -> Collection[str]:
        await self._reach()
        for name in companies:
            if self.fleet.companies[name].holder == self.worker:
                self.fleet.companies[name].holder = ""
        return companies

    async def leave(self) -> None:
        await self._reach()
        self.fleet.alive_until.pop(self.worker, None)

    async def wait(self, seconds: float) -> None:
        """It notifies nobody: whatever happens is found by looking."""
        with anyio.move_on_after(seconds):
            while True:
                if self.fleet.gone:
                    raise StoreUnavailable("gone")
                await anyio.sleep(0.5)

    async def close(self) -> None:
        """Nothing is open."""
