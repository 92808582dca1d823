"""reads the rows of record views column by column: a field of their JSON for all rows at once

A query over a view parses each document's JSON some hundred times. An export of everything parses it once: it
extracts the fields that a view shows, skips the rest, and then makes each column from a field of all rows in one
step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec

from precoro_daemon.adapters.state import view_values as values
from precoro_daemon.adapters.state.session import Row
from precoro_daemon.adapters.state.view_columns import Column, Columns
from precoro_daemon.exports.ports.tables import RowBatch
from precoro_daemon.values.money import USUAL_DIGITS

Cell = Any
_Texts = Sequence[bytes | None]
_Fields = Mapping[str, Sequence[Cell]]
"""A field of the JSON of all rows, by its path."""

_NO_JSON = (msgspec.DecodeError, RecursionError, TypeError)
"""TypeError: there is no text."""

_as_tuple = msgspec.structs.astuple

_NO_OBJECT = str | int | float | bool | list[Any] | None
"""Precoro writes "" or [] for a missing object."""

_OF_DETAIL = "detail_"
_OPEN = "sum less sumPaid"
_PERSON_WORDS = ("person", "own_person")

GIVEN_COLUMNS = 12
"""The number of columns of `record_rows.sql`."""

_FIELDS_OF_WORDS = {
    "kind": ("logicType",),
    "own_person": values.PERSON_FIELDS,
    "open_minor": ("sum", "sumPaid"),
    "open_sum": ("sum", "sumPaid"),
}


@dataclass(slots=True)
class Batch:
    """The data from which the columns of some rows are made.

    detailed  the detail's JSON, or the record's if there is no detail
    owner     for payments: the JSON of the documents that they pay
    digits    decimals of each row's currency
    """

    collections: Sequence[str]
    statuses: Sequence[int | None]
    record: _Fields
    detail: _Fields
    detailed: _Fields
    owner: _Fields
    digits: Sequence[int]
    _minor: dict[str, Sequence[int | None]] = field(default_factory=dict, init=False)

    def minor(self, name: str) -> Sequence[int | None]:
        """Returns an amount of each row in minor units of its currency."""
        if name not in self._minor:
            self._minor[name] = values.minors(self.record[name], self.digits)
        return self._minor[name]

    def fields_of(self, how: str) -> _Fields:
        return self.detailed if how.startswith(_OF_DETAIL) else self.record

    def open_minor(self) -> Sequence[int | None]:
        """Returns what is left to pay."""
        if _OPEN not in self._minor:
            paid = self.record["sumPaid"]
            self._minor[_OPEN] = values.left(self.statuses, self.minor("sum"), paid, self.minor("sumPaid"))
        return self._minor[_OPEN]


Getter = Callable[[Batch], Sequence[Cell]]


class RecordReader:
    """Reads these columns from the JSON of records."""

    def __init__(self, columns: Columns) -> None:
        paths = [path for column in columns for path in _paths_of(column)]
        detailed = [path for column in columns if column.how.startswith(_OF_DETAIL) for path in _paths_of(column)]
        owners = [column.owner for column in columns if column.owner]
        self._getters = [getter(column) for column in columns]
        self._record = FieldReader([*paths, "currency"])
        self._detail = FieldReader([*detailed, *(["payments"] if any(map(_is_of_payments, columns)) else [])])
        self._owner = FieldReader([*owners, "currency"])

    def columns(self, rows: Sequence[Row], *, with_collection: bool) -> RowBatch:
        """Returns the columns for rows of `record_rows.sql`, all of one collection."""
        given = list(zip(*rows, strict=True)) or [()] * GIVEN_COLUMNS
        collections, ids, idns, statuses, updated, external, vanished, data, detail, fetched, changed, owner = given
        batch = self._batch(collections, statuses, (data, detail, owner))
        return [
            *([collections] if with_collection else []),
            *(ids, idns, statuses, updated, external, values.moments(vanished)),
            *[get(batch) for get in self._getters],
            *(data, detail, values.moments(fetched), values.moments(changed)),
        ]

    def _batch(self, collections: Sequence[str], statuses: Sequence[int | None], texts: Sequence[_Texts]) -> Batch:
        record = self._record.read(texts[0])
        detail, owner = self._detail.read(texts[1]), self._owner.read(texts[2])
        detailed = {
            path: [
                mine if text is None else one for text, mine, one in zip(texts[1], record[path], found, strict=True)
            ]
            for path, found in detail.items()
            if path in record
        }
        codes = record["currency"]
        if not values.is_empty(owner["currency"]):
            codes = [
                theirs if own is None or own == "" else own
                for own, theirs in zip(codes, owner["currency"], strict=True)
            ]
        return Batch(collections, statuses, record, detail, detailed, owner, values.digits_of(codes))


class FieldReader:
    """Extracts fields from JSON objects, and from objects inside them, by paths of one or two steps. Fractional
    numbers become text; a value that is no object has no fields.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._below: dict[str, list[str]] = {}
        for name, _, step in sorted(path.partition(".") for path in set(paths)):
            self._below.setdefault(name, []).extend([step] if step else [])
        self._paths = {
            name: [f"{name}.{step}" for step in steps] if steps else [name] for name, steps in self._below.items()
        }
        self._inner = {
            name: msgspec.defstruct("Inner", [(step, Any, None) for step in steps], gc=False)
            for name, steps in self._below.items()
            if steps
        }
        typed = [(name, self._inner[name] | _NO_OBJECT if name in self._inner else Any, None) for name in self._below]
        shape = msgspec.defstruct("Shape", typed, gc=False)
        self._decode: Callable[[Any], Any] = msgspec.json.Decoder(shape, float_hook=str).decode
        self._nothing = _as_tuple(shape())

    def read(self, texts: _Texts) -> _Fields:
        if texts.count(None) == len(texts):
            return dict.fromkeys(chain.from_iterable(self._paths.values()), texts)
        try:
            rows = list(map(_as_tuple, map(self._decode, texts)))
        except _NO_JSON:
            rows = list(map(self._fields, texts))
        fields: dict[str, Sequence[Cell]] = {}
        for name, found in zip(self._below, zip(*rows, strict=True), strict=True):
            fields.update(zip(self._paths[name], self._columns(name, found), strict=True))
        return fields

    def _fields(self, text: bytes | None) -> tuple[Cell, ...]:
        """Returns the fields of one row, for a batch in which some rows are unreadable."""
        try:
            return self._nothing if text is None else _as_tuple(self._decode(text))
        except _NO_JSON:
            return self._nothing

    def _columns(self, name: str, found: Sequence[Cell]) -> Iterable[Sequence[Cell]]:
        """Yields the columns of a field, or of the fields of the object in it."""
        if name not in self._inner:
            return [found]
        if values.is_empty(found):
            return [found] * len(self._paths[name])
        inner = self._inner[name]
        nothing = inner()
        return zip(*[_as_tuple(one if type(one) is inner else nothing) for one in found], strict=True)


