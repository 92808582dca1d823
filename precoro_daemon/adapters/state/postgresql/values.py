"""statements, values and rows in psycopg's form"""

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
"""Positional statements whose first value is an idn. `_DATA` is the position of a record's JSON in them."""
_DATA = 7

_TEXT_OID = 25
_PLACE_OF_ROWS = b"%(rows)s"


def _translated(text: str) -> str:
    """Returns the statement with psycopg's placeholders."""
    text = text.rstrip(";\n ").replace("%", "%%")
    return _NAMED.sub(r"%(\1)s", text).replace("?", "%s")


POSTGRES_STATEMENTS: Mapping[str, str] = {
    name: _translated(text) for name, text in Statements(Path(__file__).with_name("own.sql")).read_all().items()
}


def cells(statement: str, values: Values) -> Values:
    """Returns the values with an idn as its JSON text, and without characters that PostgreSQL cannot store."""
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
    """Replaces U+0000, which PostgreSQL's text cannot contain. Enumeration members become their values, and a
    memoryview
    becomes the text of its UTF-8.
    """
    if isinstance(value, memoryview):
        value = str(value, "utf-8")
    if isinstance(value, str):
        text = str.__str__(value)
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return int(value) if isinstance(value, int) and type(value) not in (int, bool) else value


def as_json(statement: str, rows: Sequence[Values]) -> bytes:
    """Returns positional rows, at least one, as one JSON text: objects whose keys are the positions, bytes as base
    64.

    A record's row in a list is JSON already and is embedded unchanged: PostgreSQL extracts it byte for byte.
    """
    row_of = _row_of(len(rows[0]))
    of_records = statement in _IDN_FIRST
    encoded = _encode([row_of(*(_record_cells(row) if of_records else row)) for row in rows])
    # One byte is found many times as fast as two, and two as a pattern.
    if b"\\" in encoded and b"\\u" in encoded and _NOT_TEXT.search(encoded):
        return _encode([row_of(*(_texts(row) if of_records else map(_cell, row))) for row in rows])
    return encoded


_encode = msgspec.json.Encoder().encode
_NOT_TEXT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""What PostgreSQL rejects as text anywhere in JSON: U+0000 and half surrogate pairs."""


@lru_cache
def _row_of(cells: int) -> Callable[..., msgspec.Struct]:
    """Returns a struct type, which is created and encoded several times faster than a dictionary."""
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
    """Inserts rows as JSON into a statement, between dollar quotes: nothing in them needs escaping, so hundreds of KB
    are not
    searched for quotes.
    """
    quote = next(mark for mark in map(b"$rows%d$".__mod__, count()) if mark not in rows)
    before, after = text.replace("%%", "%").encode().split(_PLACE_OF_ROWS)
    return b"".join((before, quote, rows, quote, after))


class Cells(tuple[Any, ...]):
    """Implements `Row`: a tuple whose values are also accessible by column name."""

    __slots__ = ()
    indices: Mapping[str, int]

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.indices[key] if isinstance(key, str) else key)

    def keys(self) -> Sequence[str]:
        return list(self.indices)


def row_factory(cursor: Cursor[Any]) -> Any:
    """psycopg's name for a row factory. It restores idns from their JSON."""
    found = cursor.pgresult
    columns = range(found.nfields if found else 0)
    return _maker(tuple((found.fname(at), found.ftype(at)) for at in columns) if found else ())


@lru_cache(maxsize=500)
def _maker(columns: tuple[tuple[bytes | None, int], ...]) -> Callable[[Sequence[Any]], Cells]:
    """Returns the maker of rows with these column names and types."""
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
    """Loads numeric as int: sums of integers are numeric."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text else int(text)


def prepare(connection: Connection[Any]) -> None:
    connection.adapters.register_loader("numeric", _NumberLoader)
