"""details in SQL: which are due, and what storing one changes"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from precoro_daemon.adapters.state.record_counts import counted_anew
from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.mirror.ports.mirror import Age, Due, Known, Quarantined
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.values.json_reading import utc_text

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Session
    from precoro_daemon.mirror.ports.precoro import Detail

_OUTDATED = b""
"""A version that no record has. It is not NULL, which means that there never was a detail."""


def due(
    session: Session,
    collections: Sequence[str],
    with_attachments: Sequence[str],
    *,
    before: float,
    limit: int,
    age: Age | None,
) -> Sequence[Due]:
    """Returns the due details. Each collection is queried separately, so that the index of due details is used."""
    ages = _age(session, age)
    asked = [(name, False) for name in collections] + [(name, True) for name in with_attachments]
    found = (
        session.rows(
            "mirror.due_details",
            {"collection": name, "with_attachments_only": only, "before": before, "limit": limit} | ages,
        )
        for name, only in asked
    )
    rows = sorted(chain.from_iterable(found), key=lambda row: row["updated_at"] or "", reverse=True)
    return [
        Due(
            row["collection"],
            row["id"],
            row["idn"],
            row["version"],
            attempts=row["attempts"],
            absent=bool(row["absent"]),
        )
        for row in rows[:limit]
    ]


def count_due(
    session: Session,
    collections: Sequence[str],
    with_attachments: Sequence[str],
    before: float,
    age: Age | None,
) -> Mapping[str, int]:
    ages = _age(session, age)

    def count(statement: str, collection: str) -> int:
        return int(session.value(statement, {"collection": collection, "before": before} | ages))

    counts = {name: count("mirror.count_due", name) for name in collections}
    return counts | {name: count("mirror.count_due_with_attachments", name) for name in with_attachments}


def _age(session: Session, age: Age | None) -> dict[str, object]:
    """Returns the bounds of an age. `updated_at` is text that sorts by time. Changes before the mirror began are
    back-fill.
    """
    if age is None:
        return {"recent": None, "since": None}
    first = session.row("mirror.first_seen")
    since = max(age.since, first["first_seen_at"]) if first else age.since
    return {"recent": age.recent, "since": utc_text(datetime.fromtimestamp(since, UTC).isoformat())}


def known(session: Session, collection: str, ids: Collection[int]) -> Sequence[Known]:
    rows = session.rows("mirror.known_with_details", {"collection": collection, "ids": json.dumps(list(ids))})
    return [
        Known(
            Due(collection, row["id"], row["idn"], row["version"], attempts=row["attempts"] or 0),
            row["fetched_at"] if row["good"] else None,
            row["retry_at"],
        )
        for row in rows
    ]


def save(session: Session, due: Due, detail: Detail, at: float) -> None:
    """Saves a detail, inside a transaction."""
    target = _target(session, due, detail)
    stored = {"collection": due.collection, "id": target, "raw": detail.raw, "at": at, "kind": "detailed"}
    answered = _addressed(due) | {"version": due.version, "at": at}
    judged = due.id if detail.id is None else detail.id
    session.put("mirror.save_detail", stored)
    with counted_anew(session, due.collection, {due.id, judged}, answered["idn"]):
        session.put("mirror.answer_detail", answered)
        if not detail.wanted:
            session.put("mirror.unwant_record", (due.collection, judged))
    session.put("mirror.log_change_of_record", stored)
    session.put("mirror.release_answered", answered)


def _addressed(due: Due) -> dict[str, object]:
    """Returns the rows that an answer is about. An idn without a record says nothing about other rows that share
    it.
    """
    idn = due.idn if COLLECTIONS[due.collection].key == "idn" else None
    return {"collection": due.collection, "id": due.id, "idn": idn}


def mark_gone(session: Session, due: Due, at: float) -> None:
    """Marks the detail as gone, inside a transaction."""
    for (id_,) in session.rows("mirror.find_addressed", _addressed(due)):
        vanish(session, due.collection, id_, at)


def quarantine(session: Session, due: Due, item: Quarantined, *, stale: bool) -> None:
    """Quarantines the detail, inside a transaction. Rows that share an idn are quarantined together."""
    found = {id_ for (id_,) in session.rows("mirror.find_addressed", _addressed(due))}
    rows = [cells(item) | {"key": str(id_)} for id_ in sorted(found | {due.id})]
    session.put_many("mirror.quarantine", rows)
    if stale:
        with counted_anew(session, due.collection, [due.id]):
            session.put("mirror.outdate_detail", (_OUTDATED, due.collection, due.id))


def vanish(
    session: Session, collection: str, id_: int, at: float, *, unless_changed_since: float | None = None
) -> None:
    """Marks a record as vanished, inside a transaction."""
    row = {"collection": collection, "id": id_, "at": at, "kind": "vanished", "since": unless_changed_since}
    with counted_anew(session, collection, [id_]):
        is_marked = session.run("mirror.mark_vanished", row)
    if is_marked:
        session.put("mirror.log_change_of_record", row)
        session.put("mirror.release", (collection, Stage.DETAIL, str(id_)))
        session.put("mirror.release_files", row)


def _target(session: Session, due: Due, detail: Detail) -> int:
    """Returns the id of the record in the answer, which may be another row with the same idn."""
    if detail.id is None:
        return due.id
    found = session.row("mirror.find_live", (due.collection, detail.id))
    return due.id if found is None else detail.id