def getter(column: Column) -> Getter:
    """Returns the function that reads a column."""
    how = column.how or column.kind.value
    if how in _OF_ROWS:
        return _OF_ROWS[how]
    paths = _paths_of(column)
    if how == "hundredths":
        return lambda batch: values.minors(batch.record[column.path], [USUAL_DIGITS] * len(batch.digits))
    if how == "minor":
        return lambda batch: batch.minor(column.path)
    word = how.removeprefix(_OF_DETAIL)
    if word in _PERSON_WORDS:
        return lambda batch: values.people(*map(batch.fields_of(how).__getitem__, paths))
    read = values.WORDS[word]
    if not column.owner:
        return lambda batch: _read(read, batch.fields_of(how)[column.path])
    return lambda batch: [
        theirs if own is None else own
        for own, theirs in zip(
            _read(read, batch.record[column.path]), _read(read, batch.owner[column.owner]), strict=True
        )
    ]


def _paths_of(column: Column) -> Sequence[str]:
    """Returns the fields of the record's JSON from which a column is made."""
    if column.how.removeprefix(_OF_DETAIL) == "person":
        return [f"{column.path}.{name}" for name in values.PERSON_FIELDS]
    return [column.path] if column.path else _FIELDS_OF_WORDS.get(column.how, ())


def _read(read: Callable[[Sequence[Cell]], Sequence[Cell]], found: Sequence[Cell]) -> Sequence[Cell]:
    return found if values.is_empty(found) else read(found)


def _is_of_payments(column: Column) -> bool:
    return column.how == "last_paid_date"


_OF_ROWS: Mapping[str, Getter] = {
    "status": lambda batch: values.status_names(batch.statuses),
    "kind": lambda batch: values.kinds_of(batch.collections, batch.record["logicType"]),
    "open_minor": Batch.open_minor,
    "open_sum": lambda batch: values.written(batch.open_minor(), batch.digits),
    "last_paid_date": lambda batch: values.last_paid_days(batch.detail["payments"]),
}
