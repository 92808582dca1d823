"""the accounting system, as far as payments go"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payment in the books, as the books have it: its amount may be zero or negative, its date in the future.

    key       the ledger's own id of the payment, never used for another one
    invoice   what the ledger calls the invoice; the configuration says which of Precoro's names for it that is
    amount    exact, in units of the currency
    currency  ISO 4217 in capitals; "" if the ledger does not say
    paid_on   the day the money moved
    supplier  what the ledger calls the supplier, None if it does not say
    ours      the key of the `Entry` we once created it with, None if it is not ours or the ledger does not keep keys
    """

    key: str
    invoice: str
    amount: Decimal
    currency: str
    paid_on: date
    supplier: str | None = None
    ours: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row of the books that is no payment we can read: where it stands, what is wrong, and what was read."""

    key: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Undone:
    """A document of the books, by its key, that has no longer what it had.

    Of its payment, and of its parts (whose keys begin with its own and a slash), all but those in `kept` amount to
    nothing now.
    """

    key: str
    kept: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the books' payments. `position` is where reading goes on once all of them are durable on our side."""

    payments: Sequence[Recorded]
    unreadable: Sequence[Unreadable]
    position: str
    undone: Sequence[Undone] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A payment that Precoro has and the books must get.

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
    lookup  "key": `find` tells whether a payment with that key is there; "none": nobody can tell
    """

    reads: bool
    create: Literal["idempotent", "plain", "none"]
    lookup: Literal["key", "none"]


class Ledger(Protocol):
    """The accounting system. Opened and closed by whoever builds it.

    All methods raise TemporaryError where the ledger cannot be reached or is busy and nothing was written,
    PermanentError where it refuses this one payment and nothing was written, FatalError where the configuration does
    not fit the ledger (no such table or column, wrong password), so that no other call can succeed either.
    """

    @property
    def name(self) -> str:
        """Names the books in the journal, for ever: another name is another ledger."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def recorded(self, position: str | None) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Payments from that position on (None: from the beginning), oldest first, in batches of bounded size.

        At least once: one that was given before may come again, and one that was changed in the books comes again
        changed. Reading is idempotent; cancellation leaves nothing behind.
        """
        ...

    async def create(self, entry: Entry) -> str:
        """Record the payment, durably; the ledger's own id of it, also where it was there before.

        Raises DoubtfulError if it may have been recorded; cancelled while sending, the same holds.
        """
        ...

    async def find(self, key: str) -> str | None:
        """The ledger's own id of the payment created under that key, None if there is none. Needs lookup by key."""
        ...
