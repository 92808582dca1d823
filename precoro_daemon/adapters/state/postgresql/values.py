"""statements, values and rows as psycopg takes and gives them"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
"""Statements by position whose first value is an idn, and which have a record's JSON at the place that follows."""
_DATA = 7

_TEXT_OID = 25
_PLACE_OF_ROWS = b"%(rows)s"


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


def as_json(statement: str, rows: Sequence[Values]) -> bytes:
    """Rows by position, one at least, as one JSON text: objects whose keys are the positions, bytes as base 64. What
    a list said of a record is JSON already, and stands in it as it is: PostgreSQL takes it out byte for byte."""
    row_of = _row_of(len(rows[0]))
    of_records = statement in _IDN_FIRST
    encoded = _encode([row_of(*(_record_cells(row) if of_records else row)) for row in rows])
    # One byte is found many times as fast as two, and two as a pattern.
    if b"\\" in encoded and b"\\u" in encoded and _NOT_TEXT.search(encoded):
        return _encode([row_of(*(_texts(row) if of_records else map(_cell, row))) for row in rows])
    return encoded


_encode = msgspec.json.Encoder().encode
_NOT_TEXT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""What PostgreSQL takes for no text, wherever it stands in a JSON: U+0000, and halves of characters."""


@lru_cache
def _row_of(cells: int) -> Callable[..., msgspec.Struct]:
    """Made and encoded several times as fast as a dictionary."""
    names = [f"at{place}" for place in range(cells)]
    rename = {name: name.removeprefix("at") for name in names}
    return msgspec.defstruct("Row", [(name, Any) for name in names], rename=rename, gc=False)


def _record_cells(row: Values) -> Iterable[Any]:
    assert not isinstance(row, Mapping), "its statement has places, not names"
    return (as_idn(row[0]), *row[1:_DATA], msgspec.Raw(row[_DATA]), *row[_DATA + 1 :])


def _texts(row: Values) -> Iterable[Any]:
    assert not isinstance(row, Mapping), "as above"
    return (as_idn(row[0]), *map(_cell, row[1:]))


def with_rows(text: str, rows: bytes) -> bytes:
    """A statement with rows as JSON in their place. Between dollar signs nothing of them is changed: hundreds of KB
    are not searched for quotes one by one."""
    quote = next(mark for mark in map(b"$rows%d$".__mod__, count()) if mark not in rows)
    before, after = text.replace("%%", "%").encode().split(_PLACE_OF_ROWS)
    return b"".join((before, quote, rows, quote, after))


class Cells(tuple[Any, ...]):
    """Implements `Row`: a tuple that also goes by the names of its columns."""

    __slots__ = ()
    indices: Mapping[str, int]

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.indices[key] if isinstance(key, str) else key)

    def keys(self) -> Sequence[str]:
        return list(self.indices)


def row_factory(cursor: Cursor[Any]) -> Any:
    """psycopg's name for it. An idn becomes what it was."""
    found = cursor.pgresult
    columns = range(found.nfields if found else 0)
    return _maker(tuple((found.fname(at), found.ftype(at)) for at in columns) if found else ())


@lru_cache(maxsize=500)
def _maker(columns: tuple[tuple[bytes | None, int], ...]) -> Callable[[Sequence[Any]], Cells]:
    """Of rows with these names and types."""
    names = [(name or b"").decode() for name, _ in columns]
    kind: type[Cells] = type(
        "Cells", (Cells,), {"__slots__": (), "indices": {name: at for at, name in enumerate(names)}}
    )
    idns = [at for at, (_, type_) in enumerate(columns) if names[at] in IDN and type_ == _TEXT_OID]
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
