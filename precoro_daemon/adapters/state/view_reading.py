"""rows of views of records, many at a time: a field of their JSON is read for all of them at once

A query over a view reads each document's JSON some hundred times. An export of everything reads it once this way: the
fields that a view shows are taken out of it, what else stands there is passed over, and each column is then made in
one go of a field of all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
"""A field of the JSON of all rows, by its name."""

GIVEN_COLUMNS = 12
"""Those of `record_rows.sql`."""

_FIELDS_OF_WORDS = {
    "kind": ("logicType",),
    "own_person": values.PERSON_FIELDS,
    "open_minor": ("sum", "sumPaid"),
    "open_sum": ("sum", "sumPaid"),
}


@dataclass(slots=True)
class Batch:
    """What the columns of some rows are read from.

    detailed  the detail's JSON, or the record's where that is not there yet
    owner     of payments: the JSON of the documents that they pay
    digits    decimals of each row's currency
    """

    collection: str
    statuses: Sequence[int | None]
    record: _Fields
    detail: _Fields
    detailed: _Fields
    owner: _Fields
    digits: Sequence[int]
    _minor: dict[str, Sequence[int | None]] = field(default_factory=dict, init=False)

    def minor(self, name: str) -> Sequence[int | None]:
        """An amount of each row in minor units of its currency."""
        if name not in self._minor:
            self._minor[name] = values.minors(self.record[name], self.digits)
        return self._minor[name]

    def open_minor(self) -> Sequence[int | None]:
        """What is left to pay."""
        paid = zip(self.record["sumPaid"], self.minor("sumPaid"), strict=True)
        parts = [0 if values.is_nothing(said) else units for said, units in paid]
        return list(map(values.left, self.statuses, self.minor("sum"), parts))


Getter = Callable[[Batch], Sequence[Cell]]


class RecordReader:
    """Reads these columns out of the JSON of records."""

    def __init__(self, columns: Columns) -> None:
        paths = [column.path for column in columns if column.path]
        detailed = [column.path for column in columns if column.how.startswith("detail_")]
        paths += [path for column in columns for path in _FIELDS_OF_WORDS.get(column.how, ())]
        owners = [column.owner for column in columns if column.owner]
        self._getters = [getter(column) for column in columns]
        self._record = FieldReader([*paths, "currency"])
        self._detail = FieldReader([*detailed, *(["payments"] if any(map(_is_of_payments, columns)) else [])])
        self._owner = FieldReader([*owners, "currency"])

    def columns(self, rows: Sequence[Row], *, with_collection: bool) -> RowBatch:
        """Of rows of `record_rows.sql`, all of one collection."""
        given = list(zip(*rows, strict=True)) or [()] * GIVEN_COLUMNS
        collections, ids, idns, statuses, updated, external, vanished, data, detail, fetched, changed, owner = given
        batch = self._batch(str(collections[0]) if rows else "", statuses, (data, detail, owner))
        return [
            *([collections] if with_collection else []),
            *(ids, idns, statuses, updated, external, list(map(values.moment, vanished))),
            *[get(batch) for get in self._getters],
            *(data, detail, list(map(values.moment, fetched)), list(map(values.moment, changed))),
        ]

    def _batch(self, collection: str, statuses: Sequence[int | None], texts: Sequence[_Texts]) -> Batch:
        record = self._record.read(texts[0])
        detail, owner = self._detail.read(texts[1]), self._owner.read(texts[2])
        detailed = {
            name: [
                own if text is None else there for text, own, there in zip(texts[1], record[name], found, strict=True)
            ]
            for name, found in detail.items()
            if name in record
        }
        codes = [
            theirs if own is None or own == "" else own
            for own, theirs in zip(record["currency"], owner["currency"], strict=True)
        ]
        return Batch(collection, statuses, record, detail, detailed, owner, list(map(values.digits_of, codes)))


class FieldReader:
    """Takes some fields out of JSON objects. Numbers with a point are text; what is no object has none of them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._names = sorted({path.partition(".")[0] for path in paths})
        shape = msgspec.defstruct("Shape", [(name, Any, None) for name in self._names], gc=False)
        self._decode = msgspec.json.Decoder(shape, float_hook=str).decode
        self._nothing = msgspec.structs.astuple(shape())

    def read(self, texts: _Texts) -> _Fields:
        if texts.count(None) == len(texts):
            return dict.fromkeys(self._names, texts)
        rows = map(self._fields, texts)
        return dict(zip(self._names, zip(*rows, strict=True), strict=True)) if self._names else {}

    def _fields(self, text: bytes | None) -> tuple[Cell, ...]:
        if text is None:
            return self._nothing
        try:
            return msgspec.structs.astuple(self._decode(text))
        except (msgspec.DecodeError, RecursionError):
            return self._nothing


def getter(column: Column) -> Getter:
    """How a column is read."""
    how = column.how or column.kind.value
    if how in _OF_ROWS:
        return _OF_ROWS[how]
    if how.startswith("detail_"):
        word, find = values.WORDS[how.removeprefix("detail_")], _at(column.path)
        return lambda batch: _read(word, find(batch.detailed))
    if how == "hundredths":
        return lambda batch: values.minors(batch.record[column.path], [USUAL_DIGITS] * len(batch.digits))
    if how == "minor":
        return lambda batch: batch.minor(column.path)
    word, find = values.WORDS[how], _at(column.path)
    if not column.owner:
        return lambda batch: _read(word, find(batch.record))
    find_owned = _at(column.owner)
    return lambda batch: [
        theirs if own is None else own
        for own, theirs in zip(_read(word, find(batch.record)), _read(word, find_owned(batch.owner)), strict=True)
    ]


def _read(word: Callable[[Any], Any], found: Sequence[Cell]) -> Sequence[Cell]:
    """Most fields of most rows are not there: nothing is asked of those."""
    if found and found[0] is None and found.count(None) == len(found):
        return found
    if word is values.text:
        return [value if value is None or (type(value) is str and value) else word(value) for value in found]
    return [None if value is None else word(value) for value in found]


def _at(path: str) -> Callable[[_Fields], Sequence[Cell]]:
    """What stands in documents under a path of one step or two."""
    step, _, below = path.partition(".")
    if not below:
        return lambda fields: fields[step]
    return lambda fields: [value.get(below) if type(value) is dict else None for value in fields[step]]


def _is_of_payments(column: Column) -> bool:
    return column.how == "last_paid_date"


def _people(batch: Batch) -> Sequence[Cell]:
    fields = values.PERSON_FIELDS
    rows = zip(*(batch.record[name] for name in fields), strict=True)
    return [values.person(dict(zip(fields, row, strict=True))) for row in rows]


_OF_ROWS: Mapping[str, Getter] = {
    "status": lambda batch: list(map(values.status_name, batch.statuses)),
    "kind": lambda batch: [values.kind_of(batch.collection, value) for value in batch.record["logicType"]],
    "own_person": _people,
    "open_minor": Batch.open_minor,
    "open_sum": lambda batch: [
        None if left is None else values.written(left, digits)
        for left, digits in zip(batch.open_minor(), batch.digits, strict=True)
    ],
    "last_paid_date": lambda batch: list(map(values.last_paid_day, batch.detail["payments"])),
}
