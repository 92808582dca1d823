"""one scan: reads a list into the mirror, and handles what a whole scan did not find"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from precoro_daemon.errors import BudgetSpent, DaemonError, MalformedAnswer, PermanentError
from precoro_daemon.mirror.absent_records import find_gone
from precoro_daemon.mirror.details import as_of
from precoro_daemon.mirror.polling import HISTORY_S, Scanned, ScanObserver, Unobserved
from precoro_daemon.mirror.ports.mirror import Committed, Mirror, Quarantined, Standing
from precoro_daemon.mirror.ports.precoro import ListRequest, Precoro
from precoro_daemon.mirror.ports.progress import MirrorProgress
from precoro_daemon.mirror.ports.shapes import ShapeWatch, Unwatched
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import (
    Cursor,
    Kind,
    Page,
    Scan,
    falls_short,
    meant_since,
    next_scan,
    scan_again,
    whole_scan,
)
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.reach import FARTHEST_S, Skew, skew_shown
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.keyed_lock import KeyedLock
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Lister:
    """What every scan needs: the source of rows, the mirror, and observers. All jobs share one.

    shapes    sees the pages too
    filtered  the filter under which the mirror was found or updated, by collection
    kinds     the kind of a collection's next scan for changes
    """

    precoro: Precoro
    mirror: Mirror
    clock: Clock
    progress: MirrorProgress
    max_vanished: float
    observer: ScanObserver = field(default_factory=Unobserved)
    shapes: ShapeWatch = field(default_factory=Unwatched)
    locks: KeyedLock = field(default_factory=KeyedLock)
    filtered: dict[str, str] = field(default_factory=dict, init=False)
    kinds: dict[str, Kind] = field(default_factory=dict, init=False)

    def alone(self, collection: Collection, what: Kind | Literal["filter"]) -> AbstractAsyncContextManager[None]:
        """Excludes concurrent work of the same kind on the collection."""
        return self.locks.of((collection.name, what))


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scan brought.

    began       by Precoro's clock, None if unknown
    pages       calls that it took
    changed_at  `updateDate` of each row that it brought, "" if there is none; for a first scan those of two weeks
    refused     number of live records that it did not list and whose absence is not believed
    unasked     the error that kept others from being requested until now: a later census does
    scan        as it ended
    cursor      as it left it
    skew        of Precoro's reading of `modifiedSince`, if it is news
    """

    collection: str
    created: int = 0
    updated: int = 0
    rejected: int = 0
    vanished: int = 0
    refused: int = 0
    began: float | None = None
    pages: int = 0
    changed_at: Sequence[str] = ()
    unasked: BudgetSpent | None = None
    scan: Scan | None = None
    cursor: Cursor | None = None
    skew: Skew | None = None


_ASKED_FOR_S = 86_400.0
"""Seconds for which documents that give no answer are requested again; then the next census does."""

_DISBELIEF = "nothing is marked, as a key that lost a role sees the same; max_vanished in [take_census] allows more"


def added(first: ScanReport, second: ScanReport) -> ScanReport:
    """Returns what two scans of one collection brought together."""
    return ScanReport(
        first.collection,
        created=first.created + second.created,
        updated=first.updated + second.updated,
        rejected=first.rejected + second.rejected,
        vanished=first.vanished + second.vanished,
        refused=first.refused + second.refused,
        began=second.began,
        pages=first.pages + second.pages,
        changed_at=(*first.changed_at, *second.changed_at),
        unasked=second.unasked or first.unasked,
        scan=second.scan or first.scan,
        cursor=second.cursor or first.cursor,
        skew=second.skew or first.skew,
    )


async def quarantine_list(lister: Lister, collection: Collection, stage: Stage, reason: str) -> None:
    now = lister.clock.now()
    await lister.mirror.quarantine(
        Quarantined(collection.name, collection.name, stage, reason, None, attempts=1, since=now, retry_at=now)
    )


