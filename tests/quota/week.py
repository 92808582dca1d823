"""Days of a company and its service, with another user of the key, clean restarts and kills: whose doing refusals
were, how long payments waited, whether a list was forgotten."""

from __future__ import annotations

import asyncio
import copy
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import anyio

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.company import Way, open_company
from precoro_daemon.app.state import identity
from precoro_daemon.mirror.ports.deliveries import Delivery
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.sandbox import SandboxOptions, paying, users
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.clock import stamp
from precoro_daemon.sandbox.limits import Limits
from precoro_daemon.sandbox.options import Quota
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.server import Sandbox
from precoro_daemon.sandbox.webhooks import TYPES
from precoro_daemon.settings import Settings
from precoro_daemon.status.heartbeat import ProgressHeartbeat
from tests.quota.virtual_company import Arrival, Killed, Line, VirtualClock, VirtualLoop, WrongClock
from tests.system.months import payment_sections

DAY, HOUR = 86_400.0, 3_600.0
MONDAY = 1_768_176_000.0
_EVERY_S = 900.0
"""Between two laps of payments."""

_LISTS = ("invoices", "purchase_orders", "receipts", "suppliers", "items", "payments", "taxes", "units", "locations")
_ATTEMPTED = (
    "SELECT invoice_id, min(at) FROM attempts JOIN intents ON intents.id = intent WHERE direction = ? GROUP BY 1"
)
_DETAILED = (
    "SELECT at, (SELECT min(at) FROM changes AS later WHERE later.collection = listed.collection"
    " AND later.id = listed.id AND later.kind = 'detailed' AND later.at >= listed.at) AS until"
    " FROM changes AS listed WHERE kind = 'updated' AND until IS NOT NULL"
)
_CHANGED = "SELECT min(at) FROM changes WHERE collection = ? AND id = ? AND kind = 'updated' AND at >= ?"
_EDITED = ("invoices", "invoices", "invoices", "purchaseorders", "purchaseorders", "receipts", "items", "suppliers")


@dataclass(frozen=True)
class Story:
    """quota     calls a day, half of them in an hour
    counts    rows at first
    lists     collections that are mirrored; what users edit is of them
    edits     of users on a workday; announced: share of them that a webhook tells
    payments  on a workday, in each direction
    others    calls an hour that another integration makes, between the days `from_` and `until`
    ends      of the process in a day, half of them kills
    wrong_by  seconds by which the machine's clock may be wrong when a process starts, either way
    suspends  of the machine in a day, for up to three hours each
    """

    days: float = 7.0
    quota: int = 3_000
    counts: Mapping[str, int] = field(default_factory=dict)
    lists: Sequence[str] = _LISTS
    edits: int = 300
    announced: float = 0.6
    payments: int = 10
    others: float = 20.0
    others_from: float = 1.0
    others_until: float = 5.0
    ends: float = 3.0
    wrong_by: float = 0.0
    suspends: float = 0.0
    seed: int = 0


@dataclass
class Course:
    """What came of it. Times are Unix seconds.

    ours, theirs  refused calls, by whose doing
    held          how long a call of payments was held, by window
    sent          seconds from when a payment stood in the ledger to its POST; exported: likewise to the ledger. The
                  time in which no process ran, or others had used up the day before that could be known, is left out
    unsent        what was never sent though a day went by
    listed        seconds from when a row was edited, once all were listed, until the mirror had it
    detailed      seconds from when a changed document was listed to its detail, likewise
    gaps          the longest time between two scans, by list
    """

    ours: list[Arrival] = field(default_factory=list)
    theirs: list[Arrival] = field(default_factory=list)
    held: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sent: list[float] = field(default_factory=list)
    exported: list[float] = field(default_factory=list)
    unsent: list[tuple[Row, float]] = field(default_factory=list)
    doubted: int = 0
    listed: list[float] = field(default_factory=list)
    detailed: list[float] = field(default_factory=list)
    gaps: dict[str, float] = field(default_factory=dict)
    calls: Counter[Lane] = field(default_factory=Counter)
    by_others: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    details: int = 0
    watched: Sequence[tuple[float, float, int]] = ()
    """The hours that the process has learned from: when each began, and what is known of it."""
    changed_at: dict[str, int] = field(default_factory=dict)
    """Of each invoice when the story began, by its path."""
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def trials(self) -> list[Arrival]:
        """Of ours: what a process risked to learn the line (`pacing`)."""
        return [one for one in self.ours if one.refused and one.refused.period == "second"]

    def shown(self) -> str:
        theirs = Counter(one.refused.type for one in self.theirs if one.refused)
        waits = ("sent", self.sent), ("exported", self.exported), ("detailed", self.detailed)
        held = {window: f"{len(times)} up to {max(times):.0f} s" for window, times in self.held.items()}
        gaps = ", ".join(f"{name} {gap / HOUR:.1f}" for name, gap in self.gaps.items())
        lines = (
            f"calls {sum(self.calls.values()):,} ({self.calls_told()}), of others {self.by_others:,}",
            f"refused by our doing {len(self.ours)}, by others' {dict(theirs)}; ends {dict(self.ends)}",
            *(f"  ours: {one.request} {one.refused and one.refused.type}" for one in self.ours[:9]),
            *(f"minutes until {name}: {_minutes(times)}" for name, times in waits),
            f"never sent {len(self.unsent)}, in doubt {self.doubted}; held {held}",
            f"hours between scans at most: {gaps}",
        )
        return "\n".join(lines)

    def calls_told(self) -> str:
        return ", ".join(f"{lane.name.lower()} {self.calls[lane]:,}" for lane in Lane)


