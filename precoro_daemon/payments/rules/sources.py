"""the source of an intent, and the ids derived from it"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha1
from typing import Literal
from uuid import UUID

from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.values.money import plain

_NAMESPACE = UUID("5a1cf6f8-7d1d-5e0b-9f5e-1f3f1f0f3b55")
"""Never changed: a lost store must derive the ids that are already at Precoro and in the ledger."""


@dataclass(frozen=True, slots=True)
class LedgerSource:
    """A payment in the ledger, by the ledger's own key."""

    key: str

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class PrecoroPayment:
    """A payment at Precoro, by Precoro's id."""

    id: int

    def __str__(self) -> str:
        return str(self.id)


@dataclass(frozen=True, slots=True)
class HiddenRest:
    """A sum that Precoro says was paid on the invoice, and for which it shows no payment."""

    invoice_id: int
    amount: Decimal

    def __str__(self) -> str:
        return f"rest of {self.invoice_id}: {plain(self.amount)}"


Source = LedgerSource | PrecoroPayment | HiddenRest

_PAYMENT = "payment:"
_REST = re.compile(r"rest of (\d+): (.+)")


def source_text(source: Source) -> str:
    """Returns the stored form of a source, from which the id of its intent is derived: it never changes."""
    return f"{_PAYMENT}{source.id}" if isinstance(source, PrecoroPayment) else str(source)


def read_source(direction: Direction, text: str) -> Source:
    """Returns the source that `source_text` wrote. A payment to Precoro always comes from the ledger, whatever its
    key resembles.
    """
    if direction is Direction.TO_PRECORO:
        return LedgerSource(text)
    if rest := _REST.fullmatch(text):
        return HiddenRest(int(rest[1]), Decimal(rest[2]))
    return PrecoroPayment(int(text.removeprefix(_PAYMENT)))


def intent_id(company: str, ledger: str, source: Source, invoice: int | None) -> str:
    """Returns the id of an intent: the same for the same payment, even after a loss of the store. `invoice` is None
    while it is unknown.
    """
    parts = (company, ledger, source_text(source), "" if invoice is None else str(invoice))
    # The result of `uuid.uuid5` in a third of its time: a lap derives thousands.
    text = sha1(_NAMESPACE.bytes + "|".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:32]}"


def external_id(intent: str, form: Literal["uuid", "number"]) -> str:
    """Returns the payment's name at Precoro. As a number it has at most 18 digits, which fit 64 bits."""
    return intent if form == "uuid" else str(UUID(intent).int % 10**18)
