"""how an attempt with an unknown outcome is resolved by what the invoice shows afterwards"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from precoro_daemon.payments.rules.events import Asked, Check, Hold, Repeat
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.values.money import ROUNDING_CENT, plain
from precoro_daemon.writes.checks import next_check
from precoro_daemon.writes.in_doubt import is_probably_absent

Repost = Literal["never", "guarded"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt in doubt.

    amount   the amount sent
    names    the names that the payment may have at Precoro
    known    ids of the payments that existed before it was first sent
    ours     ids of payments that other intents created
    sent_at  when it was last sent (Unix seconds)
    checks   number of checks since then
    """

    amount: Decimal
    names: Collection[str]
    known: Collection[int]
    ours: Collection[int]
    sent_at: float
    checks: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What to record: an event or, if one payment was found under our id, that payment.

    alarm  whether there are two payments although one was meant
    """

    event: Check | Hold | Repeat | Payment
    reason: str
    alarm: bool = False


def judge(doubt: Doubt, invoice: Invoice | None, now: float, repost: Repost) -> Ruling:
    """Decides a doubt by the invoice as it was read just now, at least 65 s after sending; None if Precoro no longer
    has it.
    """
    again = next_check(doubt.sent_at, doubt.checks + 1, now)
    if (found := _found(doubt, invoice, again)) is not None:
        return found
    if not is_probably_absent(doubt.sent_at, doubt.checks + 1, now):
        return Ruling(Check(again), "not there so far")
    if invoice is None:
        return Ruling(Hold(check_at=again), "the invoice is gone, and whether it was paid is unknown")
    if repost == "guarded" and fits_only_once(doubt.amount, invoice):
        return Ruling(Repeat(), f"not there after {doubt.checks + 1} checks, and two of it cannot both fit")
    return Ruling(Hold(check_at=again), f"not there after {doubt.checks + 1} checks; it may still arrive")


def check_again(doubt: Doubt, invoice: Invoice | None, now: float) -> Ruling:
    """Checks a payment again that waits for a person. If it arrives late under our id, it needs no person any
    more.
    """
    again = next_check(doubt.sent_at, doubt.checks + 1, now)
    found = _found(doubt, invoice, again)
    if found is not None and isinstance(found.event, Payment):
        return found
    return Ruling(Check(again), "", alarm=found is not None and found.alarm)


def _found(doubt: Doubt, invoice: Invoice | None, again: float | None) -> Ruling | None:
    """Decides by the payments on the invoice. Returns None if they show nothing about the payment.

    again  when the next check is due
    """
    payments: Sequence[Payment] = [] if invoice is None else invoice.payments or []
    mine = [payment for payment in payments if payment.external_id in doubt.names]
    standing = [payment for payment in mine if not payment.canceled]
    if len(standing) > 1:
        return Ruling(Hold(check_at=again), f"there twice under our id: {_ids(standing)}", alarm=True)
    if standing:
        return Ruling(standing[0], "found by our id")
    if mine:
        said = f"it was made, and cancelled in Precoro: {_ids(mine)}"
        return Ruling(Hold(Asked(), check_at=again), said)
    # The date is ignored: Precoro may have stored another one than was sent, and a person decides anyway.
    equal = [
        payment
        for payment in payments
        if payment.id not in doubt.known
        and payment.id not in doubt.ours
        and not payment.canceled
        and payment.amount == doubt.amount
    ]
    if not equal:
        return None
    said = f"of {plain(doubt.amount)} without our id: {_ids(equal)}"
    if len(equal) > 1:
        return Ruling(Hold(check_at=again), f"{len(equal)} new payments {said}", alarm=True)
    return Ruling(Hold(check_at=again), f"a new payment {said}, which may be ours or a person's")


def fits_only_once(amount: Decimal, invoice: Invoice, earlier: Collection[Decimal] = ()) -> bool:
    """Returns whether the invoice has room for the payment, but not for a second one beside it.

    If the invoice does not show what paid it, the payment may already be there, and the answer is False.

    earlier  other amounts of this payment that were sent and may still arrive
    """
    remainder = invoice.remainder
    if remainder is None or invoice.hides:
        return False
    return amount - ROUNDING_CENT <= remainder < amount + min((amount, *earlier))


def _ids(payments: Sequence[Payment]) -> str:
    return ", ".join(f"payment {payment.id}" for payment in payments)
