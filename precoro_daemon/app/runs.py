"""one run, from opening the state to the report"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.objects.directory import open_folder
from precoro_daemon.adapters.state.sqlite.store import open_store
from precoro_daemon.app.company import assemble, connect
from precoro_daemon.app.values import chosen, clock_for, clock_without_calls, identity
from precoro_daemon.errors import DaemonError
from precoro_daemon.files.verify_attachments import Verdict, VerifyAttachments
from precoro_daemon.mirror.estimate_cost import EstimateCost
from precoro_daemon.mirror.rules.documents import utc_text
from precoro_daemon.mirror.rules.estimates import Cost
from precoro_daemon.mirror.rules.field_references import DEFINITIONS
from precoro_daemon.runtime.once import Job, RunReport, run_once
from precoro_daemon.settings import Settings
from precoro_daemon.status.progress import Progress, Silent
from precoro_daemon.telemetry import get_logger

_log = get_logger()


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

    return replace(job, due=due, lap=job.forced or job.lap)


async def verify_attachments(settings: Settings, share: float) -> Verdict:
    """Read that share of the kept files again. Raises StoreHeld, StoreUnusable, FolderUnusable."""
    section = settings.fetch_attachments
    assert section.directory is not None
    async with (
        open_store(settings.state.path, identity=identity(settings)) as store,
        open_folder(section.directory, identity=identity(settings), reserve=section.reserve_bytes) as folder,
    ):
        clock = await clock_without_calls(settings, store.budget_book)
        return await VerifyAttachments(store.attachments, folder, clock).run(share)


async def estimate_cost(settings: Settings, progress: Progress) -> tuple[Sequence[Cost], Sequence[str]]:
    """What a first mirror would cost, and one line for each list that could not be read."""
    collections, filters = chosen(settings)
    clock = clock_for(settings)
    async with (
        open_store(settings.state.path, identity=identity(settings)) as store,
        connect(settings, store.budget_book, clock, progress) as there,
    ):
        details = frozenset((*settings.fetch_details.collections, *DEFINITIONS))  # at most: only fields in use are
        job = EstimateCost(there.precoro, collections, details, filters, settings.mirror_collections.per_page)
        return await job.run()
