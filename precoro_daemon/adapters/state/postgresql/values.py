"""statements, values and rows as psycopg takes and gives them"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection, Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from precoro_daemon.adapters.state.session import Values
from precoro_daemon.adapters.state.statements import Statements

_NAMED = re.compile(r"(?<![:\w]):([a-z_][a-z_0-9]*)")
IDN = frozenset({"idn", "invoice_idn", "remote_idn"})
_IDN_FIRST = frozenset({"mirror.create_record", "mirror.update_record"})
"""Statements by position whose first value is an idn."""

_TEXT_OID = 25
_AS_THEY_ARE = frozenset({int, float, bool})
_PLACE_OF_ROWS = b"%(rows)s"
_POSITIONS = tuple(map(str, range(100)))
"""Names of the columns of a row that is written as JSON."""


def _translated(text: str) -> str:
    """Placeholders as psycopg has them."""
    text = text.rstrip(";\n ").replace("%", "%%")
    return _NAMED.sub(r"%(\1)s", text).replace("?", "%s")


POSTGRES_STATEMENTS: Mapping[str, str] = {
    name: _translated(text) for name, text in Statements(Path(__file__).with_name("own.sql")).read_all().items()
}


def cells(statement: str, values: Values) -> Values:
    """An idn as its JSON text, and nothing that PostgreSQL cannot keep."""
    if isinstance(values, Mapping):
        return {name: as_idn(value) if name in IDN else _cell(value) for name, value in values.items()}
    if statement in _IDN_FIRST:
        return (as_idn(values[0]), *map(_cell, values[1:]))
    return tuple(map(_cell, values))


def as_idn(value: object) -> str | None:
    if type(value) is int:
        return str(value)  # as nearly all of them are
    return None if value is None else json.dumps(value)


def _cell(value: Any) -> Any:
    """U+0000 cannot stand in a text of PostgreSQL. Members of enumerations are what they are made of; a view is of
    a text's UTF-8."""
    if isinstance(value, memoryview):
        value = str(value, "utf-8")
    if isinstance(value, str):
        text = str.__str__(value)
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return int(value) if isinstance(value, int) and type(value) not in (int, bool) else value


def as_json(statement: str, rows: Iterable[Values]) -> bytes:
    """Rows by position as one JSON text: objects whose keys are the positions."""
    idn_first = statement in _IDN_FIRST
    objects = []
    for row in rows:
        made = dict(zip(_POSITIONS, map(_json_cell, row), strict=False))
        if idn_first:
            assert not isinstance(row, Mapping), "its statement has places, not names"
            made["0"] = as_idn(row[0])
        objects.append(made)
    return msgspec.json.encode(objects)


def with_rows(text: str, rows: bytes) -> bytes:
    """A statement with rows as JSON in their place. Between dollar signs nothing of them is changed: hundreds of KB
    are not searched for quotes one by one."""
    quote = next(mark for mark in map(b"$rows%d$".__mod__, count()) if mark not in rows)
    before, after = text.replace("%%", "%").encode().split(_PLACE_OF_ROWS)
    return b"".join((before, quote, rows, quote, after))


def _json_cell(value: Any) -> Any:
    """As `_cell`; bytes as PostgreSQL reads them from a text. The plain kinds first: each page has thousands."""
    kind = type(value)
    if kind is str:
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if kind is bytes:
        return f"\\x{value.hex()}"
    return value if value is None or kind in _AS_THEY_ARE else _cell(value)


class Cells(tuple[Any, ...]):
    """Implements `Row`: a tuple that also goes by the names of its columns."""

    __slots__ = ()
    indices: Mapping[str, int]

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.indices[key] if isinstance(key, str) else key)

    def keys(self) -> Sequence[str]:
        return list(self.indices)


@lru_cache(maxsize=500)
def _cells_of(names: tuple[str, ...]) -> type[Cells]:
    return type("Cells", (Cells,), {"__slots__": (), "indices": {name: at for at, name in enumerate(names)}})


def row_factory(cursor: Cursor[Any]) -> Any:
    """psycopg's name for it. An idn becomes what it was."""
    columns = cursor.description or ()
    kind = _cells_of(tuple(column.name for column in columns))
    idns = [at for at, column in enumerate(columns) if column.name in IDN and column.type_code == _TEXT_OID]
    if not idns:
        return kind

    def make(values: Sequence[Any]) -> Cells:
        found = list(values)
        for at in idns:
            if found[at] is not None:
                found[at] = json.loads(found[at])
        return kind(found)

    return make


class _NumberLoader(Loader):
    """Sums of whole numbers are numeric."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text else int(text)


def prepare(connection: Connection[Any]) -> None:
    connection.adapters.register_loader("numeric", _NumberLoader)
