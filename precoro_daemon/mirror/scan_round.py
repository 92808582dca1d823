"""scans several collections concurrently; a list that fails delays no other"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain

import anyio

from precoro_daemon.errors import DaemonError, FatalError, PermanentError, TemporaryError, most_severe
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.scanning import Lister, ScanReport, quarantine_list
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.humanize import span

_log = get_logger()

_SIDE_BY_SIDE = 4
"""Collections scanned at the same time. Each holds a few pages in memory; a small one is over at once."""

ScanOne = Callable[[Collection], Awaitable[ScanReport]]


async def run_scans(lister: Lister, collections: Sequence[Collection], scan_one: ScanOne) -> LapReport:
    """Scans several collections. A list that fails is reported and the others go on; an error that ends the run ends
    them all.
    """
    waiting = iter(collections)
    outcomes: list[ScanReport | str] = []
    ended: list[DaemonError] = []

    async def scan_some() -> None:
        for collection in waiting:
            try:
                outcomes.append(await _scan_or_quarantine(lister, collection, scan_one))
            except FatalError as error:
                ended.append(error)
                round_.cancel()
                return
            except DaemonError as error:
                ended.append(error)

    with anyio.CancelScope() as round_:
        if len(collections) == 1:  # as nearly always in a service: a task of its own is no use
            await scan_some()
        else:
            async with anyio.create_task_group() as group:
                for number in range(min(_SIDE_BY_SIDE, len(collections))):
                    group.start_soon(scan_some, name=f"lists {number}")
    await lister.observer.keep()
    reports = [outcome for outcome in outcomes if isinstance(outcome, ScanReport)]
    broken = [outcome for outcome in outcomes if isinstance(outcome, str)]
    return LapReport(
        brought=sum(report.created + report.updated + report.vanished for report in reports),
        failed=[*broken, *chain.from_iterable(map(_failures, reports))],
        ended=most_severe([*ended, *(report.unasked for report in reports if report.unasked)]),
    )


def _failures(report: ScanReport) -> Iterator[str]:
    if report.skew is not None:
        late = span(report.skew.seconds)
        yield (
            f"{report.collection}: Precoro reads modifiedSince in another time zone, up to {late} late; what was"
            " missed is here now, and every scan reaches back so much further from now on"
        )
    if report.rejected:
        yield f"{report.collection}: {report.rejected} rows cannot be read"
    if report.refused:
        yield f"{report.collection}: {report.refused} records are missing at once, which is not believed"


async def _scan_or_quarantine(lister: Lister, collection: Collection, scan_one: ScanOne) -> ScanReport | str:
    """Returns the report, or one line for the operator, which `status` shows too until the list succeeds."""
    try:
        return await scan_one(collection)
    except (TemporaryError, PermanentError) as error:
        _log.error("scan_failed", collection=collection.name, reason=str(error))
        await quarantine_list(lister, collection, Stage.SCAN, str(error))
        return f"{collection.name}: {error}"
