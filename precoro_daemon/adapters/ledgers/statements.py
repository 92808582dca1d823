"""a bank's entries as payments: only money that went out counts"""

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

    key          the bank's own reference, "" for none
    references   texts that say what the entry is for, the most exact first
    is_reversal  whether it takes back an earlier entry in the opposite direction
    wrong        why it is unusable, "" if it is usable
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
    """Returns the text, or "" for what banks write if there is no name."""
    name = (text or "").strip()
    return "" if name.upper() in _NO_NAMES else name


def read_booked(name: str, entries: Iterable[Booked], reader: RowReader) -> Iterator[RowOf]:
    """Yields the entries as rows. Skips money that came in, and money that goes out to take back an earlier credit.

    A payment that came back has a negative amount: a person decides what to do.
    """
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
    """Returns everything that an entry says, whichever part names the invoice, or None if that is unreadable."""
    try:
        return read_reference(" | ".join(entry.references)[:500]) or NO_REFERENCE
    except CellError:
        return None
