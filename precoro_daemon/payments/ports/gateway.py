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
    """An invoice as it is now, when that was by Precoro's clock (Unix seconds, None if it did not say), and its JSON
    exactly as it came."""

    invoice: Invoice
    server_time: float | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment as it is sent. `external_id` is what it is to be called, "" for nothing."""

    invoice_id: int
    amount: Decimal
    day: date
    external_id: str = ""


class PaymentGateway(Protocol):
    """Paying invoices at Precoro, ahead of everything else that wants to call it.

    Reading and failing as for `Precoro`, with retries. Setting what a document is called is idempotent.
    """

    async def read_invoice(self, idn: int | str) -> Fresh:
        """The invoice with its payments. Precoro refuses an identical GET within a minute: may wait as long. Raises
        InvoiceUnfit besides, where it came and cannot be read."""
        ...

    async def create_payment(self, payment: PaymentRequest, permit: Permit) -> Outcome[Payment]:
        """One request, on a connection of its own, never repeated.

        Nothing leaves unless it can within 5 s of the permit. Raises only what `permit` does, or what happened before
        it was called: BudgetSpent, AuthenticationError, Stopped. Cancelled after the permit, it may have been sent.
        """
        ...

    async def name_payment(self, idn: int | str, external_id: str) -> None:
        """Give a payment this external id."""
        ...

    async def log_invoice(self, idn: int | str, text: str) -> None:
        """What stands on the invoice for people as the result of its last synchronisation."""
        ...

    async def find_payments(self, external_ids: Collection[str]) -> Sequence[Payment]:
        """Payments called so, up to 200 names. That one is not among them proves nothing."""
        ...
