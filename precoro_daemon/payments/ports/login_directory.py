"""what can be chosen after a login: companies, bank accounts or journals, and which bills are open"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Organisation:
    """A company in the books.

    currency  of its books, "" if unknown
    """

    id: str
    name: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account, or a journal, from which payments can be made.

    id  its name in the configuration
    """

    id: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class OpenBill:
    """An unpaid bill: its id in the books, every number it has, and the supplier's name."""

    id: str
    numbers: Sequence[str]
    supplier: str


class LoginDirectory(Protocol):
    """Only reads. All methods raise LoginFailed if the user may not read this, LedgerMisfit, TemporaryError."""

    async def organisations(self) -> Sequence[Organisation]: ...

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        """Returns the accounts in use, by name."""
        ...

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:
        """Returns open bills, at most a thousand, as a sample."""
        ...
