"""paying invoices at Precoro"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.writes.outcome import Outcome
from precoro_daemon.writes.permit import Permit


@dataclass(frozen=True, slots=True)
class Fresh:
    """An invoice as it is now, the time of the answer by Precoro's clock (Unix seconds, None if unknown), and its
    JSON exactly as it was received.
    """

    invoice: Invoice
    server_time: float | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment as it is sent.

    external_id  the name it gets at Precoro, "" for none
    """

    invoice_id: int
    amount: Decimal
    day: date
    external_id: str = ""


class PaymentGateway(Protocol):
    """Paying invoices at Precoro, with precedence over every other call to it.

    Reading fails as for `Precoro`, with retries. Setting a document's external id is idempotent.
    """

    async def read_invoice(self, idn: int | str) -> Fresh:
        """Returns the invoice with its payments. May wait a minute, because Precoro refuses an identical GET within
        one.

        Also raises InvoiceUnfit if the invoice arrived and is unreadable.
        """
        ...

    async def create_payment(self, payment: PaymentRequest, permit: Permit) -> Outcome[Payment]:
        """Sends one request on its own connection, and never repeats it.

        Nothing leaves later than 5 s after the permit. Raises only what `permit` raises, or what happened before it
        was called: BudgetSpent, AuthenticationError, Stopped. If cancelled after the permit, it may have been sent.
        """
        ...

    async def name_payment(self, idn: int | str, external_id: str) -> None:
        """Sets a payment's external id."""
        ...

    async def log_invoice(self, idn: int | str, text: str) -> None:
        """Sets the text that the invoice shows people as the result of its last synchronisation."""
        ...

    async def find_payments(self, external_ids: Collection[str]) -> Sequence[Payment]:
        """Returns the payments with these names, of up to 200. The absence of one proves nothing."""
        ...
