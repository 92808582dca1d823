"""builds adapters, wraps them, hands them to jobs; the only module that names both sides"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path

import anyio

from precoro_daemon.adapters.clock import RealClock
from precoro_daemon.adapters.http.exchange import Credentials
from precoro_daemon.adapters.http.gate import Surroundings
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.session import HttpSession, Timeouts
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.adapters.sql.opening import find_state
from precoro_daemon.adapters.sql.overview import Overview, read_overview
from precoro_daemon.adapters.sql.store import open_store
from precoro_daemon.daemon import Job, RunReport, run_once
from precoro_daemon.domain import budget
from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import COLLECTIONS, Collection
from precoro_daemon.domain.documents import utc_text
from precoro_daemon.domain.estimates import Cost
from precoro_daemon.domain.filters import Filter
from precoro_daemon.errors import DaemonError
from precoro_daemon.jobs.estimate_cost import EstimateCost
from precoro_daemon.jobs.fetch_details import FetchDetails
from precoro_daemon.jobs.mirror_collections import MirrorCollections
from precoro_daemon.jobs.take_census import TakeCensus
from precoro_daemon.passes import Lister
from precoro_daemon.ports import BudgetBook, Clock, Mirror, Precoro, Progress, Silent
from precoro_daemon.settings import Settings
from precoro_daemon.telemetry import get_logger

_log = get_logger()

JOB_NAMES = ("mirror_collections", "fetch_details", "take_census")
"""In the order of a round: what lists bring is detailed at once, a census comes when there is nothing else to do."""

_ASIDE = {
    "pass": "the list could not be read to its end",
    "census": "the last census was not believed",
    "record": "{count} rows set aside, as they cannot be read",
    "detail": "{count} details set aside",
}

_GUARD = 0.02
"""Seconds kept between two calls beyond the pace: on their way they come closer by some milliseconds."""

_REAL_GUARD = 0.001
"""The same in real seconds, for rehearsals, in which they stand for more."""


_REHEARSAL = 10 * 365 * 86_400.0
"""Seconds. The time of an earlier rehearsal went ahead of ours, by how much only the server knows: until its first
answer tells, a rehearsal's clock stands so far ahead that nothing of the earlier one holds that call back."""


def clock_for(settings: Settings) -> RealClock:
    """Real time; for a rehearsal, faster."""
    scale = settings.limits.time_scale
    return RealClock() if scale == 1 else RealClock(scale, ahead=_REHEARSAL)


