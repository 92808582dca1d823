"""A fleet of the real program before companies with real limits: killed, stopped, its database restarted and lost.

What each sandbox counts in the end is judged: calls that it refused because a limit was passed, and payments.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import anyio
import anyio.to_thread
import psycopg
from anyio.abc import Process

from precoro_daemon.sandbox import Sandbox, schema
from precoro_daemon.sandbox import ledger as books
from precoro_daemon.sandbox.options import Quota
from precoro_daemon.sandbox.rows import Row
from tests.adapters.state.postgresql.clusters import Pair, pair_in, short_directory
from tests.adapters.state.postgresql.fleet_story import Proxy
from tests.payments.scene import payments
from tests.system.companies import Companies, companies

SCALE = 20.0
"""Three seconds are a minute of the companies; that of leases is a real one."""

LIMITS = {"per_second": 0, "per_minute": 40, "per_hour": 400, "same_get_per_minute": 1, "same_get_per_hour": 30}
"""Small enough to be used up all the time: a call that a hand-over forgot shows. None a second: what the load of the
machine does to the pace is no fault of a hand-over."""

HOLDERS = """SELECT c.name, c.epoch, w.name FROM precoro_fleet.companies c
LEFT JOIN precoro_fleet.workers w ON w.id = c.holder AND w.alive_until > clock_timestamp()"""


@dataclass
class Outcome:
    """`refused`: calls by the limit that they passed · `twice`, `unpaid`: of the payments that were owed"""

    events: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    twice: int = 0
    unpaid: int = 0
    sent_while_disarmed: int = 0
    taken_over_after: list[float] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return not (self.refused or self.twice or self.unpaid or self.sent_while_disarmed)

    def shown(self) -> str:
        took = self.taken_over_after or [0.0]
        return (
            f"{dict(self.events)}: {self.calls} calls, refused {dict(self.refused)}; {self.paid} payments, "
            f"{self.twice} twice, {self.unpaid} unpaid, {self.sent_while_disarmed} while disarmed; take-over of a "
            f"worker's companies: median {median(took):.1f} s, at most {max(took):.1f} s"
        )


@dataclass
class Fleet:
    """The workers by name, and what is done to them."""

    pair: Pair
    files: Companies
    sandboxes: dict[str, Sandbox]
    proxy: Proxy
    random: Random
    stack: AsyncExitStack
    workers: dict[str, Process] = field(default_factory=dict)
    started: int = 0
    owed: list[Row] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)

    def write(self, port: int) -> None:
        self.files.leased = True
        self.files.share(
            state={"url": f"postgresql://postgres@127.0.0.1:{port}/fleet"},
            limits=LIMITS | {"time_scale": SCALE},
            mirror_collections={"collections": ["invoices", "payments", "suppliers"], "every": "3m"},
            mark_invoices_paid={"enabled": True, "match_by": "idn", "every": "3m"},
            log={"level": "warning"},
        )
        for name in self.sandboxes:
            books.found(self.books(name))
            sql = {"url": f"sqlite:///{self.books(name)}", "read": books.READ, "start": "0"}
            self.files.write(name, ledger={"kind": "sql", "name": "books"}, **{"ledger.sql": sql})

    def books(self, name: str) -> Path:
        return self.files.directory / f"{name}-books.db"

    async def start(self) -> None:
        self.started += 1
        name = f"w{self.started}"
        self.workers[name] = await self.stack.enter_async_context(self.files.running(name))

    def held(self) -> dict[str, tuple[int, str | None]]:
        with suppress(psycopg.Error):  # the first worker makes the tables, and the server may be down
            return {company: (epoch, worker) for company, epoch, worker in self.pair.primary.rows(HOLDERS, "fleet")}
        return {}

    async def until(self, what: Any, timeout: float = 120) -> None:
        with anyio.fail_after(timeout):
            while not what():  # noqa: ASYNC110 - other processes
                await anyio.sleep(0.2)

    async def until_served(self) -> None:
        def served() -> bool:
            held = self.held()
            return len(held) == len(self.sandboxes) and all(worker for _, worker in held.values())

        await self.until(served)

    async def owe(self) -> None:
        """An invoice of each company, paid in its books."""
        for name, sandbox in self.sandboxes.items():
            supplier = next(iter(sandbox.company["suppliers"]))
            row = sandbox.company.create(
                "invoices", status=schema.APPROVED, total=10_000, currency="EUR", supplier=supplier
            )
            await anyio.to_thread.run_sync(books.record, self.books(name), row, 10_000, "2026-01-15")
            self.owed.append(row)

    async def arm(self) -> None:
        for name in self.sandboxes:
            path = str(self.files.files / f"{name}.toml")
            with anyio.fail_after(120):
                while (done := await self.files.typed("payments", "arm", "--config", path)).code:  # noqa: ASYNC110
                    await anyio.sleep(1)
            assert done.stdout.startswith("armed"), done

    async def until_paid(self) -> None:
        await self.until(lambda: all(map(payments, self.owed)), 240)

    def victim(self) -> str:
        serving = {worker for _, worker in self.held().values()}
        return self.random.choice(sorted(self.workers.keys() & serving))

    async def taken_over(self, victim: str) -> None:
        """All that it served is another one's; meanwhile something is to be paid."""
        began = time.monotonic()
        former = {company: epoch for company, (epoch, worker) in self.held().items() if worker == victim}
        await self.owe()

        def taken() -> bool:
            held = self.held()
            return all(company in held and held[company][0] > epoch for company, epoch in former.items())

        await self.until(taken)
        self.outcome.taken_over_after.append(time.monotonic() - began)

    async def kill(self) -> None:
        victim = self.victim()
        self.workers.pop(victim).kill()
        await self.taken_over(victim)
        await self.start()

    async def stop(self) -> None:
        victim = self.victim()
        self.workers[victim].send_signal(signal.SIGSTOP)
        try:
            await self.taken_over(victim)
        finally:
            self.workers[victim].send_signal(signal.SIGCONT)

    async def restart(self) -> None:
        await self.owe()
        await anyio.to_thread.run_sync(self.pair.restart)
        await self.until_served()

    async def fail_over(self) -> None:
        """Every company is disarmed on the new timeline, until a person arms it."""
        await self.until_paid()
        await anyio.to_thread.run_sync(self.pair.fail_over)
        self.proxy.upstream = str(self.pair.primary.socket)
        self.proxy.cut()
        await self.until_served()
        before = len(self.owed)
        await self.owe()
        await anyio.sleep(20)
        self.outcome.sent_while_disarmed += sum(bool(payments(row)) for row in self.owed[before:])
        await self.arm()