async def use_filter(lister: Lister, collection: Collection, chosen: Filter) -> None:
    """Applies the user's present filter to the mirror, before its first scan.

    That drops open scans, but none in progress: each was preceded by this, with the same filter.
    """
    if lister.filtered.get(collection.name) == chosen.fingerprint:
        return
    async with lister.alone(collection, "filter"):
        cursor = await lister.mirror.cursor(collection.name)
        if cursor.filter != chosen.fingerprint:
            _log.info("filter_changed", collection=collection.name)
            await lister.mirror.refilter(collection.name, chosen.fingerprint, chosen.keeps_stored)
        lister.filtered[collection.name] = chosen.fingerprint


async def _run_scan(lister: Lister, collection: Collection, begun: Scan, chosen: Filter, lane: Lane) -> ScanReport:
    """Runs a scan to its end.

    Every batch of pages is durable before the next is taken; a failure leaves the scan open at the first missing
    page. A resumed scan reads the page before it as well: rows may have moved up to it meanwhile.
    """
    write = _log.info if begun.next_page > 1 else _log.debug  # its end says what it brought
    write("scan_started", collection=collection.name, kind=begun.kind, page=begun.next_page)
    progressed, wanted = begun, _wanted(collection, begun, chosen)
    report = ScanReport(collection.name)
    committed: Committed | None = None
    failure: DaemonError | None = None
    try:
        async with lister.precoro.scan(wanted, lane, begun.next_page) as batches:
            async for pages in batches:
                if progressed is begun and begun.next_page > 1:
                    progressed, failure = await _check_page_before(lister, wanted, lane, begun)
                _mark_unwanted(pages, chosen)
                committed = await lister.mirror.commit_pages(progressed, pages)
                await lister.shapes.listed(collection, pages)
                progressed, report = committed.scan, _counted(report, committed, len(pages))
                _log_committed(progressed, pages)
                lister.progress.scan_advanced(collection.name, progressed, committed)
                if failure is not None:
                    raise failure
    except (PermanentError, MalformedAnswer):
        if progressed is begun and begun.next_page > 1:
            # The list may have shrunk below the page where the scan was cut off: the next one begins at the first.
            await lister.mirror.close_scan(begun, at=lister.clock.now())
        raise
    assert committed is not None, "there is always a page"
    await lister.shapes.keep()
    lister.kinds[collection.name] = next_scan(collection, committed.cursor, overlap=0.0).kind
    report = await _end(lister, collection, committed, report)
    return replace(report, scan=committed.scan, cursor=committed.cursor)


async def _check_page_before(
    lister: Lister, wanted: ListRequest, lane: Lane, scan: Scan
) -> tuple[Scan, DaemonError | None]:
    """Returns the scan, drifted if rows have left the pages to come, and the error that kept us from seeing that.

    The error is raised once the received pages are stored: it costs the proof, and no progress.
    """
    try:
        page = await lister.precoro.page(wanted, lane, scan.next_page - 1)
    except DaemonError as error:
        return replace(scan, drifted=True), error
    moved = await lister.mirror.unseen(scan, [row.id for row in page.records])
    # A copy in any case: what was begun is resumed now.
    return replace(scan, drifted=scan.drifted or bool(moved)), None


async def bring_up_to_date(
    lister: Lister, collection: Collection, chosen: Filter, overlap: float, lane: Lane
) -> ScanReport:
    """Scans whole the first time, then what changed since the cursor, and again if that was not proved.

    Records that a whole scan could not request are left to the census.

    overlap  seconds the next scan reaches back before the cursor
    """
    await use_filter(lister, collection, chosen)
    report = ScanReport(collection.name)
    while True:
        kind = lister.kinds.get(collection.name) or await _next_kind(lister, collection)
        async with lister.alone(collection, kind):
            standing = await _standing(lister, collection)
            scan = next_scan(collection, standing.cursor, overlap, standing.skew.under(overlap))
            if scan.kind != kind:
                lister.kinds[collection.name] = scan.kind
                continue
            asked_at = lister.clock.now()
            report = added(report, await _run_next(lister, collection, scan, standing, chosen, lane=lane))
            further = await _check_reach(lister, collection, standing.cursor, lane, first=report, overlap=overlap)
            report = added(report, further)
        if report.cursor is None or not scan_again(scan, report.cursor):
            poll = lane is Lane.LISTS
            at = as_of(asked_at, lister.clock)
            seen = Scanned(collection.name, at, report.began, report.changed_at, report.pages, poll=poll)
            await lister.observer.scanned(seen)
            return replace(report, unasked=None)


