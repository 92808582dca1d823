"""what the store holds and what is due, for people; read beside the one writer"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.attachments import FileState, read_files
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
from precoro_daemon.catalogue.ports import PlanState
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.files.ports import WantedFiles
from precoro_daemon.mirror.ports.deliveries import DeliveryCounts
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.cursors import Cursor, Scan
from precoro_daemon.payments.ports.journal import Switch
from precoro_daemon.quota.budget import Lane
from precoro_daemon.runtime.ports import LapTimes

_ITEMS = 20
"""Of the things set aside that are shown."""

_STEPS = 100_000
"""Of SQLite's virtual machine: some milliseconds."""


@dataclass(frozen=True, slots=True)
class CollectionState:
    """Rows of a collection by what they are, and how far its passes got.

    live      rows Precoro still has; wanted: those of them that the user's filter keeps; vanished: the others
    detailed  wanted rows whose detail is up to date; due: those whose detail is missing or old
    """

    cursor: Cursor
    passes: Sequence[Scan] = ()
    live: int = 0
    wanted: int = 0
    vanished: int = 0
    detailed: int = 0
    due: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """collections by name · aside: the newest items, and how many per collection and stage · calls and closed
    windows as the budget book has them · attached files · payments: by direction and state, how many and the time of
    the oldest · items: plans that are under way · webhooks · the last lap of each job · which lane made which call,
    where that was noted · switch: whether payments may be sent · by ledger, misread: rows of the books that cannot be
    read; unmet: payments that meet no invoice that can be paid"""

    collections: Mapping[str, CollectionState]
    aside: Sequence[Quarantined]
    quarantined_counts: Mapping[tuple[str, str], int]
    calls: Sequence[tuple[float, bytes]]
    closed: Mapping[str, float]
    files: FileState
    payments: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    items: Sequence[PlanState] = ()
    deliveries: DeliveryCounts = field(default_factory=DeliveryCounts)
    laps: Mapping[str, LapTimes] = field(default_factory=dict)
    lanes: Sequence[tuple[float, Lane]] = ()
    refusals: Mapping[str, float] = field(default_factory=dict)
    switch: Switch = field(default_factory=lambda: Switch(armed=False))
    unreadable: Mapping[str, int] = field(default_factory=dict)
    unmatched: Mapping[str, int] = field(default_factory=dict)


def read_overview(
    path: Path,
    *,
    identity: str,
    since: float,
    files: WantedFiles,
    now: float = 0.0,
    unwanted: Callable[[], bool] = lambda: False,
) -> Overview:
    """One consistent look at the store. Blocking.

    since  calls at or after this time; files: which are wanted; now: by which changes of the last day are told from
    older ones; unwanted: asked now and then, True ends it at once.
    Raises StoreUnusable.
    """
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
            aside=[to_quarantined(row) for row in connection.execute(SQL["latest_aside"], (_ITEMS,))],
            quarantined_counts={
                (row["collection"], row["stage"]): row["items"] for row in connection.execute(SQL["count_aside"])
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
    return {row["ledger"]: row["claims"] for row in connection.execute(SQL[statement])}


def _collections(connection: sqlite3.Connection) -> dict[str, CollectionState]:
    counts = {row["collection"]: dict(row) for row in connection.execute(SQL["count_records"])}
    cursors = {row["collection"]: to_cursor(row) for row in connection.execute(SQL["all_cursors"])}
    passes = [to_scan(row) for row in connection.execute(SQL["all_passes"])]
    names = sorted({*counts, *cursors, *(scan.collection for scan in passes)})
    return {
        name: CollectionState(
            cursor=cursors.get(name, Cursor(name)),
            passes=tuple(scan for scan in passes if scan.collection == name),
            **{key: value for key, value in counts.get(name, {}).items() if key != "collection"},
        )
        for name in names
    }
