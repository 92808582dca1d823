"""a payment as the ledger has it, from its row to the decision"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from precoro_daemon.payments.rules.events import Terms
from precoro_daemon.values.money import plain

_WRITTEN_FACTS = re.compile(r"(.*?)\|-?[0-9]+\.[0-9]{2,}\|[^|]*\|[0-9]{4}-[0-9]{2}-[0-9]{2}\|.*", re.DOTALL)
"""As `LedgerPayment.facts` writes them. The names of invoices and suppliers have whatever signs people like."""


@dataclass(frozen=True, slots=True)
class LedgerPayment:
    """A payment in the ledger, as the ledger has it: its amount may be zero or negative, its date in the future.

    key       the ledger's own id of the payment, never used for another one
    invoice   what the ledger calls the invoice; the configuration says which of Precoro's names for it that is
    amount    exact, in units of the currency
    currency  ISO 4217 in capitals; "" if the ledger does not say
    paid_on   the day the money moved
    supplier  what the ledger calls the supplier, None if it does not say
    supplier_id  the ledger's own id of the supplier: only a supplier that Precoro knows by an external id can differ
              from it
    ours      the key of the `Entry` we once created it with, None if it is not ours or the ledger does not keep keys
    row       what stands in its row of a file, whatever the settings take it for: the same row is the same payment,
              also under settings that make another key of it. None where payments come from no file
    """

    key: str
    invoice: str
    amount: Decimal
    currency: str
    paid_on: date
    supplier: str | None = None
    ours: str | None = None
    supplier_id: str | None = None
    row: str | None = field(default=None, compare=False)

    @property
    def facts(self) -> str:
        """What an intent carries of it: differs if the ledger says something else."""
        supplier = (self.supplier or "") + (f"\x1f{self.supplier_id}" if self.supplier_id else "")
        said = (self.invoice, plain(self.amount), self.currency, self.paid_on.isoformat(), supplier)
        return "|".join(said)

    @property
    def terms(self) -> Terms:
        """What an intent takes over from it."""
        return Terms(self.amount, self.currency, self.paid_on, self.supplier, self.supplier_id)

    def __str__(self) -> str:
        currency = f" {self.currency}" if self.currency else ""
        return f"payment {self.key} of {plain(self.amount)}{currency} on {self.paid_on} for {self.invoice}"


def invoice_in(facts: str) -> str:
    """What the ledger calls the invoice, by `LedgerPayment.facts`."""
    found = _WRITTEN_FACTS.fullmatch(facts)
    return found[1] if found else facts


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row of the ledger that is no payment we can read: where it stands, what is wrong, and what was read."""

    key: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Undone:
    """A document of the ledger, by its key, that has no longer what it had.

    Of its payment, and of its parts (whose keys begin with its own and a slash), all but those in `kept` amount to
    nothing now. `alone`: it is a row that has no parts, and who writes such rows may call another one "100/1".
    """

    key: str
    kept: Collection[str] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class LedgerBatch:
    """Some of the ledger's payments. `position` is where reading goes on once all of them are durable on our side."""

    payments: Sequence[LedgerPayment]
    unreadable: Sequence[UnreadableRow]
    position: str
    undone: Sequence[Undone] = ()