@dataclass(frozen=True, slots=True)
class Assembly:
    """A program that is ready to run.

    jobs        by name, in the order of a round
    stop_calls  let no further call leave
    remains     a line for each thing that is not as it should be
    due         how many documents lack an up-to-date detail
    """

    jobs: Mapping[str, Job]
    stop_calls: Callable[[], None]
    remains: Callable[[], Awaitable[Sequence[str]]]
    due: Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to run: one job alone or what is due, within how many real seconds, watched by whom."""

    only: str | None = None
    time_limit: float | None = None
    progress: Progress = field(default_factory=Silent)


async def run(settings: Settings, clock: RealClock, wish: Wish) -> RunReport:
    """One run, from opening the state to the report. Raises FatalError."""
    _log.info("run_started", state=settings.state.url, origin=settings.precoro.origin, only=wish.only)
    try:
        async with assemble(settings, clock, wish.progress) as ready:
            jobs = ready.jobs.values() if wish.only is None else [_now(ready.jobs[wish.only])]
            report = await run_once(tuple(jobs), ready.stop_calls, wish.time_limit)
            report.remains = await ready.remains()
            report.due = await ready.due()
    except DaemonError as error:
        _log.error("run_failed", reason=str(error), exit_code=error.exit_code)
        raise
    _log.info(
        "run_finished",
        brought=report.brought,
        failed=len(report.failed),
        remains=len(report.remains),
        due=report.due,
        stopped=report.stopped,
        resume_at=report.spent and utc_text(datetime.fromtimestamp(report.spent.resume_at, UTC).isoformat()),
    )
    return report


def _now(job: Job) -> Job:
    """The job as one that is due once, whatever its own rule says."""

    async def due(ran: bool) -> bool:
        return not ran

    return Job(job.name, due, job.forced or job.lap)


@asynccontextmanager
async def assemble(settings: Settings, clock: RealClock, progress: Progress) -> AsyncIterator[Assembly]:
    """Open the state and the connection to Precoro. Raises StoreHeld, StoreUnusable."""
    async with (
        open_store(settings.state.path, identity=identity(settings)) as store,
        _connect(settings, store.budget_book, clock, progress) as (precoro, stop_calls),
    ):
        jobs = _jobs(settings, precoro, store.mirror, clock, progress)
        remains, due = partial(_remains, settings, store.mirror), partial(_details_due, settings, store.mirror)
        yield Assembly(jobs, stop_calls, remains, due)


async def _details_due(settings: Settings, mirror: Mirror) -> int:
    counts = await mirror.count_due(settings.fetch_details.collections, before=math.inf)
    return sum(counts.values())


async def _remains(settings: Settings, mirror: Mirror) -> Sequence[str]:
    aside = await mirror.count_aside()
    lines: list[str] = []
    for name in settings.mirror_collections.collections:
        if (await mirror.cursor(name)).unproved:
            lines.append(f"{name}: not proved complete; the next run takes a census")
        for stage, what in _ASIDE.items():
            if count := aside.get((name, stage), 0):
                lines.append(f"{name}: {what.format(count=count)}; see `precoro-daemon status`")
    return lines


@asynccontextmanager
async def _connect(
    settings: Settings, book: BudgetBook, clock: RealClock, progress: Progress
) -> AsyncIterator[tuple[PrecoroClient, Callable[[], None]]]:
    precoro = settings.precoro
    credentials = Credentials(
        precoro.origin, token=precoro.token.get_secret_value(), email=precoro.email.get_secret_value()
    )
    timeouts = Timeouts(total=precoro.timeout, connect=precoro.connect_timeout, read=precoro.timeout)
    around = Surroundings(book=book, clock=clock, progress=progress)
    async with (
        HttpSession(credentials, timeouts) as session,
        Throttled(session, credentials, limits(settings), around) as throttled,
    ):
        client = PrecoroClient(Retrying(throttled), settings.mirror_collections.per_page)
        yield client, throttled.stop


def _jobs(
    settings: Settings, precoro: Precoro, mirror: Mirror, clock: Clock, progress: Progress
) -> Mapping[str, Job]:
    collections, filters = _chosen(settings)
    lister = Lister(precoro, mirror, clock, progress, settings.take_census.max_vanished)
    mirror_collections = MirrorCollections(lister, collections, filters, settings.mirror_collections.overlap)
    fetch_details = FetchDetails(precoro, mirror, clock, progress, settings.fetch_details.collections, filters)
    take_census = TakeCensus(lister, collections, filters, settings.take_census.every)
    began: float | None = None  # what this run sets aside is not due again in it

    async def mirror_due(ran: bool) -> bool:
        return not ran

    async def details_due(_: bool) -> bool:
        nonlocal began
        began = clock.now() if began is None else began
        return await fetch_details.due(before=began) > 0

    async def census_due(ran: bool) -> bool:
        return not ran and bool(await take_census.due())

    jobs = (
        Job(JOB_NAMES[0], mirror_due, mirror_collections.lap),
        Job(JOB_NAMES[1], details_due, fetch_details.lap),
        Job(JOB_NAMES[2], census_due, take_census.lap, forced=partial(take_census.lap, forced=True)),
    )
    return {job.name: job for job in jobs}


async def check_access(settings: Settings) -> str:
    """Make one call, and say what came of it. Charged to the state if there is one; none is made here."""
    async with anyio.TemporaryDirectory() as elsewhere:
        there = await anyio.to_thread.run_sync(find_state, settings.state.path)
        path = settings.state.path if there else Path(elsewhere, "check.db")
        store = open_store(path, identity=identity(settings))
        clock = clock_for(settings)
        async with store as opened, _connect(settings, opened.budget_book, clock, Silent()) as (precoro, _):
            collection = _chosen(settings)[0][0]
            await precoro.probe(collection, Lane.LISTS)
    return f"{settings.precoro.origin} accepts the key and shows it {collection.name.replace('_', ' ')}"


async def estimate_cost(settings: Settings, progress: Progress) -> tuple[Sequence[Cost], Sequence[str]]:
    """What a first mirror would cost, and one line for each list that could not be read."""
    collections, filters = _chosen(settings)
    clock = clock_for(settings)
    async with (
        open_store(settings.state.path, identity=identity(settings)) as store,
        _connect(settings, store.budget_book, clock, progress) as (precoro, _),
    ):
        details = frozenset(settings.fetch_details.collections)
        job = EstimateCost(precoro, collections, details, filters, settings.mirror_collections.per_page)
        return await job.run()


@dataclass(frozen=True, slots=True)
class Look:
    """The state as it is at `now`: what it holds of which collections, and the account of calls."""

    overview: Overview
    account: budget.Budget
    with_details: frozenset[str]
    census_every: float
    now: float


def look(settings: Settings) -> Look:
    """Read the state beside the instance that may hold it. Raises StoreUnusable."""
    now = RealClock().now()
    overview = read_overview(settings.state.path, identity=identity(settings), since=now - budget.MEMORY)
    known = [at for at, _ in overview.calls if at < now + _REHEARSAL / 2]
    if known:
        now = max(now, known[-1])  # a rehearsal's time runs ahead of ours, a wrong clock behind
    account = budget.Budget(limits(settings))
    account.restore(overview.calls, overview.closed, now)
    return Look(overview, account, frozenset(settings.fetch_details.collections), settings.take_census.every, now)


def _chosen(settings: Settings) -> tuple[Sequence[Collection], Mapping[str, Filter]]:
    collections = [COLLECTIONS[name] for name in settings.mirror_collections.collections]
    return collections, {one.name: settings.mirror_collections.filter_of(one.name) for one in collections}


def limits(settings: Settings) -> budget.Limits:
    """What Precoro grants this key, and what each lane leaves to those above."""
    given = settings.limits
    return budget.Limits(
        per_second=given.per_second,
        per_minute=given.per_minute,
        per_hour=given.per_hour,
        per_day=given.per_day,
        same_get_per_minute=given.same_get_per_minute,
        same_get_per_hour=given.same_get_per_hour,
        same_get_scope=given.same_get_scope,
        reserve=given.reserves,
        guard=max(_GUARD, _REAL_GUARD * given.time_scale),
    )


def identity(settings: Settings) -> str:
    """Whose data a state holds: the company's label, or else the API user's e-mail, at one address. Only a hash."""
    whose = settings.state.company or settings.precoro.email.get_secret_value().lower()
    return blake2b(f"{settings.precoro.origin}\0{whose}".encode(), digest_size=16).hexdigest()
