"""compares what the ledger recorded, and what is open on a bill, with what was meant"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from precoro_daemon.payments.rules.events import Terms
from precoro_daemon.values.money import plain

_NO_IDS = frozenset({"false", "none", "null"})
"""What some ledgers return as text for a missing id."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment of ours as the ledger has it. Unknown values are None.

    key       the ledger's own id of the payment
    amount    the recorded amount, in units of its currency
    currency  ISO 4217 in capitals
    paid_on   the recorded day
    invoice   the ledger's name for the bill that it pays, as in `LedgerPayment.invoice`
    """

    key: str
    amount: Decimal | None = None
    currency: str | None = None
    paid_on: date | None = None
    invoice: str | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A supplier's bill as the ledger has it.

    key       the ledger's own id of the bill
    open      what is left to pay on it, in units of its currency
    currency  ISO 4217 in capitals
    closed    why no payment can be recorded for it (a draft, cancelled), "" if one can
    """

    key: str
    open: Decimal
    currency: str
    closed: str = ""


def fault(receipt: Receipt, terms: Terms, invoice: str | None) -> str:
    """Returns why the payment does not count as recorded, for people; "" if it does.

    invoice  the ledger's name for the bill, None if unknown
    """
    if usable_id(receipt.key) is None:
        return f"the ledger answered with {receipt.key!r} where the id of the payment belongs: look whether it has it"
    return difference(receipt, terms, invoice)


def usable_id(key: str) -> str | None:
    """Returns the id, None for a placeholder: zeros, also in the form of a UUID, or a word for nothing."""
    said = key.strip().lower()
    return key if said.strip("0-") and said not in _NO_IDS else None


def difference(receipt: Receipt, terms: Terms, invoice: str | None) -> str:
    """Returns how the recorded payment differs from the one sent, for people; "" if nothing that it says differs.

    invoice  the ledger's name for the bill, None if unknown
    """
    pairs = (
        ("amount", receipt.amount, terms.amount),
        ("currency", receipt.currency, terms.currency),
        ("day", receipt.paid_on, terms.day),
        ("bill", receipt.invoice, invoice),
    )
    said = [
        f"{what} {_shown(recorded)} instead of {_shown(sent)}"
        for what, recorded, sent in pairs
        if recorded is not None and sent is not None and recorded != sent
    ]
    return "the ledger recorded " + ", ".join(said) if said else ""


def _shown(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
