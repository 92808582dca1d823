"""which invoice a payment in the books is for, and whether it may be sent"""

# What is not certain is held back: the price of a guess is somebody's money.

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from precoro_daemon.payments.rules.invoices import CANCELED, DENIED, PAID, PAYABLE, Invoice, Payment, Supplier
from precoro_daemon.values.money import is_whole, plain, snap

MatchBy = Literal["external_id", "id", "idn", "number_and_supplier"]


@dataclass(frozen=True, slots=True)
class LedgerPayment:
    """A payment in the books, as they have it: what they claim was paid on which invoice.

    key       the books' own id of the payment
    invoice   what the books call the invoice
    currency  "" if they do not say
    supplier  None if they do not say
    ours      the key of the intent it was made from, if we made it
    """

    key: str
    invoice: str
    amount: Decimal
    currency: str
    day: date
    supplier: str | None = None
    ours: str | None = None

    @property
    def facts(self) -> str:
        """What an intent carries of it: differs if the books say something else."""
        said = (self.invoice, plain(self.amount), self.currency, self.day.isoformat(), self.supplier or "")
        return "|".join(said)

    def __str__(self) -> str:
        return f"payment {self.key} of {plain(self.amount)} {self.currency} on {self.day} for {self.invoice}".replace(
            "  ", " "
        )


