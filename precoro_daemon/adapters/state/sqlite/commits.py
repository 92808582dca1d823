"""one commit of list pages: records, change rows, pass progress and cursor"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain

from precoro_daemon.adapters.state.sqlite.rows import record_cells, to_cursor
from precoro_daemon.adapters.state.sqlite.statements import SQL
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.changes import Known, Plan, plan
from precoro_daemon.mirror.rules.cursors import Cursor, Page, Scan, advance, settle
from precoro_daemon.mirror.rules.documents import Record, Rejected
from precoro_daemon.mirror.rules.quarantine import Stage


def commit_pages(connection: sqlite3.Connection, scan: Scan, pages: Sequence[Page]) -> Committed:
    """Runs inside a transaction."""
    at = _time_of(scan, pages)
    number, distinct = _take_up(connection, scan)
    records = list(chain.from_iterable(page.records for page in pages))
    steps = _write_records(connection, scan.collection, records, at)
    distinct += _see(connection, number, records)
    rejected = list(chain.from_iterable(page.rejected for page in pages))
    _keep_aside(connection, scan.collection, rejected, at)
    scan = advance(scan, pages, distinct)
    connection.execute(SQL["save_pass"], asdict(scan))
    return Committed(
        scan=scan,
        cursor=_settle(connection, scan, at),
        created=len(steps.created),
        updated=len(steps.updated) + len(steps.returned),
        unchanged=steps.unchanged,
        rejected=len(rejected),
    )


def read_cursor(connection: sqlite3.Connection, collection: str) -> Cursor:
    row = connection.execute(SQL["read_cursor"], (collection,)).fetchone()
    return Cursor(collection) if row is None else to_cursor(row)


def _time_of(scan: Scan, pages: Sequence[Page]) -> float:
    """By the server's clock; our own only if the server never tells its time."""
    told = [page.server_time for page in pages if page.server_time is not None]
    if told:
        return told[-1]
    return time.time() if scan.started_at is None else scan.started_at


def _take_up(connection: sqlite3.Connection, scan: Scan) -> tuple[int, int]:
    """The number of the pass and the distinct ids it has seen. Page 1 begins it anew.

    A pass that is taken up in the middle though the store has forgotten it counts from nothing: it can then never
    prove complete.
    """
    if scan.next_page == 1:
        connection.execute(SQL["forget_pass"], (scan.collection, scan.kind))
    found = connection.execute(SQL["find_pass"], (scan.collection, scan.kind)).fetchone()
    if found is not None:
        return found["number"], found["distinct"]
    [begun] = connection.execute(SQL["begin_pass"], asdict(scan)).fetchall()
    return begun["number"], 0


def _write_records(connection: sqlite3.Connection, collection: str, records: Sequence[Record], at: float) -> Plan:
    steps = plan(records, _known(connection, collection, records))
    changed = [*steps.updated, *steps.returned]
    connection.executemany(
        SQL["create_record"], [(*record_cells(row, at), collection, row.id, at) for row in steps.created]
    )
    connection.executemany(SQL["update_record"], [(*record_cells(row, at), collection, row.id) for row in changed])
    connection.executemany(SQL["retry_now"], [(collection, str(row.id)) for row in changed])
    for kind, rows in (("created", steps.created), ("updated", steps.updated), ("returned", steps.returned)):
        connection.executemany(SQL["log_change"], [(collection, row.id, kind, row.version, at) for row in rows])
    return steps


def _known(connection: sqlite3.Connection, collection: str, records: Sequence[Record]) -> dict[int, Known]:
    ids = json.dumps([record.id for record in records])
    rows = connection.execute(SQL["known_records"], (collection, ids))
    return {id_: Known(version, bool(wanted), bool(vanished)) for id_, version, wanted, vanished in rows}


def _see(connection: sqlite3.Connection, number: int, records: Sequence[Record]) -> int:
    """How many of the records the pass had not seen before."""
    return connection.executemany(SQL["see_row"], [(number, record.id) for record in records]).rowcount


def _keep_aside(connection: sqlite3.Connection, collection: str, rejected: Iterable[Rejected], at: float) -> None:
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
    connection.executemany(SQL["set_aside"], rows)


def _settle(connection: sqlite3.Connection, scan: Scan, at: float) -> Cursor:
    cursor = read_cursor(connection, scan.collection)
    if not scan.finished:
        return cursor
    cursor = settle(scan, cursor, at)
    connection.execute(SQL["save_cursor"], asdict(cursor))
    connection.execute(SQL["clear_aside"], (scan.collection, Stage.SCAN, scan.collection))
    if scan.kind == "changes":
        connection.execute(SQL["forget_pass"], (scan.collection, scan.kind))
    return cursor
