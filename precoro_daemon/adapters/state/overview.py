"""what the state holds and what is due, for people"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from precoro_daemon.adapters.state.budget_book import read_calls, read_closed, read_lanes, read_lessons
from precoro_daemon.adapters.state.deliveries import read_counts
from precoro_daemon.adapters.state.details import count_due
from precoro_daemon.adapters.state.fact_book import read_facts
from precoro_daemon.adapters.state.file_rows import read_files
from precoro_daemon.adapters.state.freshness_book import read_hours
from precoro_daemon.adapters.state.lap_book import read_history, read_laps
from precoro_daemon.adapters.state.mirror_facts import count_quarantined, read_skew
from precoro_daemon.adapters.state.payment_switch import read_switch
from precoro_daemon.adapters.state.push_book import count_undelivered, read_stopped
from precoro_daemon.adapters.state.rows import to_cursor, to_quarantined, to_scan
from precoro_daemon.adapters.state.shape_book import read_shape_changes
from precoro_daemon.mirror.rules.cursors import Cursor
from precoro_daemon.status.history import HISTORY_SHOWN_S
from precoro_daemon.status.reading import CollectionState, Overview

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precoro_daemon.adapters.state.restore_guard import RestoreGuard
    from precoro_daemon.adapters.state.session import Session
    from precoro_daemon.catalogue.ports.plans import PlanState
    from precoro_daemon.files.ports.attachment_book import WantedFiles
    from precoro_daemon.mirror.ports.mirror import WantedDetails

_QUARANTINED_SHOWN = 20
"""The most quarantined things that are shown."""


def read_overview(
    session: Session,
    restore_guard: RestoreGuard,
    *,
    since: float,
    files: WantedFiles,
    details: WantedDetails,
    now: float,
) -> Overview:
    """Implements `State.overview`, which has the contract, inside a transaction."""
    undelivered = count_undelivered(session)
    return Overview(
        collections=_collections(session),
        quarantined=[
            to_quarantined(row) for row in session.rows("overview.latest_quarantined", (_QUARANTINED_SHOWN,))
        ],
        quarantined_counts=count_quarantined(session),
        calls=read_calls(session, since),
        closed=read_closed(session),
        lessons=read_lessons(session),
        files=read_files(session, files),
        payments=_payments(session),
        items=_items(session),
        deliveries=read_counts(session, now),
        laps=read_laps(session),
        history=read_history(session, now - HISTORY_SHOWN_S),
        refusals={row["fingerprint"]: row["at"] for row in session.rows("budget_book.read_refusals")},
        lanes=read_lanes(session, since),
        switch=read_switch(session, restore_guard),
        unreadable=_by_ledger(session, "overview.count_unreadable"),
        unreadable_since={row["ledger"]: row["oldest"] for row in session.rows("overview.count_unreadable")},
        unmatched=_by_ledger(session, "overview.count_unmatched"),
        watched=read_hours(session, 0.0),
        backlog=_backlog(session, details),
        skew=read_skew(session),
        shape_changes=read_shape_changes(session),
        facts=read_facts(session),
        exports={row["export"]: row["behind"] for row in session.rows("overview.exports_behind")},
        waiting_pushes=undelivered["waiting"],
        dead_letters=undelivered["dead"],
        gone=read_stopped(session),
    )


def _backlog(session: Session, details: WantedDetails) -> int:
    """Returns the number of details that the program will request, counted in its own way."""
    return sum(count_due(session, details.collections, details.with_attachments, before=inf, age=None).values())


def _items(session: Session) -> Sequence[PlanState]:
    rows = session.rows("catalogue.plans_under_way")
    if not rows:
        return ()
    from precoro_daemon.adapters.state.catalogue import counted  # noqa: PLC0415 - most companies have no plan

    return [counted(session, row) for row in rows]


def _payments(session: Session) -> dict[tuple[str, str], tuple[int, float]]:
    rows = session.rows("overview.count_intents")
    return {(row["direction"], row["state"]): (row["intents"], row["oldest"]) for row in rows}


def _by_ledger(session: Session, statement: str) -> dict[str, int]:
    return {row["ledger"]: row["payments"] for row in session.rows(statement)}


def _collections(session: Session) -> dict[str, CollectionState]:
    counts = _counts(session)
    cursors = {row["collection"]: to_cursor(row) for row in session.rows("overview.all_cursors")}
    scans = [to_scan(row) for row in session.rows("overview.all_scans")]
    names = sorted({*counts, *cursors, *(scan.collection for scan in scans)})
    return {
        name: CollectionState(
            cursor=cursors.get(name, Cursor(name)),
            scans=tuple(scan for scan in scans if scan.collection == name),
            **counts.get(name, {}),
        )
        for name in names
    }


def _counts(session: Session) -> dict[str, dict[str, int]]:
    """Returns the row counts of each collection by state. Rows that are neither left out nor due have their
    detail.
    """
    counts = {}
    for row in session.rows("overview.count_records"):
        live, due = row["records"] - row["vanished"], row["due"]
        wanted = live - row["unwanted"]
        counts[row["collection"]] = {
            "live": live,
            "wanted": wanted,
            "vanished": row["vanished"],
            "detailed": wanted - due,
            "due": due,
        }
    return counts
