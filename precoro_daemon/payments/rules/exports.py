"""which payments of a paid invoice the ledger must get, and which a person decides about"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from precoro_daemon.payments.rules.events import Asked
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.sources import HiddenRest, PrecoroPayment
from precoro_daemon.payments.rules.states import State
from precoro_daemon.values.money import ROUNDING_CENT, plain

_SKEW_S = 60.0
"""Seconds by which Precoro's clock and ours may differ."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A payment to Precoro with an unknown outcome; `known` are the ids of the payments that existed before it was
    sent.
    """

    amount: Decimal
    known: Collection[int]


@dataclass(frozen=True, slots=True)
class Known:
    """What an invoice's payments are compared with.

    made             ids of the payments that we created from the ledger
    names            the names that such a payment may have
    pending          payments that may exist and that we do not know yet
    ledger_payments  the ledger's payments for the invoice, without those known to be ours on either side
    adopted_at       payments created before this are known (Unix seconds)
    hidden_sums      hidden sums that were decided, or that the ledger has
    exported         the intents of the invoice's payments to the ledger
    unlisted         ids of payments that the invoice shows only in part; the mirror's list will bring the rest
    """

    made: Collection[int]
    names: Collection[str]
    pending: Sequence[Pending]
    ledger_payments: Sequence[LedgerPayment]
    adopted_at: float
    hidden_sums: Sequence[Decimal] = ()
    exported: Sequence[Intent] = ()
    unlisted: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """One payment of the invoice, or a hidden sum, and what to do with it.

    kind   plan: the ledger must get it
           hold: a person decides
           wait: not yet
           known: nothing
    asked  what a person has to check in the ledger
    """

    kind: Literal["plan", "hold", "wait", "known"]
    source: PrecoroPayment | HiddenRest
    reason: str = ""
    payment: Payment | None = None
    amount: Decimal = Decimal(0)
    asked: Asked | None = None


def booked(exported: Iterable[Intent]) -> frozenset[int]:
    """Returns the ids of Precoro's payments that we recorded in the ledger."""
    made = [one.source for one in exported if one.state is State.CONFIRMED]
    return frozenset(source.id for source in made if isinstance(source, PrecoroPayment))


def shares(invoice: Invoice, known: Known) -> Sequence[Share]:
    """Returns what to do with every payment on the invoice, and with a sum that was paid by payments that we cannot
    see.
    """
    judged = [_judge(invoice, payment, known) for payment in invoice.standing]
    shown = sum((payment.amount or Decimal(0) for payment in invoice.standing), Decimal(0))
    hidden = (invoice.paid or Decimal(0)) - shown - sum(known.hidden_sums, Decimal(0))
    if hidden > ROUNDING_CENT and not any(share.kind == "known" for share in judged):
        said = f"Precoro says {plain(invoice.paid or hidden)} was paid on {invoice} and shows {plain(shown)} of it"
        judged.append(Share("hold", HiddenRest(invoice.id, hidden), said, amount=hidden))
    return judged


def _judge(invoice: Invoice, payment: Payment, known: Known) -> Share:
    source = PrecoroPayment(payment.id)
    if payment.id in known.made or payment.external_id in known.names:
        return Share("known", source, "we made it from the ledger", payment)
    if payment.created_at is not None and payment.created_at < known.adopted_at:
        return Share("known", source, "it was there when exporting began", payment)
    if why := _waits(payment, known):
        return Share("wait", source, why, payment)
    if payment.amount is None or payment.amount <= 0 or payment.day is None:
        said = f"payment {payment.id} on {invoice} has no amount or day we can read"
        return Share("hold", source, said, payment, payment.amount or Decimal(0))
    if equal := [one for one in known.ledger_payments if one.amount == payment.amount]:
        return Share("hold", source, already(equal, invoice), payment, payment.amount, asked_about(equal))
    copied = _copied(invoice, payment, known)
    doubt = copied or _doubtful(invoice, payment, known)
    reason = doubt or f"{invoice} was paid in Precoro"
    asked = Asked() if copied else None
    return Share("plan" if doubt is None else "hold", source, reason, payment, payment.amount, asked)


def _waits(payment: Payment, known: Known) -> str:
    if any(payment.amount == one.amount and payment.id not in one.known for one in known.pending):
        return "it may be ours, and its outcome is not known yet"
    return "its invoice shows it in part, and the mirror's list will bring it" if payment.id in known.unlisted else ""


def _copied(invoice: Invoice, payment: Payment, known: Known) -> str:
    """Returns why it may be a copy of a payment of ours that another program brought back from the ledger; "" if it
    cannot.
    """
    said = f"payment {payment.id} on {invoice} may be a copy, brought by another program from the ledger, of"
    mine = (one for one in invoice.standing if one.id in known.made or one.external_id in known.names)
    if made := next((one for one in mine if one.amount == payment.amount), None):
        return f"{said} payment {made.id}, which we made from there"
    back = (one for one in known.exported if _may_be_back(payment, one))
    if (one := next(back, None)) is not None:
        return f"{said} payment {one.source}, which we recorded there"
    return ""


def _may_be_back(payment: Payment, exported: Intent) -> bool:
    """Returns whether it may be a copy of an exported payment: it has the same amount, its day differs by at most
    one, and it came to Precoro after the ledger had the other one.
    """
    if exported.source == PrecoroPayment(payment.id) or exported.amount != payment.amount:
        return False
    if exported.state is State.REJECTED or (exported.remote_id is None and not exported.attempts):
        return False
    known_since = exported.since - _SKEW_S if exported.state is State.CONFIRMED else 0.0
    if payment.created_at is not None and payment.created_at < known_since:
        return False
    return any(abs((day - exported.day).days) <= 1 for day in payment.days)


def _doubtful(invoice: Invoice, payment: Payment, known: Known) -> str | None:
    """Returns why a person decides, None if nobody has to."""
    assert payment.day is not None
    assert payment.amount is not None
    reason = None
    if invoice.credit_note:
        reason = f"{invoice} is a credit note, and those are not exported"
    elif payment.currency and payment.currency != invoice.currency:
        reason = f"payment {payment.id} is in {payment.currency}, {invoice} is in {invoice.currency}"
    elif payment.created_at is None and payment.day <= datetime.fromtimestamp(known.adopted_at, UTC).date():
        reason = f"payment {payment.id} on {invoice} does not say when it was made: it may have been there all along"
    elif payment.amount in known.hidden_sums:
        reason = f"{plain(payment.amount)} of {invoice} was decided before Precoro showed payment {payment.id}"
    return reason


def already(equal: Sequence[LedgerPayment], invoice: Invoice) -> str:
    """Returns why a person is asked about what the ledger has too."""
    return f"the ledger already has {plain(equal[0].amount)} for {invoice} (payment {equal[0].key})"


def asked_about(equal: Sequence[LedgerPayment]) -> Asked:
    return Asked(frozenset(one.key for one in equal))
