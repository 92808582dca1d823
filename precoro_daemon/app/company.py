"""opens the state and the connection to Precoro, and builds the jobs on them"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.downloads import Downloads
from precoro_daemon.adapters.http.gate import Surroundings
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.attachments import PrecoroAttachments
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.adapters.precoro.items import HttpItemGateway
from precoro_daemon.adapters.precoro.payments import HttpPaymentGateway
from precoro_daemon.adapters.state.sqlite.store import Store, open_store
from precoro_daemon.app.item_job import item_job
from precoro_daemon.app.jobs import JOB_NAMES, Sides, build_jobs
from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.app.payments import build_desk, build_payments, payment_jobs
from precoro_daemon.app.values import carriers, credentials_of, identity, limits
from precoro_daemon.mirror.ports.mirror import Mirror
from precoro_daemon.mirror.rules.field_references import DEFINITIONS
from precoro_daemon.payments.commands import Desk
from precoro_daemon.quota.budget import Budget, Share
from precoro_daemon.quota.ports import BudgetBook
from precoro_daemon.runtime.once import Job
from precoro_daemon.settings import Settings
from precoro_daemon.status.progress import Progress

_ASIDE = {
    "pass": "the list could not be read to its end",
    "census": "the last census was not believed",
    "record": "{count} rows set aside, as they cannot be read",
    "detail": "{count} details set aside",
    "file": "{count} files set aside",
}


@dataclass(frozen=True, slots=True)
class Assembly:
    """A program that is ready to run.

    jobs        by name, in the order of a round
    stop_calls  let no further call leave
    remains     a line for each thing that is not as it should be
    due         how many documents lack an up-to-date detail
    account     of calls, to be looked at
    desk        where people decide about payments; None without books
    """

    jobs: Mapping[str, Job]
    stop_calls: Callable[[], None]
    remains: Callable[[], Awaitable[Sequence[str]]]
    due: Callable[[], Awaitable[int]]
    account: Budget
    desk: Desk | None


@asynccontextmanager
async def assemble(settings: Settings, clock: RealClock, progress: Progress) -> AsyncIterator[Assembly]:
    """Open the state and the connection to Precoro. Raises StoreHeld, StoreUnusable."""
    async with (
        open_store(settings.state.path, identity=identity(settings)) as store,
        assemble_on(store, settings, clock, progress) as assembly,
    ):
        yield assembly


@asynccontextmanager
async def assemble_on(
    store: Store, settings: Settings, clock: RealClock, progress: Progress, shares: Sequence[Share] = ()
) -> AsyncIterator[Assembly]:
    """Open the connection to Precoro. `shares`: what some lanes may make of a day's calls at most."""
    async with (
        connect(settings, store.budget_book, clock, progress, shares) as connection,
        open_ledger(settings) as ledger,
    ):
        sides = Sides(connection.precoro, connection.attachments, store, clock, progress)
        jobs = dict(build_jobs(settings, sides))
        if ledger is not None:
            await store.journal.prepare()
            payments = build_payments(
                settings, store, connection.desk, ledger, clock, refuse_if_stopped=connection.refuse_if_stopped
            )
            jobs |= payment_jobs(settings, payments)
        jobs |= item_job(settings, store, connection.items, clock)
        jobs = {name: jobs[name] for name in JOB_NAMES if name in jobs}
        remains, due = partial(_remains, settings, store.mirror), partial(_details_due, settings, store.mirror)
        desk = None if ledger is None else build_desk(settings, store, ledger, clock)
        yield Assembly(jobs, connection.stop, remains, due, connection.account, desk)


async def _details_due(settings: Settings, mirror: Mirror) -> int:
    counts = await mirror.count_due(settings.fetch_details.collections, carriers(settings), before=math.inf)
    return sum(counts.values())


async def _remains(settings: Settings, mirror: Mirror) -> Sequence[str]:
    aside = await mirror.count_quarantined()
    lines: list[str] = []
    for name in settings.mirror_collections.collections:
        if (await mirror.cursor(name)).unproved:
            lines.append(f"{name}: not proved complete; the next run takes a census")
        for stage, what in _ASIDE.items():
            if count := aside.get((name, stage), 0):
                lines.append(f"{name}: {what.format(count=count)}; see `precoro-daemon status`")
    counts = ((name, aside.get((name, "definition"), 0)) for name in DEFINITIONS)  # mirrored or not
    lines += [
        f"{name}: {count} definitions set aside; see `precoro-daemon status`" for name, count in counts if count
    ]
    return lines


@dataclass(frozen=True, slots=True)
class Connection:
    """Precoro, as lists and documents, as files, and as the desks where invoices are paid and items written.

    stop               let no further call leave
    refuse_if_stopped  raises Stopped after that
    """

    precoro: PrecoroClient
    attachments: PrecoroAttachments
    desk: HttpPaymentGateway
    items: HttpItemGateway
    stop: Callable[[], None]
    refuse_if_stopped: Callable[[], None]
    account: Budget


@asynccontextmanager
async def connect(
    settings: Settings, book: BudgetBook, clock: RealClock, progress: Progress, shares: Sequence[Share] = ()
) -> AsyncIterator[Connection]:
    precoro = settings.precoro
    credentials = credentials_of(settings)
    around = Surroundings(book=book, clock=clock, progress=progress)
    async with (
        HttpSession(credentials, _timeouts(settings)) as session,
        Throttled(session, credentials, limits(settings, shares), around) as throttled,
        Downloads(settings.fetch_attachments.allowed_hosts, _timeouts(settings), precoro.origin) as downloads,
    ):
        retrying = Retrying(throttled)
        client = PrecoroClient(retrying, settings.mirror_collections.per_page)
        yield Connection(
            client,
            PrecoroAttachments(throttled, downloads, precoro.origin),
            HttpPaymentGateway(retrying, throttled, credentials, clock),
            HttpItemGateway(client, retrying, throttled, credentials, clock),
            throttled.stop,
            throttled.refuse_if_stopped,
            throttled.account,
        )


def _timeouts(settings: Settings) -> Timeouts:
    precoro = settings.precoro
    return Timeouts(total=precoro.timeout, connect=precoro.connect_timeout, read=precoro.timeout)
