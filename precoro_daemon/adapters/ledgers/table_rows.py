"""rows of a table as payments: rows that are none, the content of the others, and their keys"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal

from precoro_daemon.adapters.ledgers.cells import (
    CellError,
    has_year,
    read_day,
    read_day_within,
    read_money,
    read_reference,
)
from precoro_daemon.adapters.ledgers.headers import Table
from precoro_daemon.adapters.ledgers.row_kinds import RowKind, RowKinds, as_compared, signed
from precoro_daemon.adapters.ledgers.rows import PAYMENT_COLUMNS, RowReader
from precoro_daemon.adapters.spreadsheets.lines import Cell, shown
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, UnreadableRow
from precoro_daemon.values.names import is_tidy, tidy
from precoro_daemon.values.templates import plain

_MADE_OF = ("invoice", "amount", "currency", "paid_on", "supplier")
_MOST_CELLS_OF_A_TEXT = 2
_TOTAL = re.compile(
    r"balance|(brought|carried) forward|(closing|ending|opening) balance|(ein|end|anfangs)saldo|gesamt(summe)?"
    r"|(grand )?totals?|kontostand|razem|saldo( final| inicial)?|solde|somme|suma|sum|summ[ae]|totaal|totale|übertrag"
    r"|zwischensumme"
)
"""Texts of a row that sums up other rows or states a balance."""


@dataclass(frozen=True, slots=True)
class RowOf:
    """A row of a file.

    kind     "skip" if it is neither a payment nor about one
    key      its own key, or a fingerprint of its content; "" if neither is readable
    keyed    whether `key` is its own
    payment  None if it is no payment
    """

    place: str
    kind: RowKind | Literal["unreadable"]
    key: str = ""
    keyed: bool = False
    payment: LedgerPayment | None = None
    reason: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)


class TableRows:
    """Reads the rows below a header."""

    def __init__(
        self, name: str, table: Table, columns: Mapping[str, str], kinds: RowKinds, reader: RowReader
    ) -> None:
        self._name = name
        self._table = table
        self._columns = {field_: tidy(column) for field_, column in columns.items()}
        self._kinds = kinds
        self._reader = reader
        self._keyed = "key" in columns
        self._judged = [(column, tidy(column)) for column in kinds.columns]
        self._has_year = has_year(reader.writing.day_format)

    def read(self) -> Iterator[RowOf]:
        header = self._table.header
        for line in self._table.lines:
            place, cells = str(line.place), self._without_surplus(line.cells)
            row = dict(zip(header, cells, strict=False))
            if self._is_text(row) or (cells[:1] == header[:1] and list(cells) == header):
                yield RowOf(place, "skip")
            elif len(cells) != len(header):
                reason = f"has {len(cells)} cells, but the header has {len(header)}"
                yield self._refuse(place, row, reason, cells[len(header) :])
            else:
                yield self._read(place, row, cells)

    def _refuse(self, place: str, row: Mapping[str, Cell], reason: str, more: Sequence[Cell] = ()) -> RowOf:
        key = self._key(row)
        raw = dict.fromkeys(self._table.header) | dict(row) | {"more": list(more)}
        return RowOf(place, "unreadable", key, keyed=bool(key), reason=reason, raw=raw)

    def _without_surplus(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        most = len(self._table.header)
        return cells if any(map(shown, cells[most:])) else cells[:most]

    def _is_text(self, row: Mapping[str, Cell]) -> bool:
        """Checks whether a row without a key is a total or a note. A total has a word for it and no day; a note has
        at most two texts, no amount and no readable day.
        """
        if self._key(row):
            return False
        day = row.get(self._columns["paid_on"])
        amounts = [row.get(self._columns[name]) for name in ("amount", "debit", "credit") if name in self._columns]
        has_amount = any(map(shown, amounts))
        if (shown(day) and has_amount) or self._is_day(day):
            return False
        texts = {name: shown(cell) for name, cell in row.items() if name != self._columns.get("supplier")}
        filled = [text for text in texts.values() if text]
        is_total = not shown(day) and any(_is_total(text) for text in filled)
        return is_total or (not has_amount and len(filled) <= _MOST_CELLS_OF_A_TEXT)

    def _key(self, row: Mapping[str, Cell]) -> str:
        """Returns the key, even if the row has too many or too few cells. A wrong guess only holds a payment back."""
        return shown(row.get(self._columns["key"])) if self._keyed else ""

    def _is_day(self, cell: Cell) -> bool:
        try:
            self._day(cell)
        except CellError:
            return False
        return True

    def _day(self, cell: Cell) -> Any:
        writing = self._reader.writing
        return read_day(cell, writing) if self._has_year else read_day_within(cell, writing, self._table.period)

    def _read(self, place: str, row: Mapping[str, Cell], cells: Sequence[Cell]) -> RowOf:
        kind: RowKind = "payment"
        key = self._key(row)
        try:
            kind = self._kinds.judge({column: shown(row[name]) for column, name in self._judged})
            read = self._payment(place, row, self._content(cells))
            if isinstance(read, LedgerPayment):
                payment = replace(read, amount=Decimal(0)) if kind == "void" else read
                return RowOf(place, kind, read.key, self._keyed, None if kind == "skip" else payment)
            reason = read.reason
        except CellError as error:
            reason = str(error)
        # A row that is undone or no payment may lack other values.
        if kind == "skip" or (kind == "void" and key):
            return RowOf(place, kind, key, keyed=bool(key))
        return self._refuse(place, row, reason)

    def _content(self, cells: Sequence[Cell]) -> str:
        """Returns a fingerprint of the row's cells. No setting affects it: better settings make no new row of it."""
        period, texts = self._table.period, [shown(cell) for cell in cells]
        if not is_tidy("".join(texts)):
            texts = [tidy(text) for text in texts]
        return _fingerprint([str(period), *texts])

    def _payment(self, place: str, row: Mapping[str, Cell], content: str) -> LedgerPayment | UnreadableRow:
        """Reads a payment from a row. Raises CellError if columns contradict each other."""
        values: dict[str, Any] = {name: row[self._columns[name]] for name in PAYMENT_COLUMNS if name in self._columns}
        out, said = self._direction(row, values)
        if not self._keyed:
            values["key"] = f"{self._name}:{place}"
        if not self._has_year:
            values["paid_on"] = self._day(values["paid_on"])
        read = self._reader.read(values, "", content)
        if isinstance(read, UnreadableRow):
            return read
        if not self._keyed:
            # The key is made before the direction is applied and before the invoice's number is extracted: settings
            # that say more about the same row must not turn it into another payment.
            read = replace(read, key=named_by_what_it_says(read, read_reference(values["invoice"])))
        if out is None:
            return read
        amount = signed(read.amount, out=out, negate=self._reader.writing.negate, said=said)
        return read if amount == read.amount else replace(read, amount=amount)

    def _direction(self, row: Mapping[str, Cell], values: dict[str, Any]) -> tuple[bool | None, str]:
        """Returns whether money was paid out, None if only the sign tells; and the text that says so."""
        if direction := self._kinds.direction:
            value = shown(row[tidy(direction.column)])
            return direction.is_out(value), f"{direction.column} {value!r}"
        if "debit" not in self._columns:
            return None, ""
        filled = [name for name in ("debit", "credit") if self._is_filled(row.get(self._columns.get(name, "")))]
        if len(filled) != 1:
            which = "both" if filled else "neither"
            raise CellError(f"amount: {which} of {self._columns['debit']} and its other column is an amount")
        column = self._columns[filled[0]]
        values["amount"] = row[column]
        return filled[0] == "debit", f"the column {column}"

    def _is_filled(self, cell: Cell) -> bool:
        return bool(shown(cell)) and read_money(cell, self._reader.writing).amount != 0


def _is_total(text: str) -> bool:
    return _TOTAL.fullmatch(as_compared(text).rstrip(":. ")) is not None


def named_by_what_it_says(payment: LedgerPayment, reference: str | None) -> str:
    """Returns a key of the payment's values. Amounts and days are normalised, so other formats give the same key."""
    values = [reference or payment.invoice, *(getattr(payment, name) for name in _MADE_OF[1:])]
    return _fingerprint(map(_normal, values))


def _fingerprint(texts: Iterable[str]) -> str:
    return blake2b("\x1f".join(texts).encode(), digest_size=12).hexdigest()


def _normal(value: Any) -> str:
    text = plain(value)
    # Decimal.normalize would round to the digits of the context.
    return text.rstrip("0").rstrip(".") if isinstance(value, Decimal) and "." in text else text
