"""what a bank booked, as payments: only what went out counts"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from precoro_daemon.adapters.ledgers.cells import ISO, NO_REFERENCE, CellError, read_reference
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.adapters.ledgers.table_rows import RowOf, named_by_what_it_says
from precoro_daemon.payments.rules.ledger_payments import UnreadableRow

_NO_NAMES = ("", "NONREF", "NOTPROVIDED")


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry of an account.

    key         the bank's own name of it, "" for none
    references  what says what it is for, the most exact first
    is_reversal  it takes an earlier entry back, which went the other way
    wrong       why it cannot be used, "" for nothing
    """

    place: str
    key: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    day: date | None = None
    is_out: bool = False
    is_reversal: bool = False
    references: Sequence[str] = field(default=())
    wrong: str = ""


def named(text: str | None) -> str:
    """Without what banks write where there is no name."""
    name = (text or "").strip()
    return "" if name.upper() in _NO_NAMES else name


def read_booked(name: str, entries: Iterable[Booked], reader: RowReader) -> Iterator[RowOf]:
    """Money that came in is none of ours, and money that goes out to take back what came in is no payment. A payment
    that came back amounts to less than nothing: a person looks at it."""
    plain = replace(reader, writing=ISO)
    for entry in entries:
        if entry.wrong:
            raw = {"amount": entry.amount, "references": list(entry.references)}
            yield RowOf(entry.place, "unreadable", entry.key, bool(entry.key), reason=entry.wrong, raw=raw)
        elif entry.is_out is entry.is_reversal:
            yield RowOf(entry.place, "skip")
        else:
            yield _read(name, entry, plain)


def _read(name: str, entry: Booked, reader: RowReader) -> RowOf:
    values = {
        "key": entry.key or f"{name}:{entry.place}",
        "invoice": _reference(entry, reader),
        "amount": entry.amount if entry.is_out else -entry.amount,
        "currency": entry.currency,
        "paid_on": entry.day,
    }
    read = reader.read(values, "")
    keyed = bool(entry.key)
    if isinstance(read, UnreadableRow):
        return RowOf(entry.place, "unreadable", entry.key, keyed, reason=read.reason, raw=values)
    if not keyed:
        read = replace(read, key=named_by_what_it_says(read, _said(entry)))
    return RowOf(entry.place, "payment", read.key, keyed, read)


def _reference(entry: Booked, reader: RowReader) -> str:
    pattern = reader.invoice_pattern
    fitting = (one for one in entry.references if pattern is None or pattern.search(one))
    return next(fitting, entry.references[0] if entry.references else NO_REFERENCE)


def _said(entry: Booked) -> str | None:
    """All that an entry says, whatever part of it names the invoice."""
    try:
        return read_reference(" | ".join(entry.references)[:500]) or NO_REFERENCE
    except CellError:
        return None
