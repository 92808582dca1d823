"""one pass: the pages of a list into the mirror, and what a whole one did not find"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import anyio

from precoro_daemon.domain.absences import Missing, judge
from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import Collection
from precoro_daemon.domain.cursors import Cursor, Page, Pass, next_pass, walk_again
from precoro_daemon.domain.filters import Filter, Query, modified_since
from precoro_daemon.errors import (
    DaemonError,
    FatalError,
    MalformedAnswer,
    NotFound,
    PermanentError,
    TemporaryError,
    gravest,
)
from precoro_daemon.ports import Aside, Clock, Committed, LapReport, Mirror, Precoro, Progress
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Lister:
    """What every pass needs: where rows come from, where they go, who watches."""

    precoro: Precoro
    mirror: Mirror
    clock: Clock
    progress: Progress
    max_vanished: float


@dataclass(frozen=True, slots=True)
class PassReport:
    """What one pass brought. `refused` counts the live records it did not list but was not believed about."""

    collection: str
    created: int = 0
    updated: int = 0
    rejected: int = 0
    vanished: int = 0
    refused: int = 0


_DISBELIEF = "nothing is marked, as a key that lost a role sees the same; max_vanished in [take_census] allows more"

_SIDE_BY_SIDE = 4
"""Collections listed at the same time. Each holds a few pages in memory; a small one needs no turn of its own."""


async def run_passes(
    lister: Lister, collections: Sequence[Collection], list_one: Callable[[Collection], Awaitable[PassReport]]
) -> LapReport:
    """List several collections. One whose list fails is reported, its siblings go on; what ends the run ends them."""
    limiter = anyio.CapacityLimiter(_SIDE_BY_SIDE)
    outcomes: list[PassReport | str] = []
    ended: list[DaemonError] = []

    async def one(collection: Collection) -> None:
        async with limiter:
            try:
                outcomes.append(await _list_or_set_aside(lister, collection, list_one))
            except DaemonError as error:
                ended.append(error)
                if isinstance(error, FatalError):
                    group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for collection in collections:
            group.start_soon(one, collection, name=f"list {collection.name}")
    reports = [outcome for outcome in outcomes if isinstance(outcome, PassReport)]
    broken = [outcome for outcome in outcomes if isinstance(outcome, str)]
    return LapReport(
        brought=sum(report.created + report.updated + report.vanished for report in reports),
        failed=[*broken, *chain.from_iterable(map(_failures, reports))],
        ended=gravest(ended),
    )


def added(first: PassReport, second: PassReport) -> PassReport:
    """What two passes of one collection brought together."""
    return PassReport(
        first.collection,
        created=first.created + second.created,
        updated=first.updated + second.updated,
        rejected=first.rejected + second.rejected,
        vanished=first.vanished + second.vanished,
        refused=first.refused + second.refused,
    )


def _failures(report: PassReport) -> Iterator[str]:
    if report.rejected:
        yield f"{report.collection}: {report.rejected} rows cannot be read"
    if report.refused:
        yield f"{report.collection}: {report.refused} records are missing at once, which is not believed"


async def _list_or_set_aside(
    lister: Lister, collection: Collection, list_one: Callable[[Collection], Awaitable[PassReport]]
) -> PassReport | str:
    """The report, or one line for the operator, which `status` shows too until the list succeeds."""
    try:
        return await list_one(collection)
    except (TemporaryError, PermanentError) as error:
        _log.error("pass_failed", collection=collection.name, reason=str(error))
        await _set_aside(lister, collection, "pass", str(error))
        return f"{collection.name}: {error}"


async def _set_aside(lister: Lister, collection: Collection, stage: str, reason: str) -> None:
    now = lister.clock.now()
    await lister.mirror.set_aside(
        Aside(collection.name, collection.name, stage, reason, None, attempts=1, since=now, retry_at=now)
    )


async def use_filter(lister: Lister, collection: Collection, chosen: Filter) -> Cursor:
    """The collection's cursor, after the mirror was brought under the user's present filter."""
    cursor = await lister.mirror.cursor(collection.name)
    if cursor.filter == chosen.fingerprint:
        return cursor
    _log.info("filter_changed", collection=collection.name)
    await lister.mirror.refilter(collection.name, chosen.fingerprint, chosen.keeps_stored)
    return await lister.mirror.cursor(collection.name)


async def run_pass(lister: Lister, collection: Collection, fresh: Pass, chosen: Filter, lane: Lane) -> PassReport:
    """Walk `fresh`, or the pass of its kind that was cut off, to its end.

    Every batch of pages is durable before the next is taken; a failure leaves the pass open at the first page that
    is missing. One that is taken up looks at the page before as well: rows may have moved up to it meanwhile.
    """
    begun = await lister.mirror.open_pass(collection.name, fresh.kind) or fresh
    _log.info("pass_started", collection=collection.name, kind=begun.kind, page=begun.next_page)
    progressed, query = begun, _query(begun, chosen)
    report = PassReport(collection.name)
    failure: DaemonError | None = None
    try:
        async with lister.precoro.walk(collection, query, lane, begun.next_page) as batches:
            async for pages in batches:
                if progressed is begun and begun.next_page > 1:
                    progressed, failure = await _look_back(lister, collection, query, lane, begun)
                _mark_unwanted(pages, chosen)
                committed = await lister.mirror.commit_pages(progressed, pages)
                progressed, report = committed.walk, _counted(report, committed)
                _tell_committed(progressed, pages)
                lister.progress.pass_advanced(collection.name, progressed, committed)
                if failure is not None:
                    raise failure
    except (PermanentError, MalformedAnswer):
        if progressed is begun and begun.next_page > 1:
            # The list may have shrunk below the page where the pass was cut off: the next one begins at the first.
            await lister.mirror.close_pass(begun, at=lister.clock.now())
        raise
    if progressed.kind == "whole":
        report = await _close_whole(lister, collection, progressed, report)
    _tell(progressed, report)
    return report


async def _look_back(
    lister: Lister, collection: Collection, query: Query, lane: Lane, walk: Pass
) -> tuple[Pass, DaemonError | None]:
    """The pass, drifted if rows have left the pages to come; and what kept us from seeing that, once what has come is
    kept: it costs the proof, and no progress."""
    try:
        page = await lister.precoro.page(collection, query, lane, walk.next_page - 1)
    except DaemonError as error:
        return replace(walk, drifted=True), error
    moved = await lister.mirror.unseen(walk, [row.id for row in page.records])
    # A copy in any case: what was begun is taken up now.
    return replace(walk, drifted=walk.drifted or bool(moved)), None


async def bring_up_to_date(
    lister: Lister, collection: Collection, chosen: Filter, overlap: float, lane: Lane
) -> PassReport:
    """Whole the first time, then what changed since the cursor; again where that was not proved.

    overlap  seconds the next pass reaches back behind the cursor
    """
    cursor = await use_filter(lister, collection, chosen)
    report = await close_left(lister, collection)
    while True:
        walk = next_pass(collection, cursor, overlap)
        report = added(report, await run_pass(lister, collection, walk, chosen, lane))
        cursor = await lister.mirror.cursor(collection.name)
        if not walk_again(walk, cursor):
            return report


async def close_left(lister: Lister, collection: Collection) -> PassReport:
    """A whole pass that was cut off after its last page has only its end left to do."""
    left = await lister.mirror.open_pass(collection.name, "whole")
    report = PassReport(collection.name)
    if left is not None and left.finished:
        report = await _close_whole(lister, collection, left, report)
        _tell(left, report)
    return report


def _query(walk: Pass, chosen: Filter) -> Query:
    return chosen.query if walk.since is None else modified_since(walk.since)


def _mark_unwanted(pages: Sequence[Page], chosen: Filter) -> None:
    if not chosen.fingerprint:
        return
    for record in chain.from_iterable(page.records for page in pages):
        record.wanted = chosen.keeps(record)


def _counted(report: PassReport, committed: Committed) -> PassReport:
    return replace(
        report,
        created=report.created + committed.created,
        updated=report.updated + committed.updated,
        rejected=report.rejected + committed.rejected,
    )


async def _close_whole(lister: Lister, collection: Collection, walk: Pass, report: PassReport) -> PassReport:
    cursor = await lister.mirror.cursor(collection.name)
    gone: list[Missing] = []
    refused = 0
    if not cursor.unproved:
        missing, live = await lister.mirror.missing(walk)
        unreadable = walk.rejected > 0
        askable = collection.detail and bool(walk.filter or (walk.last_page or 1) > 1 or unreadable)
        absences = judge(missing, live, max_share=lister.max_vanished, askable=askable, unreadable=unreadable)
        asked = [row for row in absences.ask if await _is_gone(lister.precoro, collection, row)]
        gone = [*absences.gone, *asked]
        if len(asked) == len(absences.ask):
            gone += absences.rest
        refused = absences.refused
    await lister.mirror.close_pass(walk, [row.id for row in gone], at=lister.clock.now())
    if refused:
        await _set_aside(
            lister, collection, "census", f"{refused} of {live} records are missing at once: {_DISBELIEF}"
        )
    return replace(report, vanished=report.vanished + len(gone), refused=report.refused + refused)


async def _is_gone(precoro: Precoro, collection: Collection, row: Missing) -> bool:
    """Ask for the document itself. Any other failure than 404 proves nothing; the next census asks again."""
    assert row.key is not None
    try:
        await precoro.detail(collection, row.key, Lane.CENSUS)
    except NotFound:
        return True
    except (TemporaryError, PermanentError) as error:
        _log.warning("census_inconclusive", collection=collection.name, key=row.key, reason=str(error))
    return False


def _tell_committed(walk: Pass, pages: Sequence[Page]) -> None:
    for row in chain.from_iterable(page.rejected for page in pages):
        _log.warning("record_rejected", collection=walk.collection, key=row.key, reason=row.reason)
    _log.debug(
        "page_committed", collection=walk.collection, page=walk.next_page - 1, rows=walk.rows, total=walk.total
    )


def _tell(walk: Pass, report: PassReport) -> None:
    found = {"created": report.created, "updated": report.updated, "rejected": report.rejected}
    event = "pass_finished" if walk.proved else "pass_unstable"
    _log.info(event, collection=walk.collection, kind=walk.kind, pages=walk.last_page, rows=walk.rows, **found)
    if report.vanished:
        _log.info("documents_vanished", collection=walk.collection, count=report.vanished)
    if report.refused:
        _log.error("census_refused", collection=walk.collection, missing=report.refused)