def name_in(facts: str) -> str:
    """What the books call the invoice, by `Claim.facts`."""
    return facts.rsplit("|", 4)[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a payment.

    kind   plan: it becomes an intent · send: it may be sent now · find: Precoro has it already · hold: a person
           decides · wait: not yet, and nothing is wrong
    asks   a person has to look at the other side, whatever the books say by then
    about  what they have to look at there: once they said that it is another payment, it is not asked about again
    """

    kind: Literal["plan", "send", "find", "hold", "wait"]
    reason: str = ""
    invoice: Invoice | None = None
    amount: Decimal = Decimal(0)
    payment: Payment | None = None
    asks: bool = False
    about: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of ours on the same invoice, under way or done."""

    amount: Decimal
    day: date


def match(claim: LedgerPayment, candidates: Sequence[Invoice], by: MatchBy, others: Sequence[Paid] = ()) -> Verdict:
    """Which of the invoices that bear the name the claim is for.

    candidates  every invoice of that name that Precoro still has
    others      what we already send or sent for the one it will be matched with
    """
    live = [invoice for invoice in candidates if invoice.status not in (CANCELED, DENIED)]
    if by == "number_and_supplier":
        if claim.supplier is None:
            return Verdict("hold", "the books name no supplier, and a number alone may be another supplier's invoice")
        live = [invoice for invoice in live if is_supplier(claim.supplier, invoice.supplier)]
    if len(live) != 1:
        return _not_one(live)
    [invoice] = live
    reason = _contradiction(claim, invoice) or _duplicate(claim, others)
    if reason:
        return Verdict("hold", reason, invoice, claim.amount)
    if invoice.status not in PAYABLE:
        return Verdict("wait", f"{invoice} has status {invoice.status} and cannot be paid now", invoice)
    return Verdict("plan", "", invoice, claim.amount)


def _not_one(live: Sequence[Invoice]) -> Verdict:
    if not live:
        return Verdict("wait", "Precoro has no such invoice")
    named = ", ".join(f"{invoice} (id {invoice.id})" for invoice in live[:5])
    return Verdict("hold", f"ambiguous: {len(live)} invoices bear that name: {named}")


def _contradiction(claim: LedgerPayment, invoice: Invoice) -> str:
    """What speaks against it by the facts of the books and of the invoice alone; "" if nothing does."""
    amount = f"{plain(claim.amount)} {claim.currency or invoice.currency}"
    if claim.amount <= 0:
        return f"the books have {amount} for {invoice}: taken back or cancelled there; undo it in Precoro by hand"
    if invoice.credit_note:
        return f"{invoice} is a credit note, and those are not paid"
    if not claim.currency or claim.currency != invoice.currency:
        told = claim.currency or "no currency"
        return f"the books say {told}, {invoice} is in {invoice.currency or 'no currency we can read'}"
    if claim.supplier is not None and not is_supplier(claim.supplier, invoice.supplier):
        return f"the books name the supplier {claim.supplier!r}, {invoice} has {invoice.supplier.name!r}"
    if not is_whole(claim.amount, claim.currency):
        return f"{amount} is finer than the coins of the currency"
    return ""


def _duplicate(claim: LedgerPayment, others: Sequence[Paid]) -> str:
    if Paid(claim.amount, claim.day) in others:
        return f"the books have {plain(claim.amount)} on {claim.day} twice for this invoice: one may be a copy"
    return ""


def is_supplier(told: str, supplier: Supplier) -> bool:
    """Whether the books' word for a supplier is one of Precoro's: its id, its name, its external id."""
    known = (str(supplier.id) if supplier.id is not None else "", supplier.name, supplier.external_id or "")
    return _folded(told) in {_folded(name) for name in known if name}


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


@dataclass(frozen=True, slots=True)
class Order:
    """An intent as far as the invoice is judged for it.

    names  what the payment may be called at Precoro: our id in each form it may have been sent in
    other  ids of payments there that are not it, by the word of a person
    booked ids of payments there that the books have already, by rows that we made
    """

    invoice_id: int
    amount: Decimal
    currency: str
    day: date
    supplier: str | None
    names: Collection[str]
    other: Collection[str] = ()
    booked: Collection[int] = ()


def check(order: Order, invoice: Invoice, ours: Collection[int], today: date) -> Verdict:
    """Whether it may be sent, by the invoice as it is now. `ours`: ids of payments that other intents made."""
    if invoice.id != order.invoice_id:
        return Verdict("hold", f"asked for {invoice}, got another one of that number: a split invoice shares it")
    if (present := _present(order, invoice)) is not None:
        return present
    if reason := _unfit(order, invoice):
        return Verdict("hold", reason, invoice)
    if reason := _not_yet(order, invoice, today):
        return Verdict("wait", reason, invoice)
    return _fitted(order, invoice, ours)


def _present(order: Order, invoice: Invoice) -> Verdict | None:
    mine = [payment for payment in invoice.payments or () if payment.external_id in order.names]
    if standing := [payment for payment in mine if not payment.canceled]:
        return Verdict("find", f"{invoice} has it already", invoice, order.amount, standing[0])
    if unknown := [payment for payment in mine if str(payment.id) not in order.other]:
        said = f"it was made, and cancelled in Precoro (payment {unknown[0].id})"
        return Verdict("hold", said, invoice, asks=True, about=_ids(unknown))
    return None


def _not_yet(order: Order, invoice: Invoice, today: date) -> str:
    if invoice.status not in (*PAYABLE, PAID):
        return f"{invoice} has status {invoice.status} and cannot be paid now"
    return f"it is dated {order.day}, which is still to come" if order.day > today else ""


def _unfit(order: Order, invoice: Invoice) -> str:
    if invoice.status in (CANCELED, DENIED):
        return f"{invoice} was {'cancelled' if invoice.status == CANCELED else 'denied'} in Precoro"
    claim = LedgerPayment("", "", order.amount, order.currency, order.day, order.supplier)
    if reason := _contradiction(claim, invoice):
        return reason
    if invoice.remainder is None:
        return f"what {invoice} still owes cannot be read"
    if invoice.payments is None and invoice.paid:
        return f"{invoice} is partly paid, and Precoro does not show by what"
    return ""


def _fitted(order: Order, invoice: Invoice, ours: Collection[int]) -> Verdict:
    remainder = invoice.remainder
    assert remainder is not None
    amount = snap(order.amount, remainder)
    equal = [
        payment
        for payment in invoice.standing
        if payment.amount in (order.amount, amount) and payment.id not in ours and _may_be(order, payment)
    ]
    if equal:
        [first, *_] = equal
        said = f"{invoice} already has a payment of {plain(order.amount)} on {first.day or order.day} (id {first.id})"
        return Verdict(
            "hold", f"{said}: it may be this one, typed by a person", invoice, asks=True, about=_ids(equal)
        )
    if invoice.status == PAID or amount > remainder:
        owes = f"{invoice} owes {plain(max(remainder, Decimal(0)))} {invoice.currency}"
        return Verdict("hold", f"the books paid {plain(order.amount)}, {owes}", invoice)
    return Verdict("send", "", invoice, amount)


def _may_be(order: Order, payment: Payment) -> bool:
    """Whatever its day: the bank's, the entry's and the transfer's are three, and a time zone may shift each."""
    known_apart = payment.id in order.booked and order.day not in payment.days
    return str(payment.id) not in order.other and not known_apart


def _ids(payments: Sequence[Payment]) -> Collection[str]:
    return [str(payment.id) for payment in payments]
