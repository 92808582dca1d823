"""one run, from opening the state to the report"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio.to_thread
from msgspec import Struct, field

from precoro_daemon.app.company import connect, open_company
from precoro_daemon.app.files import open_files
from precoro_daemon.app.state import address, kill_switch, state_of, stopped_by
from precoro_daemon.app.values import chosen, clock_for, clock_without_calls, plan_for, polling_options, windows
from precoro_daemon.errors import DaemonError
from precoro_daemon.mirror.polling import demand_of, planner_of
from precoro_daemon.mirror.rules.field_references import DEFINITIONS
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.rules.states import UNRESOLVED, Direction
from precoro_daemon.runtime.job import OnDemand, Registration, RunReport
from precoro_daemon.runtime.lifecycle import run_once
from precoro_daemon.runtime.ports import PastLap
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.status.progress import Progress, Silent
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.json_reading import utc_text

if TYPE_CHECKING:
    from precoro_daemon.adapters.host.clock import RealClock
    from precoro_daemon.adapters.state.ports import Store
    from precoro_daemon.files.verify_attachments import Verdict
    from precoro_daemon.mirror.ports.mirror import Mirror
    from precoro_daemon.mirror.rules.cursors import Cursor
    from precoro_daemon.mirror.rules.estimates import Cost, Estimate
    from precoro_daemon.payments.ports.journal import Journal
    from precoro_daemon.payments.ports.progress import PaymentsAfterRun
    from precoro_daemon.payments.rules.intents import Intent
    from precoro_daemon.settings import Settings

_log = get_logger()

_QUARANTINED: Mapping[Stage, str] = {
    Stage.SCAN: "lists could not be read to their end",
    Stage.CENSUS: "the last census was not believed",
    Stage.RECORD: "rows cannot be read and are quarantined",
    Stage.DETAIL: "details are quarantined",
    Stage.FILE: "files are quarantined",
    Stage.PAYMENT: "payments wait for what lacks a field they go by",
    Stage.DEFINITION: "definitions of custom fields are quarantined",
}
"""What a report says of quarantined things, by the stage at which they failed."""


class Wish(Struct, frozen=True):
    """What to run.

    only        the job to run alone, None for all that is due
    time_limit  real seconds, None for no limit
    progress    receives the run's progress
    command     how this program is called, for people who need to know what to type
    """

    only: str | None = None
    time_limit: float | None = None
    progress: Progress = field(default_factory=Silent)
    command: str = "precoro-daemon"


async def run(settings: Settings, clock: RealClock, wish: Wish) -> RunReport:
    """Runs once, from opening the state to the report, and returns the report. Logs and raises FatalError."""
    _log.info("run_started", state=address(settings), origin=settings.precoro.origin, only=wish.only)
    try:
        async with (
            state_of(settings).open() as store,
            _remembered(settings, clock, wish, store) as reports,
            open_company(store, settings, clock, wish.progress) as company,
        ):
            position = 0 if company.handler is None else await store.journal.position()
            jobs = list(company.jobs.values()) if wish.only is None else [_on_demand(company.jobs[wish.only])]
            scheduler = Scheduler(jobs, Dependencies(clock, company.gateway.stop))
            report = await run_once(scheduler, wish.time_limit)
            report.remains = await _remains(settings, store.mirror, wish.command)
            report.due = await company.due_details()
            if company.handler is not None:
                wish.progress.payments_ended(await _payments_after(settings, store, position))
            reports.append(report)
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


async def _payments_after(settings: Settings, store: Store, position: int) -> PaymentsAfterRun:
    from precoro_daemon.payments.ports.progress import PaymentsAfterRun

    journal = store.journal
    switch, stopped = await journal.switch(), await anyio.to_thread.run_sync(stopped_by, kill_switch(settings))
    waiting = [one for direction in Direction for one in await journal.in_state(direction, *UNRESOLVED)]
    closed = stopped or ("" if switch.armed else switch.reason)
    moved = [await _as_sent(journal, one) for one in await journal.moved_since(position)]
    return PaymentsAfterRun(moved, waiting, closed)


async def _as_sent(journal: Journal, intent: Intent) -> Intent:
    """Returns the intent with the amount last sent, which may differ by a cent from the ledger's."""
    attempts = await journal.attempts(intent.id) if intent.attempts else ()
    return replace(intent, amount=attempts[-1].amount) if attempts else intent


