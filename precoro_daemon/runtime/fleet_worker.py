"""one worker of a fleet: keeps its lease, takes companies, and serves each until it loses it"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

import anyio
from anyio.abc import TaskGroup

from precoro_daemon.errors import DaemonError, Deposed, StoreUnavailable
from precoro_daemon.runtime.ports import Leases
from precoro_daemon.runtime.tenure import Holding, Standing, deposed, next_turn, renewed_every, turn_every
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(slots=True)
class Tenancy:
    """Implements `Tenure`: one company while this worker serves it.

    `ending` is set when the company is to be handed over: work in progress may end, then serving returns.
    `begun`: whether a hand-over would interrupt anything yet.
    """

    holding: Holding
    standing: Callable[[], Standing]
    ending: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    lost: bool = False
    begun: Callable[[], bool] = lambda: True

    def refuse_if_lost(self) -> None:
        standing, now = self.standing(), anyio.current_time()
        if self.lost or standing.over(now):
            raise Deposed(f"the lease of {self.holding.company} is lost; nothing leaves here for it any more")
        if not standing.lets_call(now):
            raise StoreUnavailable("The lease could not be renewed in time; no call leaves until it is.")

    def stop(self) -> None:
        """Stops at once: another worker serves the company."""
        self.lost = True
        self.scope.cancel()


class FleetWorker:
    """Serves its share of the companies.

    `serve` is called for each company, and returns when it stopped for good or `Tenancy.ending` is set; the company
    is then handed back, and may return. It must end what it began for the company even if it is cancelled. Errors of
    this program end the company's service; any other error ends the worker.
    """

    def __init__(
        self,
        leases: Leases,
        name: str,
        lease: float,
        known: Callable[[], Collection[str]],
        serve: Callable[[Tenancy], Awaitable[None]],
        *,
        share_address: Callable[[int], None] = lambda _: None,
    ) -> None:
        """name           the worker's name for people
        lease          seconds
        known          returns the companies that can be served here
        share_address  called with the number of workers that call from its address
        """
        self._leases = leases
        self._name = name
        self._lease = lease
        self._known = known
        self._serve = serve
        self._share_address = share_address
        self._served: dict[str, Tenancy] = {}
        self._mine: Sequence[Holding] = ()
        self._read_at = -inf
        self._reported = ""
        self._stopping = False
        self._rest: anyio.CancelScope | None = None

    @property
    def standing(self) -> Standing:
        return self._leases.standing

    def stop(self) -> None:
        """Hands back every company as soon as its service has ended; then `run` returns."""
        self._stopping = True
        self._nudge()

    async def run(self) -> None:
        """Runs until `stop`. If the database is unreachable, it waits for it."""
        try:
            while not self._stopping:
                try:
                    await self._join()
                except StoreUnavailable as error:
                    self._report(error)
                    await self._pause()
                else:
                    await self._attend()
        finally:
            await self._leases.close()

    def _report(self, error: StoreUnavailable) -> None:
        """Logs it once, however often the database is tried in vain."""
        if str(error) != self._reported:
            self._reported = str(error)
            _log.warning("fleet_disconnected", error=self._reported)

    async def _join(self) -> None:
        await self._leases.join()
        self._reported = ""
        self._mine, self._read_at = (), -inf
        _log.info("fleet_joined", worker=self._leases.worker)

    async def _attend(self) -> None:
        """Serves for one lease from its start to its end. All companies have ended when it returns."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep, tasks.cancel_scope, name="lease")
                tasks.start_soon(self._end_in_time, tasks.cancel_scope, name="end of the lease")
                while not (self._stopping and not self._served):
                    await self._turn(tasks)
                    await self._pause()
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), suppress(StoreUnavailable):
                await self._leases.leave()

    async def _keep(self, everything: anyio.CancelScope) -> None:
        await self._leases.keep()
        self._lose_all(everything)

    async def _end_in_time(self, everything: anyio.CancelScope) -> None:
        """Ends everything when the lease is over by its own clock, whatever a renewal is waiting for."""
        while not self.standing.over(anyio.current_time()):  # noqa: ASYNC110 - it is renewed meanwhile
            await anyio.sleep_until(self.standing.ends_at)
        self._lose_all(everything)

    def _lose_all(self, everything: anyio.CancelScope) -> None:
        if not everything.cancel_called:
            _log.warning("lease_expired", worker=self._leases.worker, companies=len(self._served))
        for tenancy in self._served.values():
            tenancy.stop()
        everything.cancel()

    async def _turn(self, tasks: TaskGroup) -> None:
        try:
            if anyio.current_time() >= self._read_at + renewed_every(self._lease) and not await self._read_holdings():
                self._lose_all(tasks.cancel_scope)
                return
            await self._share(tasks)
        except StoreUnavailable as error:
            self._doubt(error)

    def _doubt(self, error: StoreUnavailable) -> None:
        if self.standing.reachable:
            _log.warning("fleet_disconnected", error=str(error))
        self._leases.doubt()

    async def _read_holdings(self) -> bool:
        """Reads what this worker holds. Returns False if the lease ran out."""
        began = anyio.current_time()
        mine = await self._leases.holdings()
        if mine is None:
            return False
        self._read_at, self._mine = began, mine
        for company in deposed({name: one.holding.epoch for name, one in self._served.items()}, mine):
            _log.warning("company_deposed", company=company)
            self._served[company].stop()
        return True

    async def _share(self, tasks: TaskGroup) -> None:
        known = () if self._stopping else self._known()
        fleet = await self._leases.survey(known)
        self._share_address(fleet.sharing)
        waiting = {name for name, one in self._served.items() if not one.begun()}
        turn = next_turn(self._leases.worker, self._name, self._mine, fleet, waiting)
        for company in [one.company for one in self._mine] if self._stopping else turn.hand_back:
            if company in self._served:
                self._served[company].ending.set()
        await self._release([one.company for one in self._mine if one.company not in self._served])
        if not self._stopping:
            await self._take(turn.keep, len(turn.keep), tasks)
            await self._take(known, turn.take, tasks)

    async def _take(self, companies: Collection[str], most: int, tasks: TaskGroup) -> None:
        # One that was lost a moment ago may still be winding up here.
        startable = [company for company in companies if company not in self._served]
        for holding in await self._leases.take(startable, most) if most and startable else ():
            self._mine = [*self._mine, holding]
            self._served[holding.company] = Tenancy(holding, lambda: self.standing)
            tasks.start_soon(self._occupy, self._served[holding.company], name=f"company {holding.company}")

    async def _release(self, ended: Collection[str]) -> None:
        if ended:
            released = await self._leases.release(ended)
            self._mine = [one for one in self._mine if one.company not in released]

    async def _occupy(self, tenancy: Tenancy) -> None:
        company = tenancy.holding.company
        _log.info("company_acquired", company=company, epoch=tenancy.holding.epoch)
        try:
            with tenancy.scope:
                await self._serve(tenancy)
        except DaemonError as error:
            _log.warning("company_returned", company=company, error=str(error))
        finally:
            del self._served[company]
        if tenancy.ending.is_set():
            self._nudge()

    async def _pause(self) -> None:
        with anyio.CancelScope() as self._rest:
            await (self._waited() if self.standing.reachable else anyio.sleep(turn_every(self._lease)))
        self._rest = None

    async def _waited(self) -> None:
        try:
            await self._leases.wait(turn_every(self._lease))
        except StoreUnavailable as error:
            self._doubt(error)

    def _nudge(self) -> None:
        if self._rest:
            self._rest.cancel()
