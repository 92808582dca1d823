"""the accounting system, as far as payments need it"""

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

    key  our key, the same for every attempt, by which the ledger recognises a repetition
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
    """What a ledger guarantees.

    reads   whether payments can be read from it
    create  "idempotent": a second create with the same key creates nothing new; "plain": it creates a second payment;
            "none": it accepts no payments
    lookup  "key": `find` shows whether a payment with that key exists; "none": there is no way to find out
    bills   whether `bill` returns what is open on the bill that a payment is for
    """

    reads: bool
    create: Literal["idempotent", "plain", "none"]
    lookup: Literal["key", "none"]
    bills: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was checked in the ledger, for the operator.

    what   such as "may create payments in journal Bank (EUR)"
    fault  what is wrong with it and what to do, "" if all is well
    """

    what: str
    fault: str = ""


class Ledger(Protocol):
    """The accounting system. Its builder opens and closes it.

    All methods raise TemporaryError if the ledger cannot be reached or is busy and nothing was written,
    PermanentError if it refuses this one payment and nothing was written, and FatalError if the configuration does
    not fit the ledger (no such table or column, wrong password), so that no other call can succeed either.
    """

    @property
    def name(self) -> str:
        """The ledger's name in the journal. It never changes: another name is another ledger."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def recorded(self, position: str | None) -> AbstractAsyncContextManager[AsyncIterator[LedgerBatch]]:
        """Yields payments from that position on (None: from the beginning), oldest first, in batches of bounded size.

        Delivery is at least once: a payment may be repeated, and one that was changed in the ledger is delivered
        again. Reading is idempotent; cancellation leaves nothing behind.
        """
        ...

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        """Records the payment durably, and returns what the ledger then has, even if it had it before.

        The permit is requested once everything is prepared. The request that records the payment leaves within five
        seconds of that, or not at all (TemporaryError). The caller compares the result with the entry before it
        counts. Raises DoubtfulError if the payment may have been recorded (the same holds after a cancellation while
        sending), and what the permit raises.
        """
        ...

    async def find(self, key: str) -> Receipt | None:
        """Returns the ledger's payment with that key, None if there is none. Needs lookup by key."""
        ...

    async def bill(self, entry: Entry) -> Bill | None:
        """Returns the bill that the payment is for as the ledger has it now, None if there is none. Needs `bills`.

        It is called just before each create: people, bank lines and other programs pay bills too.
        """
        ...

    async def probe(self) -> Sequence[Probe]:
        """Checks what can be checked without writing: the right to create payments, accounts and their currencies.
        One fault does not hide the others.
        """
        ...
