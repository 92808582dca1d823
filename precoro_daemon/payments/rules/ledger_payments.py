"""a payment of the ledger, from its row to the decision"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from precoro_daemon.payments.rules.events import Terms
from precoro_daemon.values.money import plain

_WRITTEN_FACTS = re.compile(r"(.*?)\|-?[0-9]+\.[0-9]{2,}\|[^|]*\|[0-9]{4}-[0-9]{2}-[0-9]{2}\|.*", re.DOTALL)
"""The format of `LedgerPayment.facts`. The names of invoices and suppliers may contain any characters."""


@dataclass(frozen=True, slots=True)
class LedgerPayment:
    """A payment as the ledger has it: its amount may be zero or negative, its date in the future.

    key          the ledger's own id of the payment, never used for another one
    invoice      the ledger's name for the invoice; the configuration says which of Precoro's names that is
    amount       exact, in units of the currency
    currency     ISO 4217 in capitals, "" if unknown
    paid_on      the day the money moved
    supplier     the ledger's name for the supplier, None if unknown
    supplier_id  the ledger's own id of the supplier; only a supplier with an external id at Precoro can differ
    ours         the key of the `Entry` with which we created it, None if it is not ours or the ledger keeps no keys
    row          the content of its row in a file, None if payments come from no file; the same row is the same
                 payment, even if changed settings make another key of it
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
        """The content that an intent carries, as text: it differs if the ledger says something else."""
        supplier = (self.supplier or "") + (f"\x1f{self.supplier_id}" if self.supplier_id else "")
        said = (self.invoice, plain(self.amount), self.currency, self.paid_on.isoformat(), supplier)
        return "|".join(said)

    @property
    def terms(self) -> Terms:
        """The terms that an intent takes over from the payment."""
        return Terms(self.amount, self.currency, self.paid_on, self.supplier, self.supplier_id)

    def __str__(self) -> str:
        currency = f" {self.currency}" if self.currency else ""
        return f"payment {self.key} of {plain(self.amount)}{currency} on {self.paid_on} for {self.invoice}"


def invoice_in(facts: str) -> str:
    """Returns the ledger's name for the invoice from `LedgerPayment.facts`."""
    found = _WRITTEN_FACTS.fullmatch(facts)
    return found[1] if found else facts


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row of the ledger that is not readable as a payment: its place, what is wrong, and what was read."""

    key: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Undone:
    """A document of the ledger, by its key, that no longer has what it had.

    Its payment, and its parts (whose keys are its own, a slash and more), now count as payments of zero, except
    those in `kept`.

    alone  whether it is a row without parts; then a row that happens to be called "100/1" is no part of row "100"
    """

    key: str
    kept: Collection[str] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class LedgerBatch:
    """A batch of the ledger's payments. Reading continues at `position` once all of them are stored durably."""

    payments: Sequence[LedgerPayment]
    unreadable: Sequence[UnreadableRow]
    position: str
    undone: Sequence[Undone] = ()
