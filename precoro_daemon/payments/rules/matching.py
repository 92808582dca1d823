"""which invoice a payment of the ledger is for, and whether it may be sent"""

# A payment that is not certain is held: a wrong guess costs money.

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from precoro_daemon.payments.rules.events import Asked, Terms
from precoro_daemon.payments.rules.invoices import CANCELED, DENIED, PAID, PAYABLE, Invoice, Payment, Supplier
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.obstacles import Obstacle, ObstacleKind, obstacle
from precoro_daemon.values.money import ROUNDING_CENT, is_whole, plain, snap

MatchBy = Literal["external_id", "id", "idn", "number_and_supplier", "xero_id", "qbo_id", "netsuite_id"]

_CHOOSE = "say which one it pays: `payments repost ID --invoice` with the invoice's id"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a payment.

    kind      plan: make it an intent
              send: it may be sent now
              find: Precoro already has it
              hold: a person decides
              wait: not yet, and nothing is wrong
    asks      whether a person has to check the other side, whatever the ledger says by then
    about     what they have to check there; once they said that it is another payment, they are not asked again
    obstacle  what it waits for, or what it is held for
    """

    kind: Literal["plan", "send", "find", "hold", "wait"]
    reason: str = ""
    invoice: Invoice | None = None
    amount: Decimal = Decimal(0)
    payment: Payment | None = None
    asks: bool = False
    about: Collection[str] = ()
    obstacle: Obstacle | None = None

    @property
    def asked(self) -> Asked | None:
        return Asked(frozenset(self.about)) if self.asks else None


@dataclass(frozen=True, slots=True)
class Paid:
    """Another payment of ours on the same invoice, in progress or done."""

    amount: Decimal
    day: date


def match(payment: LedgerPayment, candidates: Sequence[Invoice], by: MatchBy, others: Sequence[Paid] = ()) -> Verdict:
    """Decides which of the invoices with that name the ledger's payment is for.

    candidates  every invoice of that name that Precoro still has
    others      payments that we sent, or are sending, for the only candidate
    """
    live = named = [invoice for invoice in candidates if invoice.status not in (CANCELED, DENIED)]
    if by == "number_and_supplier":
        if payment.supplier is None and payment.supplier_id is None:
            said = "the ledger names no supplier, and a number alone may be that of another one's invoice"
            return Verdict("hold", f"{said}: {_listed(named)}; {_CHOOSE}" if named else said)
        live = [invoice for invoice in live if names_supplier(payment, invoice.supplier)]
    if len(live) != 1:
        return _not_one(payment, live, named)
    [invoice] = live
    terms = payment.terms
    reason = _contradiction(terms, invoice) or _duplicate(payment, others)
    if reason is not None:
        return Verdict("hold", reason, invoice, payment.amount)
    if (differs := _other_supplier(terms, invoice)) is not None:
        return Verdict("hold", str(differs), invoice, payment.amount, obstacle=differs)
    if invoice.status not in PAYABLE:
        return _waits(invoice, obstacle(ObstacleKind.NOT_PAYABLE, invoice.status))
    return Verdict("plan", "", invoice, payment.amount)


def _not_one(payment: LedgerPayment, live: Sequence[Invoice], named: Sequence[Invoice]) -> Verdict:
    if live:
        return Verdict("hold", f"ambiguous: {len(live)} invoices bear that name: {_listed(live)}; {_CHOOSE}")
    if named:
        supplier = payment.supplier or payment.supplier_id
        return Verdict(
            "wait", f"no invoice of this number is of the supplier {supplier!r}; Precoro has {_listed(named)}"
        )
    return Verdict("wait", "every invoice of that name was canceled or denied")


def _listed(invoices: Sequence[Invoice]) -> str:
    return ", ".join(f"{one} (id {one.id}) of {one.supplier.name!r}" for one in invoices[:5])


def _waits(invoice: Invoice, waits_for: Obstacle) -> Verdict:
    return Verdict("wait", str(waits_for), invoice, obstacle=waits_for)


def _contradiction(terms: Terms, invoice: Invoice) -> str | None:
    """Returns why the payment cannot be for the invoice, apart from the supplier; None if nothing contradicts it."""
    if terms.amount <= 0:
        amount = f"{plain(terms.amount)} {terms.currency or invoice.currency}"
        said = f"the ledger has {amount} for {invoice}: taken back or cancelled there, or money that came in"
        return f"{said}; if Precoro has that payment, cancel it there by hand"
    if invoice.credit_note:
        return f"{invoice} is a credit note, and those are not paid"
    if not terms.currency or terms.currency != invoice.currency:
        said = terms.currency or "no currency"
        return f"the ledger says {said}, {invoice} is in {invoice.currency or 'no currency we can read'}"
    if not is_whole(terms.amount, terms.currency):
        return f"{plain(terms.amount)} {terms.currency} is finer than the coins of the currency"
    return None


def _duplicate(payment: LedgerPayment, others: Sequence[Paid]) -> str | None:
    if not others or Paid(payment.amount, payment.paid_on) not in others:
        return None
    what = f"{plain(payment.amount)} on {payment.paid_on}"
    return f"the ledger has {what} twice for this invoice: one may be a copy"


def is_supplier(said: str, supplier: Supplier) -> bool:
    """Returns whether the ledger's name for a supplier is one of Precoro's: its id, its name, or its external id."""
    if said and said == supplier.name:
        return True  # nearly always
    known = (supplier.name, supplier.external_id or "", str(supplier.id) if supplier.id is not None else "")
    folded = _folded(said)
    return any(folded == _folded(name) for name in known if name)


def names_supplier(payment: LedgerPayment, supplier: Supplier) -> bool:
    """Returns whether the ledger names this supplier: by a name or, if it gives none, by its own id, which Precoro
    must know.
    """
    if payment.supplier is not None:
        return is_supplier(payment.supplier, supplier)
    return bool(payment.supplier_id and supplier.external_id) and is_linked(payment.supplier_id, supplier)


def is_linked(supplier_id: str | None, supplier: Supplier) -> bool:
    return _folded(supplier_id or "") == _folded(supplier.external_id or "")


def _other_supplier(terms: Terms, invoice: Invoice) -> Obstacle | None:
    """Returns the obstacle if the suppliers differ. The ledger's own id counts only if Precoro's supplier has an
    external id.
    """
    supplier = invoice.supplier
    if terms.supplier is not None and not is_supplier(terms.supplier, supplier):
        return obstacle(ObstacleKind.SUPPLIER_DIFFERS, terms.supplier, invoice, supplier.name)
    if terms.supplier_id and supplier.external_id and not is_linked(terms.supplier_id, supplier):
        return obstacle(ObstacleKind.SUPPLIER_DIFFERS, terms.supplier_id, invoice, supplier.external_id)
    return None


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    """Returns the name in the form for comparison. The results are cached, because a supplier has many payments."""
    return " ".join(name.casefold().split())


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """The facts of an intent that are needed to judge its invoice.

    names   the names that the payment may have at Precoro: our id in each form in which it may have been sent
    other   ids of payments there that a person said are not it
    booked  ids of payments there that we recorded in the ledger
    """

    invoice_id: int
    terms: Terms
    names: Collection[str]
    other: Collection[str] = ()
    booked: Collection[int] = ()


def check(planned: PlannedPayment, invoice: Invoice, ours: Collection[int], today: date) -> Verdict:
    """Decides by the invoice as it is now whether the payment may be sent.

    ours  ids of payments that other intents created
    """
    if invoice.id != planned.invoice_id:
        return Verdict("hold", f"asked for {invoice}, got another one of that number: a split invoice shares it")
    if (present := _present(planned, invoice)) is not None:
        return present
    if (reason := _unfit(planned, invoice)) is not None:
        return Verdict("hold", reason, invoice)
    if (differs := _other_supplier(planned.terms, invoice)) is not None:
        return Verdict("hold", str(differs), invoice, obstacle=differs)
    if (waits_for := _not_yet(planned, invoice, today)) is not None:
        return _waits(invoice, waits_for)
    return _fitted(planned, invoice, ours)


def _present(planned: PlannedPayment, invoice: Invoice) -> Verdict | None:
    mine = [payment for payment in invoice.payments or () if payment.external_id in planned.names]
    if standing := [payment for payment in mine if not payment.canceled]:
        return Verdict("find", f"{invoice} has it already", invoice, planned.terms.amount, standing[0])
    if unknown := [payment for payment in mine if str(payment.id) not in planned.other]:
        said = f"it was made, and cancelled in Precoro (payment {unknown[0].id})"
        return Verdict("hold", said, invoice, asks=True, about=_ids(unknown))
    return None


def _not_yet(planned: PlannedPayment, invoice: Invoice, today: date) -> Obstacle | None:
    if invoice.status not in (*PAYABLE, PAID):
        return obstacle(ObstacleKind.NOT_PAYABLE, invoice.status)
    return still_to_come(planned.terms.day, today)


def still_to_come(day: date, today: date) -> Obstacle | None:
    """Returns the obstacle if the payment is dated in the future: it is not sent before its day."""
    return obstacle(ObstacleKind.STILL_TO_COME, day) if day > today else None


def _unfit(planned: PlannedPayment, invoice: Invoice) -> str | None:
    if invoice.status in (CANCELED, DENIED):
        return f"{invoice} was {'cancelled' if invoice.status == CANCELED else 'denied'} in Precoro"
    if (reason := _contradiction(planned.terms, invoice)) is not None:
        return reason
    if invoice.remainder is None:
        return f"what {invoice} still owes cannot be read"
    if invoice.payments is None and invoice.paid:
        return f"{invoice} is partly paid, and Precoro does not show by what"
    return None


def _fitted(planned: PlannedPayment, invoice: Invoice, ours: Collection[int]) -> Verdict:
    remainder, terms = invoice.remainder, planned.terms
    assert remainder is not None
    amount = snap(terms.amount, remainder)
    equal = [
        payment
        for payment in invoice.standing
        if payment.amount in (terms.amount, amount) and payment.id not in ours and _may_be(planned, payment)
    ]
    if equal:
        [first, *_] = equal
        said = f"{invoice} already has a payment of {plain(terms.amount)} on {first.day or terms.day} (id {first.id})"
        return Verdict(
            "hold", f"{said}: it may be the same payment, entered by hand", invoice, asks=True, about=_ids(equal)
        )
    if invoice.status == PAID or not 0 < amount <= remainder:
        owes = f"{invoice} owes {plain(max(remainder, Decimal(0)))} {invoice.currency}"
        return Verdict("hold", f"the ledger has {plain(terms.amount)}, {owes}", invoice)
    return Verdict("send", "", invoice, amount)


def judge_hidden(planned: PlannedPayment, invoice: Invoice, amount: Decimal) -> Verdict | None:
    """Holds the payment if Precoro does not show everything that paid the invoice, and the hidden part may be this
    payment. Returns None if nothing keeps it from being sent.

    amount  what would be sent
    """
    question = f"what invoice {invoice.id} was paid by and does not show"
    may_be = invoice.hidden + ROUNDING_CENT >= amount or not invoice.standing
    if not (invoice.hides and may_be) or question in planned.other:
        return None
    said = f"{plain(invoice.hidden)} of {invoice} was paid by what Precoro does not show: is this payment among that?"
    said += " (`repost` sends it all the same)"
    return Verdict("hold", said, invoice, asks=True, about=[question])


def _may_be(planned: PlannedPayment, payment: Payment) -> bool:
    """Returns whether the payment may be this one. Its day may differ: bank, entry and transfer have different days,
    and a time zone may shift each. But one that we recorded in the ledger must not have another day.
    """
    other_day = bool(payment.days) and planned.terms.day not in payment.days
    known_apart = payment.id in planned.booked and other_day
    return str(payment.id) not in planned.other and not known_apart


def _ids(payments: Sequence[Payment]) -> Collection[str]:
    return [str(payment.id) for payment in payments]
