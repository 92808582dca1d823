"""when which list is scanned: the planner at work, and what it learns from scans"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from precoro_daemon.mirror.rules.collections import COLLECTIONS, usual_changes
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.change_rates import ChangeRates
from precoro_daemon.quota.freshness import FreshnessPlanner, Pace
from precoro_daemon.quota.plan import Demand, QuotaPlan
from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import MEMORY_S, ScanSeen, WatchedHour
from precoro_daemon.telemetry import get_logger

if TYPE_CHECKING:
    import anyio

    from precoro_daemon.mirror.ports.mirror import Mirror
    from precoro_daemon.quota.ports import FreshnessBook
    from precoro_daemon.runtime.ports import Clock

_log = get_logger()

HISTORY_S = 14 * 86_400.0
"""Seconds. Rows of a first whole scan that changed in this time show how the collection changes."""

_REPLANNED_EVERY_S = 3600.0
_REPLANNED_IN_A_FILL_S = 900.0
"""Seconds between two plans during a fill: its end is news, and `status` in another process shows the last plan."""

_WRONG_DATE_S = 86_400.0
"""Seconds by which an answer's `Date` may differ from our clock, which the first answer set. Beyond that it is
wrong.
"""

_HOURS_KEPT_EVERY_S = 900.0
"""Least seconds between two commits of hours in which nothing changed. A commit for each lap would cost as much as
its scan; a kill loses some minutes in which a list was known to be unchanged."""

_PRESSED_S = 2 * 3600.0
"""Seconds for which new payments without an invoice make invoices more urgent. A payment that found none by then may
never find one.
"""

_URGENT = {"invoices": 4.0}
"""Factor on the weight: twice as many scans, after an immediate one."""


class Scanned(Struct, frozen=True):
    """A successful scan.

    asked_at    its start by our clock
    began       its start by Precoro's clock, None if unknown
    changed_at  `updateDate` of each row that it brought, "" if a row has none
    poll        whether it was a poll, not requested by a webhook
    """

    collection: str
    asked_at: float
    began: float | None
    changed_at: Sequence[str]
    calls: int
    poll: bool


async def none_waiting() -> int:
    """Used if there are no payments."""
    return 0


async def none_backfilled() -> Sequence[float]:
    """Used if no older documents were requested yet."""
    return ()


class ScanObserver(Protocol):
    """Learns from scans, and stores what it learned for later processes."""

    async def scanned(self, scan: Scanned) -> None: ...

    async def keep(self) -> None: ...


class Unobserved:
    """Learns nothing."""

    async def scanned(self, scan: Scanned) -> None:
        pass

    async def keep(self) -> None:
        pass


class PollingOptions(Struct, frozen=True):
    """What the user wants.

    paces     by mirrored collection
    lists     the most calls a day that polls may take
    detailed  collections whose records get details
    with_attachments  those of which only records with files do
    files     whether attached files are fetched
    """

    paces: Mapping[str, Pace]
    lists: float
    detailed: Sequence[str]
    with_attachments: Sequence[str] = ()
    files: bool = False


def _a_lock() -> anyio.Lock:
    import anyio  # noqa: PLC0415 - what is planned can be shown without a loop

    return anyio.Lock()


@dataclass(slots=True)
class Polling:
    """Implements ScanObserver, and is a schedule: the next turn comes when the next list is due.

    plan        divides a day's calls; None if calls are not limited
    adopt       called with each new plan
    backfilled  returns the ages in seconds of the last day's calls for older documents, oldest first
    waiting     returns how many payments of the ledger have no invoice yet
    current     the present plan
    backlog     the number of documents that it assumes, None if unknown
    """

    options: PollingOptions
    mirror: Mirror
    book: FreshnessBook
    clock: Clock
    plan: Callable[[Demand, UsualWeek], QuotaPlan | None]
    adopt: Callable[[QuotaPlan], None]
    waiting: Callable[[], Awaitable[int]] = none_waiting
    backfilled: Callable[[], Awaitable[Sequence[float]]] = none_backfilled
    rates: ChangeRates = field(init=False)
    planner: FreshnessPlanner = field(init=False)
    current: QuotaPlan | None = field(default=None, init=False)
    backlog: int | None = field(default=None, init=False)
    _known_until: dict[str, float] = field(default_factory=dict, init=False)
    _unkept: list[WatchedHour] = field(default_factory=list, init=False)
    _loading: anyio.Lock = field(default_factory=_a_lock, init=False)
    _loaded: bool = field(default=False, init=False)
    _kept_at: float = field(default=-math.inf, init=False)
    _planned_at: float = field(default=-math.inf, init=False)
    _waiting: int = field(default=0, init=False)
    _pressed_at: float = field(default=-math.inf, init=False)
    _fill_logged: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.rates, self.planner = planner_of(self.options)

    async def due(self) -> Sequence[str]:
        """Returns the collections that are due, most valuable first."""
        await self.load()
        now = self.clock.now()
        filling = self.current is not None and self.current.filling
        if not 0 <= now - self._planned_at < (_REPLANNED_IN_A_FILL_S if filling else _REPLANNED_EVERY_S):
            await self.replan()
        await self._press(now)
        return self.planner.due(now)

    def after(self, at: float) -> float:
        """Returns when the next list is due. (`at`, when the last lap began, does not matter.)"""
        return max(at, self.planner.next_turn(self.clock.now())) if self._loaded else at

    async def _press(self, now: float) -> None:
        """Makes invoices more urgent for a while if new payments wait for their invoice."""
        waiting = await self.waiting()
        if waiting > self._waiting:
            self._pressed_at = now
        self._waiting = waiting
        self.planner.press(_URGENT if 0 <= now - self._pressed_at < _PRESSED_S else {}, self._pressed_at)

    async def load(self) -> None:
        """Loads what earlier processes learned, once: before the first scan, which moves a cursor."""
        if self._loaded:
            return
        async with self._loading:
            if not self._loaded:
                await self._recall()
                self._loaded = True

    async def _recall(self) -> None:
        hours = await self.book.load(0.0)  # what is too old was forgotten when the last was added
        self.rates.learn(hours)
        for hour in hours:
            self.planner.scanned(hour.collection, hour.begins, hour.calls)  # of the last day
        for name in self.options.paces:
            cursor = await self.mirror.cursor(name)
            if cursor.at is not None:
                self._known_until[name] = cursor.at
                self.planner.scanned(name, cursor.at)

    async def scanned(self, scan: Scanned) -> None:
        """Learns from a scan. Until the first scan of a list has ended, the delay of its changes is unknown."""
        await self.load()
        name = scan.collection
        if name not in self.options.paces:
            return
        # The first answer may have set the clock back meanwhile.
        asked_at = min(scan.asked_at, self.clock.now())
        began = asked_at if scan.began is None else scan.began
        until = began if abs(began - asked_at) <= _WRONG_DATE_S else asked_at
        known = self._known_until.get(name)
        since = until - HISTORY_S if known is None else max(known, until - MEMORY_S)
        self._known_until[name] = until
        late = known is not None
        self.planner.scanned(name, asked_at, scan.calls if scan.poll and late else 0)
        if until > since:
            changed = _between(scan.changed_at, since, until, late)
            seen = ScanSeen(name, since, until, changed, calls=scan.calls, late=late, poll=scan.poll)
            hours = seen.hours()
            self.rates.learn(hours)
            self._unkept += hours

    async def keep(self) -> None:
        """Stores observed hours at the end of a lap: at once if something changed in them, else now and then."""
        recent = 0 <= self.clock.now() - self._kept_at < _HOURS_KEPT_EVERY_S
        if not recent or any(hour.changes for hour in self._unkept):
            await self.keep_all()

    async def keep_all(self) -> None:
        """Stores what `keep` may leave for later, because nothing follows."""
        if self._unkept:
            hours, self._unkept, self._kept_at = self._unkept, [], self.clock.now()
            await self.book.add(hours, forget_before=self._kept_at - MEMORY_S)

    def failed(self, collection: str) -> None:
        self.planner.failed(collection, self.clock.now())

    async def reconsider(self) -> None:
        """Divides the day again after a lap brought something, if a first fill is under way or may begin."""
        if self.current is None or self.current.filling:
            await self.replan()

    async def replan(self) -> QuotaPlan | None:
        """Divides the day's calls."""
        await self.load()
        self._planned_at = self.clock.now()
        self.backlog = await self._count_backlog()
        plan = self.current = self.plan(demand_of(self.options, self.rates, self.backlog), self.rates.of_company())
        self.planner.afford(self.options.lists if plan is None else plan.lists)
        if plan is not None:
            self.adopt(plan)
            await self._log_fill(plan)
        return plan

    async def days_left(self) -> Mapping[str, float | None]:
        """Returns the least and the most days until every document has its detail, None if unknown."""
        left: Sequence[float | None] = (None, None, None)
        if self.current is not None and self.backlog is not None:
            time = self.current.time_for(self.backlog, await self.backfilled())
            left = [round(seconds / 86_400.0, 1) for seconds in time]
        return dict(zip(("days", "days_at_least", "days_at_most"), left, strict=True))

    async def _count_backlog(self) -> int | None:
        """Returns the number of documents without an up-to-date detail. Lists that this key cannot read are not
        waited for.
        """
        failing = {name for name, stage in await self.mirror.count_quarantined() if stage is Stage.SCAN}
        if any([(await self.mirror.cursor(name)).at is None for name in self.options.paces if name not in failing]):
            return None
        counts = await self.mirror.count_due(self.options.detailed, self.options.with_attachments, before=math.inf)
        return sum(counts.values())

    async def _log_fill(self, plan: QuotaPlan) -> None:
        """Logs the start of a first fill, and its end."""
        if plan.filling and self.backlog is not None and not self._fill_logged:
            days = await self.days_left()
            _log.info("fill_started", due=self.backlog, per_day=plan.backfill, lists=plan.lists, **days)
            self._fill_logged = True
        elif self._fill_logged and not plan.filling:
            _log.info("fill_finished", lists=plan.lists)
            self._fill_logged = False


