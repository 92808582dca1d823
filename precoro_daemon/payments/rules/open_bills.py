"""whether a bill, as the ledger has it now, has room for a payment"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from precoro_daemon.payments.rules.events import Asked, Hold, Postpone, Terms
from precoro_daemon.payments.rules.invoices import Invoice
from precoro_daemon.payments.rules.obstacles import ObstacleKind, obstacle
from precoro_daemon.payments.rules.receipts import Bill
from precoro_daemon.values.money import ROUNDING_CENT, plain

Judgement = tuple[Hold | Postpone | None, str]
"""The event that keeps the payment from being recorded now, None if nothing does, and the reason."""


def judge_bill(terms: Terms, bill: Bill | None, known_open: Decimal | None, answered: frozenset[str]) -> Judgement:
    """Judges a payment by its bill, read just before recording.

    known_open  what should be open on it as far as we know, None if unknown
    answered    what a person has answered about this payment
    """
    if bill is None or bill.closed:
        waits_for = obstacle(ObstacleKind.BILL_CLOSED, bill.closed if bill else "it is not there (yet)")
        return Postpone(waits_for), str(waits_for)
    if bill.currency != terms.currency:
        return Hold(), f"the bill in the ledger is in {bill.currency}, the payment in {terms.currency}"
    open_now = f"{plain(bill.open)} {bill.currency} is open on the bill in the ledger"
    if terms.amount > bill.open:
        return Hold(), f"{open_now}, and this payment is {plain(terms.amount)}: somebody may have paid it there"
    question = f"what is open on bill {bill.key}"
    if known_open is not None and bill.open + ROUNDING_CENT < known_open and question not in answered:
        return Hold(Asked(frozenset({question}))), (
            f"{open_now}, and {plain(known_open)} should be: somebody else paid {plain(known_open - bill.open)} of it"
            " there; is this payment among that? (`repost` records it all the same)"
        )
    return None, ""


def known_open(invoice: Invoice, amount: Decimal, elsewhere: Sequence[Decimal]) -> Decimal | None:
    """Returns what should be open on the bill before this payment is recorded in the ledger; None if unknown.

    The payment's amount is already paid at Precoro, but not yet in the ledger. Conversely, the ledger has payments
    that Precoro still lacks.

    elsewhere  amounts of payments that the ledger shows and that Precoro does not have from us
    """
    if invoice.remainder is None or invoice.total is None:
        return None
    # If the mirror lacks the payment, the sum would exceed the whole bill.
    return min(invoice.remainder + amount, invoice.total) - sum(elsewhere, Decimal(0))
