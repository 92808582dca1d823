"""one commit of list pages: records, change rows, scan progress and cursor"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import NamedTuple

from precoro_daemon.adapters.state.record_counts import counted_anew
from precoro_daemon.adapters.state.rows import cells, rows_to_create, rows_to_update, to_cursor
from precoro_daemon.adapters.state.session import Asked, Row, Session
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.absences import Missing
from precoro_daemon.mirror.rules.changes import Known, Plan, plan
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import Cursor, Page, Scan, advance, server_time, settle
from precoro_daemon.mirror.rules.documents import Record, Rejected
from precoro_daemon.mirror.rules.quarantine import Stage


class _Before(NamedTuple):
    """The mirror before the pages.

    scan  the number of the open scan, and how many distinct ids it has seen
    """

    known: Mapping[int, Known]
    scan: tuple[int, int] | None
    cursor: Cursor


def commit_pages(session: Session, scan: Scan, pages: Sequence[Page]) -> Committed:
    """Commits pages inside a transaction. All reads come first, so that the writes need few messages."""
    by_server = server_time(scan, pages)
    at = time.time() if by_server is None else by_server
    records = list(chain.from_iterable(page.records for page in pages))
    before = _read_before(session, scan, records)
    steps = plan(records, before.known)
    _write_records(session, scan.collection, steps, at)
    rejected = list(chain.from_iterable(page.rejected for page in pages))
    _quarantine(session, scan.collection, rejected, at)
    scan, complete = _keep_progress(session, scan, pages, {record.id for record in records}, before.scan)
    cursor = _settle(session, scan, before.cursor, at)
    if closed := scan.finished and complete:
        close(session, scan)
    return Committed(
        scan=scan,
        cursor=cursor,
        closed=closed,
        created=len(steps.created),
        updated=len(steps.updated) + len(steps.returned),
        unchanged=steps.unchanged,
        rejected=len(rejected),
        changed_at=[row.updated_at or "" for row in chain(steps.created, steps.updated, steps.returned)],
    )


def asked_cursor(collection: str) -> Asked:
    return "mirror.read_cursor", (collection,)


def cursor_of(collection: str, rows: Sequence[Row]) -> Cursor:
    return to_cursor(rows[0]) if rows else Cursor(collection)


def read_cursor(session: Session, collection: str) -> Cursor:
    return cursor_of(collection, session.rows(*asked_cursor(collection)))


def _read_before(session: Session, scan: Scan, records: Sequence[Record]) -> _Before:
    ids = json.dumps([record.id for record in records])
    known, scans, cursors = session.each(
        ("mirror.known_records", (scan.collection, ids)),
        ("mirror.find_scan", (scan.collection, scan.kind)),
        asked_cursor(scan.collection),
    )
    return _Before(
        {id_: Known(version, bool(wanted), bool(vanished)) for id_, version, wanted, vanished in known},
        (scans[0]["number"], scans[0]["distinct"]) if scans else None,
        cursor_of(scan.collection, cursors),
    )


def _keep_progress(
    session: Session, scan: Scan, pages: Sequence[Page], ids: AbstractSet[int], found: tuple[int, int] | None
) -> tuple[Scan, bool]:
    """Returns the scan after the pages, and whether it has so far missed no record of the mirror.

    A scan that begins and ends with these pages stores nothing: most lists have one page.
    """
    if scan.next_page == 1 and pages[-1].is_last:
        at_once = advance(scan, pages, len(ids))
        if not _misses(session, at_once, ids):
            return at_once, True
    number, distinct = _take_up(session, scan, found)
    distinct += session.run("mirror.see_rows", (number, json.dumps(list(ids))))
    scan = advance(scan, pages, distinct)
    session.put("mirror.save_scan", cells(scan))
    missed = scan.kind == "whole" and scan.finished and session.rows("mirror.missing_records", cells(scan))
    return scan, not missed


def _misses(session: Session, scan: Scan, ids: AbstractSet[int]) -> bool:
    """Returns whether a whole scan that listed exactly these ids missed a record."""
    values = {"collection": scan.collection, "started_at": scan.started_at, "ids": json.dumps(list(ids))}
    return scan.kind == "whole" and session.row("mirror.first_missing", values) is not None


def _take_up(session: Session, scan: Scan, found: tuple[int, int] | None) -> tuple[int, int]:
    """Returns the scan's number and how many distinct ids it has seen. Page 1 restarts it.

    A scan that resumes in the middle, but is unknown to the store, counts from zero and can never prove complete.
    """
    if scan.next_page == 1:
        session.put("mirror.forget_scan", (scan.collection, scan.kind))
    elif found is not None:
        return found
    [begun] = session.rows("mirror.begin_scan", cells(scan))
    return begun["number"], 0


def _write_records(session: Session, collection: str, steps: Plan, at: float) -> None:
    changed = [*steps.updated, *steps.returned]
    written = [row.id for row in chain(steps.created, changed)]
    if not written:
        return
    with counted_anew(session, collection, written, fresh=not changed):
        session.put_many("mirror.create_record", rows_to_create(steps.created, collection, at))
        session.put_many("mirror.update_record", rows_to_update(changed, collection, at))
    session.put_many("mirror.retry_now", [(collection, str(row.id)) for row in changed])
    kinds = (("created", steps.created), ("updated", steps.updated), ("returned", steps.returned))
    session.put_many(
        "mirror.log_change", [(collection, row.id, kind, row.version, at) for kind, rows in kinds for row in rows]
    )


def _quarantine(session: Session, collection: str, rejected: Iterable[Rejected], at: float) -> None:
    rows = [
        {
            "collection": collection,
            "stage": Stage.RECORD,
            "attempts": 1,
            "since": at,
            "retry_at": None,
            "key": row.key,
            "reason": row.reason,
            "raw": row.raw,
            "absent": False,
        }
        for row in rejected
    ]
    session.put_many("mirror.quarantine", rows)


def _settle(session: Session, scan: Scan, cursor: Cursor, at: float) -> Cursor:
    if scan.finished:
        cursor = settle(scan, cursor, at)
        session.put("mirror.save_cursor", cells(cursor))
        session.put("mirror.release", (scan.collection, Stage.SCAN, scan.collection))
    return cursor


def close(session: Session, scan: Scan) -> None:
    """Ends the scan, inside a transaction."""
    if scan.kind == "whole":
        session.put("mirror.release", (scan.collection, Stage.CENSUS, scan.collection))
        if scan.finished:
            # A row that could not be read is still so only if this scan met it again.
            session.put("mirror.release_unseen", (scan.collection, Stage.RECORD, scan.started_at))
    session.put("mirror.forget_scan", (scan.collection, scan.kind))


def missing(session: Session, scan: Scan) -> tuple[Sequence[Missing], int]:
    """Implements `Mirror.missing`, which has the contract."""
    rows = session.rows("mirror.missing_records", cells(scan))
    by_idn = COLLECTIONS[scan.collection].key == "idn"
    # A detail by a shared idn answers for another row.
    found = [
        Missing(row["id"], row["id"] if not by_idn else None if row["shares_idn"] else row["idn"]) for row in rows
    ]
    return found, session.value("mirror.count_live", (scan.collection,))
