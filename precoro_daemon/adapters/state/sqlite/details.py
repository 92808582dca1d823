"""details on SQLite: which are due, and what storing one settles"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain

from precoro_daemon.adapters.state.sqlite.statements import SQL
from precoro_daemon.mirror.ports.mirror import Age, Due, Known, Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.values.json_reading import utc_text


def due(
    connection: sqlite3.Connection,
    collections: Sequence[str],
    carriers: Sequence[str],
    *,
    before: float,
    limit: int,
    age: Age | None,
) -> Sequence[Due]:
    """Asked collection by collection, so that each is read off the index of what is due."""
    ages = _age(connection, age)
    asked = [(name, False) for name in collections] + [(name, True) for name in carriers]
    found = (
        connection.execute(
            SQL["due_details"],
            {"collection": name, "carriers_only": only, "before": before, "limit": limit} | ages,
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
    connection: sqlite3.Connection,
    collections: Sequence[str],
    carriers: Sequence[str],
    before: float,
    age: Age | None,
) -> Mapping[str, int]:
    ages = _age(connection, age)

    def count(statement: str, collection: str) -> int:
        values = {"collection": collection, "before": before} | ages
        (number,) = connection.execute(SQL[statement], values).fetchone()
        return int(number)

    counts = {collection: count("count_due", collection) for collection in collections}
    return counts | {collection: count("count_due_carriers", collection) for collection in carriers}


def _age(connection: sqlite3.Connection, age: Age | None) -> dict[str, object]:
    """`updated_at` is text that sorts as time does. What changed before the mirror began is back-fill."""
    if age is None:
        return {"recent": None, "since": None}
    first = connection.execute(SQL["first_seen"]).fetchone()
    since = max(age.since, first["first_seen_at"]) if first else age.since
    return {"recent": age.recent, "since": utc_text(datetime.fromtimestamp(since, UTC).isoformat())}


def known(connection: sqlite3.Connection, collection: str, ids: Collection[int]) -> Sequence[Known]:
    rows = connection.execute(SQL["known_with_details"], {"collection": collection, "ids": json.dumps(list(ids))})
    return [
        Known(
            Due(collection, row["id"], row["idn"], row["version"], attempts=row["attempts"] or 0),
            row["fetched_at"] if row["good"] else None,
            row["retry_at"],
        )
        for row in rows
    ]


def save(connection: sqlite3.Connection, due: Due, detail: Detail, at: float) -> None:
    """Runs inside a transaction."""
    target = _target(connection, due, detail)
    stored = {"collection": due.collection, "id": target, "raw": detail.raw, "at": at, "kind": "detailed"}
    answered = _addressed(due) | {"version": due.version, "at": at}
    connection.execute(SQL["save_detail"], stored)
    connection.execute(SQL["answer_detail"], answered)
    if not detail.wanted:
        judged = due.id if detail.id is None else detail.id
        connection.execute(SQL["unwant_record"], (due.collection, judged))
    connection.execute(SQL["log_change_of_record"], stored)
    connection.execute(SQL["clear_answered"], answered)


def _addressed(due: Due) -> dict[str, object]:
    """The rows that an answer is about. An idn that addresses nothing says nothing of other rows that share it."""
    idn = due.idn if COLLECTIONS[due.collection].key == "idn" else None
    return {"collection": due.collection, "id": due.id, "idn": idn}


def mark_gone(connection: sqlite3.Connection, due: Due, at: float) -> None:
    """Runs inside a transaction."""
    rows = connection.execute(SQL["find_addressed"], _addressed(due))
    for (id_,) in rows.fetchall():
        vanish(connection, due.collection, id_, at)


def quarantine(connection: sqlite3.Connection, due: Due, item: Quarantined, *, stale: bool) -> None:
    """Runs inside a transaction. Rows that share an idn share what becomes of it."""
    found = {id_ for (id_,) in connection.execute(SQL["find_addressed"], _addressed(due))}
    rows = [asdict(item) | {"key": str(id_)} for id_ in sorted(found | {due.id})]
    connection.executemany(SQL["set_aside"], rows)
    if stale:
        connection.execute(SQL["outdate_detail"], (due.collection, due.id))


def vanish(connection: sqlite3.Connection, collection: str, id_: int, at: float) -> None:
    """Runs inside a transaction."""
    row = {"collection": collection, "id": id_, "at": at, "kind": "vanished"}
    if connection.execute(SQL["mark_vanished"], row).rowcount:
        connection.execute(SQL["log_change_of_record"], row)
        connection.execute(SQL["clear_aside"], (collection, Stage.DETAIL, str(id_)))
        connection.execute(SQL["clear_files_aside"], row)


def _target(connection: sqlite3.Connection, due: Due, detail: Detail) -> int:
    """An idn may be shared: the answer is then about the row whose id it carries."""
    if detail.id is None:
        return due.id
    found = connection.execute(SQL["find_live"], (due.collection, detail.id)).fetchone()
    return due.id if found is None else detail.id
