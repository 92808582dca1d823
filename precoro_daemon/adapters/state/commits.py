"""one commit of list pages: records, change rows, scan progress and cursor"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain

from precoro_daemon.adapters.state.rows import record_cells, to_cursor
from precoro_daemon.adapters.state.session import Session
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.changes import Known, Plan, plan
from precoro_daemon.mirror.rules.cursors import Cursor, Page, Scan, advance, server_time, settle
from precoro_daemon.mirror.rules.documents import Record, Rejected
from precoro_daemon.mirror.rules.quarantine import Stage


def commit_pages(session: Session, scan: Scan, pages: Sequence[Page]) -> Committed:
    """Runs inside a transaction."""
    by_server = server_time(scan, pages)
    at = time.time() if by_server is None else by_server
    number, distinct = _take_up(session, scan)
    records = list(chain.from_iterable(page.records for page in pages))
    steps = _write_records(session, scan.collection, records, at)
    distinct += _see(session, number, records)
    rejected = list(chain.from_iterable(page.rejected for page in pages))
    _quarantine(session, scan.collection, rejected, at)
    scan = advance(scan, pages, distinct)
    session.run("mirror.save_scan", asdict(scan))
    return Committed(
        scan=scan,
        cursor=_settle(session, scan, at),
        created=len(steps.created),
        updated=len(steps.updated) + len(steps.returned),
        unchanged=steps.unchanged,
        rejected=len(rejected),
        changed_at=[row.updated_at or "" for row in chain(steps.created, steps.updated, steps.returned)],
    )


def read_cursor(session: Session, collection: str) -> Cursor:
    row = session.row("mirror.read_cursor", (collection,))
    return Cursor(collection) if row is None else to_cursor(row)


def _take_up(session: Session, scan: Scan) -> tuple[int, int]:
    """The number of the scan and the distinct ids it has seen. Page 1 begins it anew.

    A scan that is taken up in the middle though the store has forgotten it counts from nothing: it can then never
    prove complete.
    """
    if scan.next_page == 1:
        session.run("mirror.forget_scan", (scan.collection, scan.kind))
    found = session.row("mirror.find_scan", (scan.collection, scan.kind))
    if found is not None:
        return found["number"], found["distinct"]
    [begun] = session.rows("mirror.begin_scan", asdict(scan))
    return begun["number"], 0


def _write_records(session: Session, collection: str, records: Sequence[Record], at: float) -> Plan:
    steps = plan(records, _known(session, collection, records))
    changed = [*steps.updated, *steps.returned]
    session.run_many(
        "mirror.create_record", [(*record_cells(row, at), collection, row.id, at) for row in steps.created]
    )
    session.run_many("mirror.update_record", [(*record_cells(row, at), collection, row.id) for row in changed])
    session.run_many("mirror.retry_now", [(collection, str(row.id)) for row in changed])
    for kind, rows in (("created", steps.created), ("updated", steps.updated), ("returned", steps.returned)):
        session.run_many("mirror.log_change", [(collection, row.id, kind, row.version, at) for row in rows])
    return steps


def _known(session: Session, collection: str, records: Sequence[Record]) -> dict[int, Known]:
    ids = json.dumps([record.id for record in records])
    rows = session.rows("mirror.known_records", (collection, ids))
    return {id_: Known(version, bool(wanted), bool(vanished)) for id_, version, wanted, vanished in rows}


def _see(session: Session, number: int, records: Sequence[Record]) -> int:
    """How many of the records the scan had not seen before."""
    return session.run_many("mirror.see_row", [(number, record.id) for record in records])


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
    session.run_many("mirror.quarantine", rows)


def _settle(session: Session, scan: Scan, at: float) -> Cursor:
    cursor = read_cursor(session, scan.collection)
    if not scan.finished:
        return cursor
    cursor = settle(scan, cursor, at)
    session.run("mirror.save_cursor", asdict(cursor))
    session.run("mirror.release", (scan.collection, Stage.SCAN, scan.collection))
    if scan.kind == "changes":
        session.run("mirror.forget_scan", (scan.collection, scan.kind))
    return cursor