def planner_of(options: PollingOptions) -> tuple[ChangeRates, FreshnessPlanner]:
    """Returns a planner that knows nothing yet, and its rates."""
    rates = ChangeRates({name: usual_changes(COLLECTIONS[name]) for name in options.paces})
    return rates, FreshnessPlanner(options.paces, rates, options.lists)


def demand_of(options: PollingOptions, rates: ChangeRates, backlog: int | None) -> Demand:
    """Returns what the company asks of a day. `backlog`: documents without an up-to-date detail, None if unknown."""
    detailed = [name for name in (*options.detailed, *options.with_attachments) if name in options.paces]
    return Demand(
        bound=sum(least_calls(options).values()),
        lists=options.lists,
        changes=rates.busiest_day(detailed),
        backlog=backlog,
        files=options.files,
    )


def least_calls(options: PollingOptions) -> Mapping[str, float]:
    """Returns the calls a day that bounds and schedules demand whatever changes, by collection, largest first."""
    calls = {name: pace.least_calls_a_day for name, pace in options.paces.items()}
    return dict(sorted(calls.items(), key=lambda one: -one[1]))


def _between(changed_at: Sequence[str], since: float, until: float, every: bool) -> Sequence[float]:
    """Returns the times of the changes: those in the range or, with `every`, all.

    With `every`, a row without a date counts as changed in the middle of the range.
    """
    moments = [_moment(text) for text in changed_at if text or every]
    known = [(since + until) / 2 if moment is None else moment for moment in moments]
    return known if every else [moment for moment in known if since <= moment <= until]


def _moment(text: str) -> float | None:
    """Returns the Unix seconds of "YYYY-MM-DDTHH:MM:SS" in UTC."""
    try:
        return datetime.fromisoformat(f"{text}+00:00").timestamp()
    except ValueError:
        return None