async def _next_kind(lister: Lister, collection: Collection) -> Kind:
    return next_scan(collection, (await _standing(lister, collection)).cursor, overlap=0.0).kind


async def _standing(lister: Lister, collection: Collection) -> Standing:
    standing = await lister.mirror.standing(collection.name)
    if standing.cursor.anchor is None:
        return replace(standing, cursor=await lister.mirror.anchor(collection.name))
    return standing


async def _check_reach(
    lister: Lister, collection: Collection, before: Cursor, lane: Lane, *, first: ScanReport, overlap: float
) -> ScanReport:
    """Asks from further back for what the scan of changes may have missed because Precoro reads times in another
    zone.
    """
    short = first.scan
    if short is None or short.dates is None or short.started_at is None or not falls_short(short, before):
        return ScanReport(collection.name, began=first.began)
    meant = meant_since(before, overlap)
    further = Scan(collection.name, "changes", since=meant - FARTHEST_S, far=True)
    report = await _run_scan(lister, collection, further, Filter(), lane)
    dates = None if report.scan is None else report.scan.dates
    seconds = None if dates is None else skew_shown(meant, short.started_at, short.dates, dates)
    if seconds is None:
        return report
    skew = Skew(seconds, lister.clock.now(), overlap)
    await lister.mirror.save_skew(skew)
    brought = report.created + report.updated
    _log.error("skew_detected", collection=collection.name, seconds=round(seconds), missed=brought)
    return replace(report, skew=skew)


async def list_whole(
    lister: Lister, collection: Collection, chosen: Filter, lane: Lane, owed: Callable[[Cursor], bool]
) -> ScanReport:
    """Takes a census, if the cursor shows that one is `owed` once no other task lists the collection whole.

    What an earlier census left to request is requested in any case.
    """
    await use_filter(lister, collection, chosen)
    async with lister.alone(collection, "whole"):
        standing = await lister.mirror.standing(collection.name)
        if not owed(standing.cursor):
            return await _close_left(lister, collection, standing)
        return await _run_next(lister, collection, whole_scan(standing.cursor), standing, chosen, lane=lane)


async def _run_next(
    lister: Lister, collection: Collection, fresh: Scan, standing: Standing, chosen: Filter, *, lane: Lane
) -> ScanReport:
    """Runs `fresh`, or resumes the interrupted scan of its kind."""
    whole = fresh.kind == "whole"
    left = await _close_left(lister, collection, standing) if whole else ScanReport(collection.name)
    return added(left, await _run_scan(lister, collection, standing.left(fresh.kind) or fresh, chosen, lane))


async def _close_left(lister: Lister, collection: Collection, standing: Standing) -> ScanReport:
    """Completes a whole scan that was interrupted after its last page."""
    report = ScanReport(collection.name)
    if standing.whole is None or not standing.whole.finished:
        return report
    return await _end(lister, collection, Committed(standing.whole, standing.cursor), report)


async def _end(lister: Lister, collection: Collection, committed: Committed, report: ScanReport) -> ScanReport:
    """Does what is left to do after the last page."""
    scan, cursor = committed.scan, committed.cursor
    if scan.kind == "whole" and cursor.hidden != scan.hidden:
        _log.warning("hidden_rows_believed", collection=collection.name, count=cursor.hidden)
    if not committed.closed:
        report = await _close_whole(lister, collection, committed, report)
    _log_end(scan, report)
    return report