def _minutes(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2] / 60:.0f}, worst {ordered[-1] / 60:.0f} of {len(ordered)}"


class Judge:
    """Whose doing a refusal was. It is ours where our own calls alone would have been refused, or where the call left
    after a refusal had said until when that window is closed."""

    def __init__(self, quota: Quota, course: Course) -> None:
        self._alone = Limits(quota, 1.0)
        self._closed: dict[str, tuple[float, float]] = {}
        self._course = course

    def hear(self, arrival: Arrival) -> None:
        request, refused = arrival.request, arrival.refused
        self._course.calls[request.lane] += 1
        self._course.arrivals.append(arrival)
        call = (request.method, request.path, request.target, arrival.at)
        if refused is None:
            self._alone.judge(*call)
            return
        window = f"{refused.type} {request.target if refused.route else ''}"
        known_at, until = self._closed.get(window, (math.inf, 0.0))
        foreseen = known_at < arrival.left and arrival.at < until
        ours = foreseen or copy.deepcopy(self._alone).judge(*call) is not None
        (self._course.ours if ours else self._course.theirs).append(arrival)
        self._closed[window] = arrival.at + 0.5, arrival.at + (refused.wait or 0.0) - 2.0


class _Watching(ProgressHeartbeat):
    """Notes how long payments are held."""

    def __init__(self, clock: VirtualClock, course: Course) -> None:
        super().__init__(clock)
        self._course = course

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        super().waiting(lane, window, until)
        if lane is Lane.PAYMENTS:
            self._course.held[window].append(until - self._clock.now())


def play(folder: Path, story: Story) -> Course:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_Play(folder, story).run())


