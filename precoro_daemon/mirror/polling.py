"""when which list is scanned: the planner of scans at work, and what scans teach it"""

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
"""Rows that a first scan of a whole list brings and that changed since then show how the collection changes."""

_REPLANNED_EVERY_S = 3600.0
_REPLANNED_IN_A_FILL_S = 900.0
"""The end of a fill is news, and `status` of another process goes by what waits now."""

_WRONG_DATE_S = 86_400.0
"""By which an answer's `Date` may differ from our clock, which goes by the first of them. Beyond it is wrong."""

_HOURS_KEPT_EVERY_S = 900.0
"""Least seconds between two commits of hours in which nothing changed. A commit for each lap would cost as much as
its scan; a kill loses some minutes in which a list was known to be unchanged."""

_PRESSED_S = 2 * 3600.0
"""Seconds for which new payments that found no invoice make invoices more urgent. What found none by then may never
find one."""

_URGENT = {"invoices": 4.0}
"""Twice as many scans, after one at once."""


class Scanned(Struct, frozen=True):
    """A scan that has ended well.

    asked_at    it began then by our clock
    began       by Precoro's clock, None if it never said
    changed_at  `updateDate` of each row that it brought, "" where there is none
    poll        it came by itself, no webhook asked for it
    """

    collection: str
    asked_at: float
    began: float | None
    changed_at: Sequence[str]
    calls: int
    poll: bool


async def none_waiting() -> int:
    """Where there are no payments."""
    return 0


async def none_backfilled() -> Sequence[float]:
    """Where nothing was asked for yet."""
    return ()


class ScanObserver(Protocol):
    """Who learns from scans, and keeps for later processes what it learned."""

    async def scanned(self, scan: Scanned) -> None: ...

    async def keep(self) -> None: ...


class Unobserved:
    """Nobody does."""

    async def scanned(self, scan: Scanned) -> None:
        pass

    async def keep(self) -> None:
        pass


class PollingOptions(Struct, frozen=True):
    """What the user wants.

    paces     by mirrored collection
    lists     calls a day that polls may take at most
    detailed  collections whose records get details
    with_attachments  those of which only records with files get some
    files     attached files are fetched
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

    plan        what a day's calls go to; None where calls are not limited
    adopt       called with each new plan
    backfilled  how many seconds ago the calls for older documents of the last day left, oldest first
    waiting     how many payments of the ledger have no invoice yet
    current     the present plan, and backlog: the documents that it reckons with, None if nobody knows yet
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
        """Collections whose turn it is, the most valuable first."""
        await self.load()
        now = self.clock.now()
        filling = self.current is not None and self.current.filling
        if not 0 <= now - self._planned_at < (_REPLANNED_IN_A_FILL_S if filling else _REPLANNED_EVERY_S):
            await self.replan()
        await self._press(now)
        return self.planner.due(now)

    def after(self, at: float) -> float:
        """When the next list is due. (`at`, when the last lap began, says nothing of that.)"""
        return max(at, self.planner.next_turn(self.clock.now())) if self._loaded else at

    async def _press(self, now: float) -> None:
        """Payments that just came in and wait for their invoice make invoices more urgent, for a while."""
        waiting = await self.waiting()
        if waiting > self._waiting:
            self._pressed_at = now
        self._waiting = waiting
        self.planner.press(_URGENT if 0 <= now - self._pressed_at < _PRESSED_S else {}, self._pressed_at)

    async def load(self) -> None:
        """Recall what earlier processes learned, once: before the first scan, which moves a cursor."""
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
        """Before the first scan of a list has ended nobody knows how late its changes came."""
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
        """A lap brought something: where a first fill is under way, or may begin, the day is divided anew."""
        if self.current is None or self.current.filling:
            await self.replan()

    async def replan(self) -> QuotaPlan | None:
        """Divide the day's calls."""
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
        """Until every document has its detail, at least and at most; None: nobody knows yet."""
        left: Sequence[float | None] = (None, None, None)
        if self.current is not None and self.backlog is not None:
            time = self.current.time_for(self.backlog, await self.backfilled())
            left = [round(seconds / 86_400.0, 1) for seconds in time]
        return dict(zip(("days", "days_at_least", "days_at_most"), left, strict=True))

    async def _count_backlog(self) -> int | None:
        """A list that cannot be read, as the key may not, says no more tomorrow: nobody waits for it."""
        failing = {name for name, stage in await self.mirror.count_quarantined() if stage is Stage.SCAN}
        if any([(await self.mirror.cursor(name)).at is None for name in self.options.paces if name not in failing]):
            return None
        counts = await self.mirror.count_due(self.options.detailed, self.options.with_attachments, before=math.inf)
        return sum(counts.values())

    async def _log_fill(self, plan: QuotaPlan) -> None:
        """Once when a first fill begins, and once when it is done."""
        if plan.filling and self.backlog is not None and not self._fill_logged:
            days = await self.days_left()
            _log.info("fill_started", due=self.backlog, per_day=plan.backfill, lists=plan.lists, **days)
            self._fill_logged = True
        elif self._fill_logged and not plan.filling:
            _log.info("fill_finished", lists=plan.lists)
            self._fill_logged = False


def planner_of(options: PollingOptions) -> tuple[ChangeRates, FreshnessPlanner]:
    """A planner that knows nothing yet, and the rates it goes by."""
    rates = ChangeRates({name: usual_changes(COLLECTIONS[name]) for name in options.paces})
    return rates, FreshnessPlanner(options.paces, rates, options.lists)


def demand_of(options: PollingOptions, rates: ChangeRates, backlog: int | None) -> Demand:
    """What the company asks of a day. `backlog`: documents whose detail is missing or old; None: not known yet."""
    detailed = [name for name in (*options.detailed, *options.with_attachments) if name in options.paces]
    return Demand(
        bound=sum(least_calls(options).values()),
        lists=options.lists,
        changes=rates.busiest_day(detailed),
        backlog=backlog,
        files=options.files,
    )


def least_calls(options: PollingOptions) -> Mapping[str, float]:
    """Calls a day that bounds and schedules ask for whatever changes, by collection, the most first."""
    calls = {name: pace.least_calls_a_day for name, pace in options.paces.items()}
    return dict(sorted(calls.items(), key=lambda one: -one[1]))


def _between(changed_at: Sequence[str], since: float, until: float, every: bool) -> Sequence[float]:
    """The moments; those of a first scan only as far as they lie between. Rows without a date changed some time."""
    moments = [_moment(text) for text in changed_at if text or every]
    known = [(since + until) / 2 if moment is None else moment for moment in moments]
    return known if every else [moment for moment in known if since <= moment <= until]


def _moment(text: str) -> float | None:
    """Of "YYYY-MM-DDTHH:MM:SS" in UTC."""
    try:
        return datetime.fromisoformat(f"{text}+00:00").timestamp()
    except ValueError:
        return None
