"""The mirror held against the truth, row by row, with every digit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.sandbox import Sandbox
from tests.contracts.counting import miscounted

Json = Mapping[str, Any]
Wanted = Callable[[str, Json], bool]
"""Does the user's filter keep this document of this collection? It is given the detail where there is one."""


@dataclass(frozen=True)
class Truth:
    """What Precoro has of one collection: its rows as listed, and its details by the id they carry."""

    rows: Mapping[int, Json]
    details: Mapping[int, Json] = field(default_factory=dict)


def exact(text: str | bytes) -> Any:
    """JSON with its fractions kept as they are written: 12.50 is neither 12.5 nor "12.50"."""
    return json.loads(text, parse_float=lambda digits: ("number", digits))


def truth_of(sandbox: Sandbox, name: str, *, details: bool = True) -> Truth:
    told = exact(sandbox.company.truth(COLLECTIONS[name].path.removeprefix("/"), details=details))
    return Truth({row["id"]: row for row in told["list"]}, {one["id"]: one for one in told["details"].values()})


def keeps_everything(_name: str, _document: Json) -> bool:
    return True


def differences(
    database: Path, truths: Mapping[str, Truth], *, wanted: Wanted = keeps_everything, counted: bool = True
) -> list[str]:
    """What a user would find wrong in the views, one line each.

    counted  a census was taken, so that what was deleted must be marked
    """
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return miscounted(connection.execute) + [
            f"{name}: {line}"
            for name, truth in truths.items()
            for line in _differences(connection, name, truth, wanted, counted)
        ]


_VIEWS = {"invoices": "invoices_and_credit_notes"}


def _differences(
    connection: sqlite3.Connection, name: str, truth: Truth, wanted: Wanted, counted: bool
) -> Iterator[str]:
    view = connection.execute(f"SELECT * FROM {_VIEWS.get(name, name)}").fetchall()
    shown = {row["id"]: row for row in view if row["vanished_at"] is None}
    if len({row["id"] for row in view}) != len(view):
        yield "a row is there twice"
    kept = {id_ for id_, row in truth.rows.items() if wanted(name, truth.details.get(id_, row))}
    yield from (f"{id_} is missing" for id_ in kept - shown.keys())
    yield from (f"{id_} shows though the filter does not keep it" for id_ in shown.keys() & truth.rows.keys() - kept)
    if counted:
        yield from (f"{id_} was deleted and is not marked" for id_ in shown.keys() - truth.rows.keys())
    for id_ in kept & shown.keys():
        yield from _row_differences(shown[id_], truth.rows[id_], truth.details.get(id_))


def _row_differences(row: sqlite3.Row, listed: Json, detail: Json | None) -> Iterator[str]:
    if exact(row["data"]) != listed:
        yield f"{row['id']} is not as listed: {row['data']} instead of {listed}"
    if detail is not None and (row["detail"] is None or exact(row["detail"]) != detail):
        yield f"{row['id']} has not its present detail: {row['detail']} instead of {detail}"
    for column, value in _columns(listed).items():
        if row[column] != value:
            yield f"{row['id']} has {column} {row[column]!r} instead of {value!r}"


def _columns(listed: Json) -> dict[str, Any]:
    return {
        "idn": int(listed["idn"]) if "idn" in listed else None,
        "status": listed.get("status"),
        "external_id": listed.get("externalId"),
    }
