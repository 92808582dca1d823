"""the settlements of a bill, from Odoo's rows"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from precoro_daemon.errors import MalformedAnswer

Row = Mapping[str, Any]

_OURS = re.compile(r"\bPrecoro ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
_LIVE = ("in_process", "paid")
"""States of a payment without an entry in which it counts."""

_LONGEST_NUMBER = 60


@dataclass(frozen=True, slots=True)
class Settlement:
    """Money that went to a bill.

    part     its key within the bill; it is unchanged when the same payment is reconciled again
    amount   in the bill's currency
    counted  whether Odoo has subtracted it from the open amount
    fault    why its amount is unknown, "" if it is known
    """

    part: str
    amount: Decimal
    paid_on: Any
    memo: str
    counted: bool = True
    fault: str = ""


def settlements_of(
    bill: Row, partials: Iterable[Row], lines: Mapping[int, Row], payments: Iterable[Row]
) -> Sequence[Settlement]:
    """Returns all settlements of the bill, and with the amount 0 those of this program's payments that no longer
    settle it.

    partials  the partial reconciliations of this bill
    lines     the lines of the other entries in them, by number
    payments  payments that were made for the bill, which Odoo knows from 18 on
    """
    entries = _entries(partials, lines)
    parts = {one.part for one in entries}
    banked = [one for one in entries if one.part.startswith("entry-")]
    found = [one for one in entries if one not in banked]
    for payment in payments:
        if part_of(payment["id"]) in parts:
            continue
        if bill["state"] != "posted" or payment["move_id"] or payment["state"] not in _LIVE:
            found += _of_ours_no_more(payment)
            continue
        waiting = _without_entry(bill, payment)
        arrived = banked[:1] if waiting.fault else [one for one in banked if one.amount == waiting.amount][:1]
        if waiting.fault and arrived:
            continue  # the bank line gives the amount
        banked = [one for one in banked if one not in arrived]
        found.append(replace(waiting, counted=bool(arrived)))
    return [*found, *banked]


def _entries(partials: Iterable[Row], lines: Mapping[int, Row]) -> list[Settlement]:
    """Returns one settlement for each payment and bank line, even if several of its lines settle the bill."""
    found: dict[str, Settlement] = {}
    for partial in partials:
        number = linked(partial["debit_move_id"])
        line = lines.get(number)
        if line is None:
            hidden = f"the key's user may not read line {number}, which settles the bill"
            found[f"line-{number}"] = Settlement(f"line-{number}", Decimal(0), "", "", fault=hidden)
        elif part := _part_of(line):
            amount = money(partial["credit_amount_currency"])
            memo = f"{line['ref'] or ''} {line['name'] or ''}"
            before = found.get(part, Settlement(part, Decimal(0), line["date"], memo))
            found[part] = replace(before, amount=before.amount + amount)
    return list(found.values())


def _part_of(line: Row) -> str:
    """Returns the key within the bill, or "" for a credit note, a miscellaneous entry or a rate difference."""
    if line["payment_id"]:
        return part_of(linked(line["payment_id"]))
    return f"entry-{linked(line['move_id'])}" if line["statement_line_id"] else ""


def part_of(payment: int) -> str:
    return f"payment-{payment}"


def _of_ours_no_more(payment: Row) -> Iterator[Settlement]:
    """Yields a settlement of 0 for a payment of this program that may have been undone before its first reading."""
    if key_in(payment["memo"] or ""):
        yield Settlement(part_of(payment["id"]), Decimal(0), payment["date"], payment["memo"])


def _without_entry(bill: Row, payment: Row) -> Settlement:
    fault, bills = "", len(payment["invoice_ids"])
    if bills != 1:
        fault = f"payment {payment['id']} of {bills} bills has no entry that says which of them got what"
    elif payment["currency_id"] != bill["currency_id"]:
        fault = f"payment {payment['id']} is in another currency than the bill and has no entry yet"
    memo = payment["memo"] or ""
    return Settlement(
        part_of(payment["id"]), money(payment["amount"]), payment["date"], memo, counted=False, fault=fault
    )


def money(value: Any) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    raise MalformedAnswer(f"Odoo has {value!r} where an amount is wanted")


def linked(value: Any) -> int:
    """Returns the number of the record in a field of the form [number, name]. Raises MalformedAnswer."""
    match value:
        case [int(number), *_]:
            return number
    raise MalformedAnswer(f"Odoo has {value!r} where a record is wanted")


def title(value: Any) -> str:
    """Returns the name of the record in a field, or "" if there is none."""
    return str(value[1]) if isinstance(value, list) and len(value) > 1 else ""


def communication(number: str, key: str) -> str:
    """Returns the memo of a payment: the supplier's invoice number for people, and this program's key."""
    shown = "".join(sign for sign in number if sign.isprintable())[:_LONGEST_NUMBER].strip()
    return f"{shown} Precoro {key}".strip()


def key_in(memo: str) -> str | None:
    """Returns this program's key from a memo, or None."""
    match = _OURS.search(memo)
    return match[1] if match else None


def carries(memo: Any, key: str) -> bool:
    return re.search(rf"\bPrecoro {re.escape(key)}(?![\w-])", str(memo or "")) is not None


def open_on(bill: Row, settled: Sequence[Settlement]) -> Decimal:
    """Returns the open amount: Odoo's own figure less the settlements that it has not subtracted yet."""
    waiting: Iterator[Decimal] = (one.amount for one in settled if not one.counted and not one.fault)
    return money(bill["amount_residual"]) - sum(waiting, Decimal(0))