def _wanted(collection: Collection, scan: Scan, chosen: Filter) -> ListRequest:
    """Returns the request. A record may leave the user's filter unseen, so scans of changes use the time alone."""
    return ListRequest(collection, chosen if scan.since is None else Filter(), scan.since)


def _mark_unwanted(pages: Sequence[Page], chosen: Filter) -> None:
    if not chosen.fingerprint:
        return
    for record in chain.from_iterable(page.records for page in pages):
        record.wanted = chosen.keeps(record)


def _counted(report: ScanReport, committed: Committed, pages: int) -> ScanReport:
    return replace(
        report,
        created=report.created + committed.created,
        updated=report.updated + committed.updated,
        rejected=report.rejected + committed.rejected,
        began=committed.scan.started_at,
        pages=report.pages + pages,
        changed_at=(*report.changed_at, *_telling(committed)),
    )


def _telling(committed: Committed) -> Sequence[str]:
    """Returns the times to learn from. A first scan brings everything that ever changed; keeping a time for each of a
    million rows until its end would take 130 MB, and only the last weeks are useful.
    """
    if committed.cursor.at is not None or committed.scan.started_at is None:
        return committed.changed_at
    oldest = datetime.fromtimestamp(committed.scan.started_at - HISTORY_S, UTC).isoformat(timespec="seconds")
    return [text for text in committed.changed_at if text >= oldest[: len("YYYY-MM-DDTHH:MM:SS")]]


async def _close_whole(
    lister: Lister, collection: Collection, committed: Committed, report: ScanReport
) -> ScanReport:
    """Marks what is gone. What cannot be requested now is requested later: the scan stays open for that."""
    scan = committed.scan
    absent = await find_gone(lister.precoro, lister.mirror, collection, committed, lister.max_vanished)
    report = replace(report, vanished=report.vanished + len(absent.gone), refused=report.refused + absent.refused)
    if absent.unasked is not None and _is_asked_later(lister, scan, absent.unasked):
        _log.warning("census_postponed", collection=collection.name, reason=str(absent.unasked))
        await lister.mirror.mark_vanished(scan, absent.gone, at=lister.clock.now())  # they need not be asked again
        return replace(report, unasked=absent.unasked if isinstance(absent.unasked, BudgetSpent) else None)
    await lister.mirror.close_scan(scan, absent.gone, at=lister.clock.now())
    if absent.refused:
        reason = f"{absent.refused} of {absent.live} records are missing at once: {_DISBELIEF}"
        await quarantine_list(lister, collection, Stage.CENSUS, reason)
    return report


def _is_asked_later(lister: Lister, scan: Scan, unasked: DaemonError) -> bool:
    young = scan.started_at is not None and lister.clock.now() < scan.started_at + _ASKED_FOR_S
    return young or isinstance(unasked, BudgetSpent)


def _log_committed(scan: Scan, pages: Sequence[Page]) -> None:
    for row in chain.from_iterable(page.rejected for page in pages):
        _log.warning("record_rejected", collection=scan.collection, key=row.key, reason=row.reason)
    _log.debug(
        "page_committed", collection=scan.collection, page=scan.next_page - 1, rows=scan.rows, total=scan.total
    )


def _log_end(scan: Scan, report: ScanReport) -> None:
    found = {"created": report.created, "updated": report.updated, "rejected": report.rejected}
    event = "scan_finished" if scan.proved else "scan_unproved"
    is_news = any(found.values()) or not scan.proved
    write = _log.info if is_news else _log.debug
    write(event, collection=scan.collection, kind=scan.kind, pages=scan.last_page, rows=scan.rows, **found)
    if report.vanished:
        _log.info("documents_vanished", collection=scan.collection, count=report.vanished)
    if report.refused:
        _log.error("census_refused", collection=scan.collection, missing=report.refused)
