"""what the store holds and what is due, for people; read beside the one writer"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.attachments import read_files
from precoro_daemon.adapters.state.sqlite.budget_book import read_calls, read_closed, read_lanes
from precoro_daemon.adapters.state.sqlite.catalogue import plans_under_way
from precoro_daemon.adapters.state.sqlite.deliveries import read_counts
from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.adapters.state.sqlite.journal import JOURNAL, read_switch
from precoro_daemon.adapters.state.sqlite.lap_book import read_laps
from precoro_daemon.adapters.state.sqlite.opening import is_current, open_read_only
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.sqlite.rows import to_cursor, to_quarantined, to_scan
from precoro_daemon.adapters.state.sqlite.statements import SQL
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.mirror.rules.cursors import Cursor
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.status.reading import CollectionState, Overview

_ITEMS = 20
"""Of the things set aside that are shown."""

_STEPS = 100_000
"""Of SQLite's virtual machine: some milliseconds."""


def read_overview(
    path: Path,
    *,
    identity: str,
    since: float,
    files: WantedFiles,
    now: float = 0.0,
    unwanted: Callable[[], bool] = lambda: False,
) -> Overview:
    """Implements `StateReader` for the state at `path`."""
    with explained(path), closing(open_read_only(path, identity)) as connection:
        if not is_current(connection):
            raise StoreUnusable(
                f"The state {path.resolve()} was written by an older version of this program. "
                "The next run (--once or run) brings it up to date; then it can be looked at."
            )
        connection.set_progress_handler(unwanted, _STEPS)
        connection.execute("BEGIN")
        return Overview(
            collections=_collections(connection),
            quarantined=[to_quarantined(row) for row in connection.execute(SQL["latest_aside"], (_ITEMS,))],
            quarantined_counts={
                (row["collection"], Stage(row["stage"])): row["items"]
                for row in connection.execute(SQL["count_aside"])
            },
            calls=read_calls(connection, since),
            closed=read_closed(connection),
            files=read_files(connection, files),
            payments=_payments(connection),
            items=plans_under_way(connection),
            deliveries=read_counts(connection, now),
            laps=read_laps(connection),
            refusals={row["fingerprint"]: row["at"] for row in connection.execute(SQL["read_refusals"])},
            lanes=read_lanes(connection, since),
            switch=read_switch(connection, RestoreGuard(path)),
            unreadable=_by_ledger(connection, "count_misread"),
            unmatched=_by_ledger(connection, "count_unmet"),
        )


def _payments(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[int, float]]:
    rows = connection.execute(JOURNAL["count_intents"])
    return {(row["direction"], row["state"]): (row["intents"], row["oldest"]) for row in rows}


def _by_ledger(connection: sqlite3.Connection, statement: str) -> dict[str, int]:
    return {row["ledger"]: row["payments"] for row in connection.execute(SQL[statement])}


def _collections(connection: sqlite3.Connection) -> dict[str, CollectionState]:
    counts = {row["collection"]: dict(row) for row in connection.execute(SQL["count_records"])}
    cursors = {row["collection"]: to_cursor(row) for row in connection.execute(SQL["all_cursors"])}
    scans = [to_scan(row) for row in connection.execute(SQL["all_passes"])]
    names = sorted({*counts, *cursors, *(scan.collection for scan in scans)})
    return {
        name: CollectionState(
            cursor=cursors.get(name, Cursor(name)),
            scans=tuple(scan for scan in scans if scan.collection == name),
            **{key: value for key, value in counts.get(name, {}).items() if key != "collection"},
        )
        for name in names
    }
