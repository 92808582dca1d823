"""account statements in the format of SWIFT: MT940"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from precoro_daemon.adapters.ledgers.statements import Booked, named
from precoro_daemon.adapters.spreadsheets.lines import UnreadableFile

IS_MT940 = re.compile(r"^:20:.*?^:2[58]", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^:61:", re.MULTILINE)
_OPENING = ("final_opening_balance", "intermediate_opening_balance")
_CLOSING = ("final_closing_balance", "intermediate_closing_balance")
_SUBFIELD = re.compile(r"\?(\d\d)")
_PURPOSE = (*range(20, 30), *range(60, 64))
_LOWERS_THE_BALANCE = ("D", "RC")
_FULL_LINE = 65
_FULL_SUBFIELD = 27
_AT_THE_SEAM = re.compile(r"[\w./-]*\x00[\w./-]*")


def read_mt940(text: str) -> Iterator[Booked]:
    """Yields the entries in order. Raises UnreadableFile if one is unreadable, or if the balances show a gap."""
    import mt940

    try:
        statements = mt940.parse_statements(io.StringIO(text), processors={"post_transaction_details": []})
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise UnreadableFile(f"is no MT940 that can be read: {error}") from None
    count = sum(len(statement.transactions) for statement in statements)
    if count != len(_ENTRY.findall(text)):
        raise UnreadableFile(f"has {len(_ENTRY.findall(text))} entries, of which {count} can be read")
    number = 0
    for statement in statements:
        _refuse_gap(statement.data, [entry.data for entry in statement.transactions])
        for entry in statement.transactions:
            number += 1
            yield _booked(f"entry {number}", entry.data)


def _refuse_gap(data: Mapping[str, Any], entries: list[dict[str, Any]]) -> None:
    opening = next((data[name] for name in _OPENING if data.get(name)), None)
    closing = next((data[name] for name in _CLOSING if data.get(name)), None)
    if opening is None or closing is None:
        return
    total = opening.amount.amount + sum(map(_moved, entries))
    if total != closing.amount.amount:
        raise UnreadableFile(
            f"does not add up: its entries lead to {total}, but the closing balance is {closing.amount.amount}"
        )


def _moved(entry: Mapping[str, Any]) -> Decimal:
    """Returns what an entry adds to the balance. The library wrongly counts a reversed credit (RC) as paid in."""
    amount: Decimal = entry["amount"].amount
    return -abs(amount) if str(entry.get("status", "")).upper() in _LOWERS_THE_BALANCE else amount


def _booked(place: str, data: Mapping[str, Any]) -> Booked:
    day = data.get("entry_date") or data.get("date")
    amount, status = data["amount"], str(data.get("status", "")).upper()
    if status not in ("C", "D", "RC", "RD") or day is None:
        return Booked(place, wrong=f"has neither a day nor a direction that is known ({status or 'none'})")
    texts = [_purpose(str(data.get("transaction_details") or "")), str(data.get("customer_reference") or "")]
    return Booked(
        place,
        amount=abs(amount.amount),
        currency=amount.currency or "",
        day=date(day.year, day.month, day.day),
        is_out=status in _LOWERS_THE_BALANCE,
        is_reversal=status in ("RC", "RD"),
        references=[text for one in texts if (text := named(one))],
    )


def _purpose(details: str) -> str:
    """Joins a payment's purpose from lines and subfields of fixed width.

    If a full one ends inside a word, the next one may continue this word or begin another. Half a number would be
    another number, so both halves are dropped.
    """
    lines = details.split("\n")
    if not _SUBFIELD.search(details):
        return _joined(lines, _FULL_LINE)
    _, *parts = _SUBFIELD.split("".join(lines))
    fields = [text for code, text in zip(parts[::2], parts[1::2], strict=True) if int(code) in _PURPOSE]
    return _joined(fields, _FULL_SUBFIELD)


def _joined(pieces: list[str], full: int) -> str:
    text = ""
    for number, piece in enumerate(pieces):
        is_full = number > 0 and len(pieces[number - 1]) >= full
        text += ("\x00" if is_full and text[-1:].isalnum() and piece[:1].isalnum() else " ") + piece
    return " ".join(_AT_THE_SEAM.sub(" … ", text).split())