@asynccontextmanager
async def _remembered(
    settings: Settings, clock: RealClock, wish: Wish, store: Store
) -> AsyncIterator[list[RunReport]]:
    """Records the run's result in the history and notifies people of it, also when the run fails.

    Yields a list, to which the caller appends the report.
    """
    began, reports = clock.now(), list[RunReport]()
    try:
        yield reports
    except DaemonError as error:
        past = PastLap("", clock.now(), clock.now() - began, failed=1, reason=str(error))
        await _remember(store, past)
        await _notify(settings, wish.command, store, clock, error)
        raise
    [report] = reports
    reason = next(iter(report.failed), "") or str(report.spent or "")
    now = clock.now()
    await _remember(store, PastLap("", now, max(now - began, 0.0), report.brought, len(report.failed), reason))
    await _notify(settings, wish.command, store, clock, None)


async def _notify(
    settings: Settings, command: str, store: Store, clock: RealClock, failure: DaemonError | None
) -> None:
    if settings.notify.addresses or settings.notify.heartbeat is not None:
        from precoro_daemon.app.notices import notify_after_run

        await notify_after_run(settings, command, store.notice_book, clock, failure)


async def _remember(store: Store, past: PastLap) -> None:
    """Records the result in the history. A failure is ignored: an unwritable state was reported before."""
    with suppress(DaemonError):
        await store.lap_book.record(past)


def _on_demand(job: Registration) -> Registration:
    return Registration(OnDemand(job.forced or job.job), silent=job.silent)


async def _remains(settings: Settings, mirror: Mirror, command: str) -> Sequence[str]:
    """Returns one line for each thing that is not as it should be."""
    lines: list[str] = []
    for name in settings.mirror_collections.collections:
        standing = await mirror.standing(name)
        if standing.cursor.unproved:
            lines.append(f"{name}: not proved complete{_short(standing.cursor)}; the next run takes a census")
        if standing.whole is not None and standing.whole.finished:
            lines.append(
                f"{name}: some documents are not listed any more and cannot be asked for now; a later run does"
            )
    known = {*settings.mirror_collections.collections, *DEFINITIONS}  # of fields, mirrored or not
    quarantined = await mirror.count_quarantined()
    for stage, what in _QUARANTINED.items():
        if counts := {name: count for (name, at), count in quarantined.items() if at is stage and name in known}:
            names = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items()))
            lines.append(f"{what} ({names}); `{command} status` says why")
    return lines


def _short(cursor: Cursor) -> str:
    return f" (its total counts {cursor.short:,} more than came)" if cursor.short else ""


async def verify_attachments(settings: Settings, share: float) -> Verdict:
    """Reads this share of the stored files again and returns the result.

    Raises StoreHeld, StoreUnusable, FolderUnusable, BucketUnusable.
    """
    from precoro_daemon.files.verify_attachments import VerifyAttachments

    async with state_of(settings).open() as store, open_files(settings) as folder:
        clock = await clock_without_calls(settings, store.budget_book)
        return await VerifyAttachments(store.attachments, folder, clock).run(share)


async def estimate_cost(settings: Settings, progress: Progress) -> tuple[Estimate, Sequence[str]]:
    """Returns the cost of a first mirror, and one line for each list that could not be read."""
    from precoro_daemon.mirror.estimate_cost import EstimateCost

    collections, filters = chosen(settings)
    clock = clock_for(settings)
    async with (
        state_of(settings).open() as store,
        connect(settings, store.budget_book, clock, progress) as there,
    ):
        details = frozenset((*settings.fetch_details.collections, *DEFINITIONS))  # at most: only fields in use are
        job = EstimateCost(there.precoro, collections, details, filters, settings.mirror_collections.per_page)
        costs, failed = await job.run()
    return estimate_of(settings, costs), failed


def estimate_of(settings: Settings, costs: Sequence[Cost]) -> Estimate:
    """Returns the cost in calls and time, within this configuration's limits."""
    from precoro_daemon.mirror.rules.estimates import estimate

    options = polling_options(settings)
    backlog = sum(cost.details for cost in costs if cost.collection in options.detailed)
    rates = planner_of(options)[0]
    plan = plan_for(settings, demand_of(options, rates, backlog), rates.of_company())
    return estimate(costs, plan, windows(settings), settings.limits.reserve.census)
