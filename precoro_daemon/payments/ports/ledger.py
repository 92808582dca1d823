"""the accounting system, as far as payments go"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.writes.permit import Permit


@dataclass(frozen=True, slots=True)
class Entry:
    """A payment that Precoro has and the ledger must get.

    key  ours, the same for every try; what the ledger recognises a repeat by
    """

    key: str
    amount: Decimal
    currency: str
    paid_on: date
    payment_id: int | None
    invoice_id: int
    invoice_idn: str
    invoice_number: str
    invoice_external_id: str
    supplier_id: int | None
    supplier_name: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a ledger can promise.

    reads   payments can be read from it
    create  "idempotent": a second create with the same key makes nothing new; "plain": it makes a second payment;
            "none": it takes no payments
    lookup  "key": `find` tells whether a payment with that key is there; "none": nobody can say
    bills   `bill` tells what is open on the bill that a payment is for
    """

    reads: bool
    create: Literal["idempotent", "plain", "none"]
    lookup: Literal["key", "none"]
    bills: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was looked at in the ledger, for the operator.

    what  such as "may create payments in journal Bank (EUR)"
    fault what is wrong with it and what to do, "" if all is well
    """

    what: str
    fault: str = ""


class Ledger(Protocol):
    """The accounting system. Its builder opens and closes it.

    All methods raise TemporaryError where the ledger cannot be reached or is busy and nothing was written,
    PermanentError where it refuses this one payment and nothing was written, FatalError where the configuration does
    not fit the ledger (no such table or column, wrong password), so that no other call can succeed either.
    """

    @property
    def name(self) -> str:
        """Names the ledger in the journal, for ever: another name is another ledger."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def recorded(self, position: str | None) -> AbstractAsyncContextManager[AsyncIterator[LedgerBatch]]:
        """Payments from that position on (None: from the beginning), oldest first, in batches of bounded size.

        At least once: one that was given before may come again, and one that was changed in the ledger comes again
        changed. Reading is idempotent; cancellation leaves nothing behind.
        """
        ...

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        """Record the payment, durably; what the ledger then has, also where it was there before.

        The permit is asked for once all is prepared. What records the payment leaves within five seconds of that, or
        not at all (TemporaryError). The caller compares what it is given with the entry before it counts. Raises
        DoubtfulError if the payment may have been recorded (cancelled while sending, the same holds), and what
        the permit does.
        """
        ...

    async def find(self, key: str) -> Receipt | None:
        """What the ledger has under that key, None if there is nothing. Needs lookup by key."""
        ...

    async def bill(self, entry: Entry) -> Bill | None:
        """The bill that the payment is for as the ledger has it now, None if it has no such bill. Needs `bills`.

        Read just before each create: people, bank lines and other programs pay bills too.
        """
        ...

    async def probe(self) -> Sequence[Probe]:
        """What can be found out without writing anything: the right to create payments, accounts and their
        currencies. One fault does not hide the others."""
        ...
