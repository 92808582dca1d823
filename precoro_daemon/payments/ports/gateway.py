"""paying invoices at Precoro"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

from precoro_daemon.errors import DaemonError
from precoro_daemon.payments.rules.invoices import Invoice, Payment


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the one request.

    kind     accepted: answered with an id · refused: Precoro said no in its own words · unsent: nothing of it left,
             or a documented 429 · unknown: everything else
    text     what was said or what happened, fit for a log
    ended    what keeps every other call from leaving too, None if nothing does
    """

    kind: Literal["accepted", "refused", "unsent", "unknown"]
    text: str = ""
    payment: Payment | None = None
    ended: DaemonError | None = None


Permit = Callable[[str], Awaitable[None]]
"""Called once with a hash of the body, when the request may leave; makes that durable, or raises and it does not."""


class PaymentGateway(Protocol):
    """Paying invoices at Precoro, ahead of everything else that wants to call it.

    Reading and failing as for `Precoro`, with retries. Setting what a document is called is idempotent.
    """

    async def read_invoice(self, idn: int | str) -> Fresh:
        """The invoice with its payments. Precoro refuses an identical GET within a minute: may wait as long."""
        ...

    async def pay(self, order: PaymentRequest, permit: Permit) -> Outcome:
        """One request on the wire, on a connection of its own, never repeated.

        Nothing leaves unless it can within 5 s of the permit. Raises only what `permit` does, or what happened before
        it was asked: BudgetSpent, AuthenticationError, Stopped. Cancelled after the permit: it may have been sent.
        """
        ...

    async def mark_payment(self, idn: int | str, external_id: str) -> None:
        """Let a payment be called so."""
        ...

    async def log_invoice(self, idn: int | str, text: str) -> None:
        """What stands on the invoice for people as the result of its last synchronisation."""
        ...

    async def find_payments(self, external_ids: Collection[str]) -> Sequence[Payment]:
        """Payments called so, up to 200 names. That one is not among them proves nothing."""
        ...