class _Play:
    def __init__(self, folder: Path, story: Story) -> None:
        self._folder, self._story = folder, story
        self._course = Course()
        self._random = Random(story.seed)
        self._process: tuple[Store, Scheduler, VirtualClock] | None = None
        self._due: list[tuple[Row, float]] = []
        self._paid: list[tuple[Row, float]] = []
        self._edited: list[tuple[str, Row, float]] = []
        self._downs: list[tuple[float, float]] = []

    async def run(self) -> Course:
        story = self._story
        quota = Quota(per_day=story.quota, per_hour=story.quota // 2)
        self._clock = VirtualClock(MONDAY)
        options = SandboxOptions(size="empty", counts=story.counts, quota=quota, seed=story.seed)
        self._sandbox = sandbox = Sandbox(options, self._clock)
        async with anyio.create_task_group() as tasks:
            for row in sandbox.company["invoices"]:
                known = self._course.changed_at
                known[f"/invoices/{row.idn}"] = max(row.updated, known.get(f"/invoices/{row.idn}", 0))
            app = sandbox.application(tasks)
            app.freeze()
            self._line = Line(sandbox, app, Random(story.seed + 1), Judge(quota, self._course).hear)
            self._settings = self._configured(quota)
            await self._found()
            for one in (self._others, self._edit, self._pay, self._suspend):
                tasks.start_soon(one)
            await self._processes()
            tasks.cancel_scope.cancel()
        self._conclude()
        return self._course

    def _configured(self, quota: Quota) -> Settings:
        sandbox = self._sandbox
        sections: dict[str, Any] = {
            "precoro": {"base_url": "http://127.0.0.1", "email": sandbox.email, "token": sandbox.token},
            "state": {"url": f"sqlite:///{self._folder / 'state.db'}"},
            "limits": {"per_day": quota.per_day, "per_hour": quota.per_hour},
            "mirror_collections": {"collections": self._story.lists},
            "apply_deliveries": {"listen": "127.0.0.1:0", "secret": "0123456789abcdef01234567"},
        }
        payments = payment_sections(self._folder)
        statements = payments.pop("ledger.sql")
        payments["ledger"]["sql"] = statements
        return Settings(**sections, **payments)

    async def _found(self) -> None:
        sandbox_ledger.found(self._folder / "books.db")
        async with self._state().open() as store:
            await store.journal.prepare()
            await store.journal.arm(self._clock.now())

    def _state(self) -> SqliteState:
        return SqliteState(self._folder / "state.db", identity(self._settings))

    @property
    def _end(self) -> float:
        return MONDAY + self._story.days * DAY

    async def _processes(self) -> None:
        while self._clock.now() < self._end:
            lives = self._random.expovariate(self._story.ends / DAY) if self._story.ends else math.inf
            until = min(self._clock.now() + lives, self._end)
            how = "killed" if self._random.random() < 0.5 else "stopped"
            await self._process_until(until, how)
            self._course.ends[how] += 1
            rests = self._clock.now()
            await self._clock.sleep(self._random.uniform(1, 600))
            self._downs.append((rests, self._clock.now()))

    async def _process_until(self, until: float, how: str) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        try:
            async with anyio.create_task_group() as tasks:
                ready, done = anyio.Event(), anyio.Event()
                tasks.start_soon(self._serve, ready, done)
                await ready.wait()
                await self._clock.sleep(until - self._clock.now())
                if how == "killed":
                    loop.dead = self._line.dead = True
                    tasks.cancel_scope.cancel()
                else:
                    assert self._process is not None
                    self._process[1].end()
                    with anyio.fail_after(20):
                        await done.wait()
        except* Killed:
            assert how == "killed"
        finally:
            loop.dead = self._line.dead = False
            self._process = None

    async def _serve(self, ready: anyio.Event, done: anyio.Event) -> None:
        wrong_by = self._story.wrong_by
        clock: Any = WrongClock(self._clock, self._random.uniform(-wrong_by, wrong_by) if wrong_by else 0.0)
        progress = _Watching(clock, self._course)
        async with (
            self._state().open() as store,
            open_company(
                store, self._settings, clock, progress, planned=True, way=Way(lambda *_: self._line)
            ) as company,
        ):
            await company.polling.replan()
            scheduler = Scheduler(
                list(company.jobs.values()), Dependencies(clock, company.gateway.stop, store.lap_book)
            )
            progress.pulse.jobs = scheduler.jobs
            self._process = store, scheduler, clock
            ready.set()
            await scheduler.recall(resume=True)
            await scheduler.run()
        done.set()

    async def _others(self) -> None:
        """Another integration, at random moments."""
        story = self._story
        random = Random(story.seed + 2)
        if not story.others:
            return
        await self._clock.sleep(story.others_from * DAY)
        while self._clock.now() < MONDAY + story.others_until * DAY:
            await self._clock.sleep(random.expovariate(story.others / HOUR))
            self._course.by_others += self._sandbox.limits.spend(self._clock.now())

    async def _suspend(self) -> None:
        """The machine stands still, and all that would have been done meanwhile is done at once."""
        random, loop = Random(self._story.seed + 5), asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        while self._story.suspends:
            await self._clock.sleep(random.expovariate(self._story.suspends / DAY))
            begins = self._clock.now()
            loop.passed += random.uniform(HOUR / 6, 3 * HOUR)
            self._downs.append((begins, self._clock.now()))

    async def _office(self, random: Random, a_day: float) -> None:
        """Until the next of so many things that happen on a workday, at night a thirtieth."""
        while True:
            hour = (self._clock.now() - MONDAY) / HOUR
            busy = 8 <= hour % 24 < 18 and hour // 24 % 7 < 5
            step = random.expovariate(a_day / 10 / HOUR * (1.0 if busy else 1 / 30))
            if busy or step < HOUR:
                await self._clock.sleep(min(step, HOUR))
                if step < HOUR:
                    return
            else:
                await self._clock.sleep(HOUR)

    async def _edit(self) -> None:
        random, company = Random(self._story.seed + 3), self._sandbox.company
        edited = [name for name in _EDITED if name in self._story.counts]
        while True:
            await self._office(random, self._story.edits)
            collection = random.choice(edited)
            if random.random() < 0.2:
                made = users.work(company, random, users.Load(create=1, collections=(collection,)))
                row = company.row(collection, int(str(made[0]["id"])))
            else:
                row = random.choice(list(company[collection]))
                company.edit(row, note=f"changed at {self._clock.now()}")
                self._edited.append((collection, row, self._clock.now()))
            if random.random() < self._story.announced and collection in TYPES and self._process is not None:
                store, scheduler, clock = self._process
                announced = Delivery(TYPES[collection], row.id, row.idn or None)
                await store.deliveries.note([announced], at=clock.now())
                scheduler.wake("apply_deliveries")

    async def _pay(self) -> None:
        """Half of them in the books, the other half at Precoro. Whoever pays looks at invoices that stand long."""
        random, company = Random(self._story.seed + 4), self._sandbox.company
        if not self._story.payments:
            return
        await self._clock.sleep(DAY / 4)
        while True:
            await self._office(random, 2 * self._story.payments)
            paid = {row.id for row, _ in (*self._due, *self._paid)}
            free = [
                row
                for row in sandbox_ledger.payable(company)
                if row.id not in paid and row.created < MONDAY and row.currency != "JPY"
            ]
            row, now = random.choice(free), self._clock.now()
            cents = row.total - row.paid
            if random.random() < 0.5:
                sandbox_ledger.record(self._folder / "books.db", row, cents, stamp(now)[:10])
                self._due.append((row, now))
            else:
                paying.pay(company, "payments", row, paying.Wish(cents, int(now)))
                self._paid.append((row, now))

    def _conclude(self) -> None:
        course = self._course
        with closing(sqlite3.connect(self._folder / "state.db")) as state:
            sent, exported = (
                dict(state.execute(_ATTEMPTED, (way,)).fetchall()) for way in ("to_precoro", "to_ledger")
            )
            detailed = state.execute(_DETAILED).fetchall()
            course.doubted = state.execute("SELECT count(*) FROM intents WHERE doubted > 0").fetchone()[0]
            course.details = state.execute("SELECT count(*) FROM details").fetchone()[0]
            course.listed = list(self._ages_of_rows(state))
            course.watched = state.execute("SELECT begins, seconds, changes FROM watched_hours").fetchall()
        course.detailed = [self._working_seconds(*pair) for pair in detailed]
        for paid, found, ages in ((self._due, sent, course.sent), (self._paid, exported, course.exported)):
            for row, at in paid:
                if row.id in found:
                    ages.append(self._working_seconds(at, found[row.id]))
                elif at < self._end - DAY:
                    course.unsent.append((row, at))
        self._gaps()

    def _ages_of_rows(self, state: sqlite3.Connection) -> Iterator[float]:
        """Of those that the end left time for."""
        whole = dict(state.execute("SELECT collection, whole_at FROM cursors").fetchall())
        for collection, row, at in self._edited:
            if (whole.get(collection) or math.inf) < at < self._end - 3 * HOUR:
                [until] = state.execute(_CHANGED, (collection, row.id, at - 1)).fetchone()
                yield math.inf if until is None else max(0.0, until - at)

    def _working_seconds(self, since: float, until: float) -> float:
        return until - since - sum(max(0.0, min(until, end) - max(since, begin)) for begin, end in self._idle())

    def _idle(self) -> Sequence[tuple[float, float]]:
        """When no process ran, and when others had spent the day before that could be known. None overlaps."""
        shut = [
            (one.at, one.at + (one.refused.wait or 0.0))
            for one in self._course.theirs
            if one.refused is not None and one.refused.period in ("hour", "day")
        ]
        merged: list[tuple[float, float]] = []
        for begin, end in sorted([*self._downs, *shut]):
            if merged and begin <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((begin, end))
        return merged

    def _gaps(self) -> None:
        asked: defaultdict[str, list[float]] = defaultdict(list)
        for entry in self._sandbox.journal:
            path = entry.path_qs.partition("?")[0].strip("/")
            if "/" not in path and entry.method == "GET" and entry.status == 200:
                asked[path].append(entry.arrived)
        for path, times in asked.items():
            moments = [*times, self._end]
            self._course.gaps[path] = max(after - before for before, after in pairwise(moments))