async def play(seed: int, *, kills: int, stops: int, restarts: int, failovers: int, names: int = 6) -> Outcome:
    given = {"kill": kills, "stop": stops, "restart": restarts, "fail_over": failovers}
    events = [event for event, count in given.items() for _ in range(count)]
    random = Random(seed)
    random.shuffle(events)
    async with _founded(random, names) as fleet:
        await fleet.until_served()
        await fleet.arm()
        for event in events:
            await getattr(fleet, event)()
            fleet.outcome.events[event] += 1
            await anyio.sleep(random.uniform(0, 3))
        await fleet.owe()
        with anyio.move_on_after(300):
            await fleet.until_paid()
        for process in fleet.workers.values():
            process.terminate()
        for process in fleet.workers.values():
            with anyio.fail_after(60):
                assert await process.wait() == 0
        return _judged(fleet)


@asynccontextmanager
async def _founded(random: Random, names: int) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(short_directory())
        pair = stack.enter_context(pair_in(directory))
        pair.primary.rows("CREATE DATABASE fleet")
        (directory / "work").mkdir()
        quota = Quota(**LIMITS)
        given = {"limits": True, "quota": quota, "time_scale": SCALE, "counts": {"invoices": 400, "suppliers": 9}}
        called = [f"c{number}" for number in range(names)]
        files, sandboxes = await stack.enter_async_context(companies(directory / "work", *called, **given))
        proxy = Proxy(str(pair.primary.socket))
        server = await stack.enter_async_context(await asyncio.start_server(proxy.carry, "127.0.0.1", 0))
        fleet = Fleet(pair, files, sandboxes, proxy, random, stack)
        fleet.write(server.sockets[0].getsockname()[1])
        for _ in range(4):
            await fleet.start()
        yield fleet
        proxy.cut()


def _judged(fleet: Fleet) -> Outcome:
    outcome = fleet.outcome
    for sandbox in fleet.sandboxes.values():
        outcome.calls += sandbox.journal.total
        outcome.refused.update(sandbox.limits.refusals)
    made = [len(payments(row)) for row in fleet.owed]
    outcome.paid, outcome.twice = sum(map(bool, made)), sum(count > 1 for count in made)
    outcome.unpaid = made.count(0)
    return outcome
