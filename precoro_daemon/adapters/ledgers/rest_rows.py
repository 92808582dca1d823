"""rows of an HTTP answer as payments"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from precoro_daemon.adapters.ledgers.answers import MISSING, Absent, joined, unwound, value_at
from precoro_daemon.adapters.ledgers.paging import position_in
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, Undone, UnreadableRow


@dataclass(frozen=True, slots=True)
class RowShape:
    """The paths of the values in a row.

    each    path of a list whose elements are payments of their own, "" for none
    only    by path: rows with another value are no payments
    void    by path: rows with one of these values were undone in the ledger and become payments of 0
    """

    key: Sequence[str]
    fields: Mapping[str, str]
    position: str = ""
    each: str = ""
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    void: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Rows(NamedTuple):
    payments: Sequence[LedgerPayment]
    unreadable: Sequence[UnreadableRow]
    undone: Sequence[Undone]


def read_rows(rows: Sequence[Any], shape: RowShape, reader: RowReader) -> Rows:
    payments: list[LedgerPayment] = []
    unreadable: list[UnreadableRow] = []
    undone: dict[str, Undone] = {}  # the last version of a document counts
    for row in rows:
        parts = list(unwound(row, shape.each)) if shape.each else [row]
        for one in parts:
            read = _read(one, shape, reader)
            if isinstance(read, LedgerPayment):
                payments.append(read)
                unreadable = [earlier for earlier in unreadable if earlier.key != read.key]  # a later row corrects it
                undone.pop(read.key, None)
            elif isinstance(read, Undone):
                undone[read.key] = read
            elif read:
                unreadable.append(read)
        undone |= {one.key: one for one in _without_parts(row, parts, shape)}
    return Rows(payments, unreadable, list(undone.values()))


def _without_parts(row: Any, parts: Sequence[Any], shape: RowShape) -> Iterator[Undone]:
    """Yields the document whose parts were read, with the keys of its present parts, so that missing parts count as
    undone.

    A part that is missing from its document was taken back: a bill that a payment no longer pays, or all bills of
    a voided document.
    """
    if not shape.each or not isinstance(value_at(row, shape.each), list):
        return
    with suppress(Absent):  # a part without a name may be any of the parts
        yield Undone(joined(row, shape.key[:1]), [joined(part, shape.key) for part in parts])


def _read(row: Any, shape: RowShape, reader: RowReader) -> LedgerPayment | UnreadableRow | Undone | None:
    if not isinstance(row, Mapping):
        return reader.refuse("", "the row is no JSON object", {"row": row})
    try:
        if not all(_text(row, path) in accepted for path, accepted in shape.only.items()):
            return None
        cells: dict[str, Any] = {name: _cell(row, path) for name, path in shape.fields.items()}
        cells["key"] = joined(row, shape.key)
        is_void = any(_text(row, path) in values for path, values in shape.void.items())
        if is_void:
            cells["amount"] = 0
    except Absent as error:
        return reader.refuse(_place(row, shape), str(error), row)
    read = reader.read(cells, _place(row, shape))
    if isinstance(read, LedgerPayment):
        return read
    # A voided row may lack other values, most often the invoice.
    return Undone(cells["key"]) if is_void else reader.refuse(read.key, read.reason, row)


def _cell(row: Any, path: str) -> Any:
    try:
        value = value_at(row, path)
    except Absent as error:
        raise Absent(f"{path}: {error}") from None
    return None if value is MISSING else _day(value)


def _day(value: Any) -> Any:
    """Converts a day that is a JSON object to ISO text. Returns any other value unchanged."""
    parts: list[Any] = [value.get(name) for name in ("year", "month", "day")] if isinstance(value, Mapping) else []
    if parts and all(isinstance(part, int) and not isinstance(part, bool) for part in parts):
        year, month, day = map(int, parts)
        return f"{year:04}-{month:02}-{day:02}"
    return value


def _text(row: Any, path: str) -> str:
    value = _cell(row, path)
    return "" if value is None else str(value)


def _place(row: Any, shape: RowShape) -> str:
    """Returns a name for a row whose key cannot be read."""
    for path, said in ((shape.key[0], ""), (shape.position, "position ")):
        with suppress(Absent):
            if text := _text(row, path):
                return f"{said}{text}"
    return "position "


def positions_of(rows: Sequence[Any], shape: RowShape) -> Iterator[str]:
    """Yields the positions of the rows that have one. A row without a position does not block the others."""
    for row in rows if shape.position else ():
        with suppress(Absent):
            value = value_at(row, shape.position)
            if value not in (MISSING, None, "") and (position := position_in(value)):
                yield position
