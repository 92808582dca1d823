"""what may be chosen after a login: companies, bank accounts or journals, and what bills are open"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Organisation:
    """A company in the books. currency: that of its books, "" where that is not known"""

    id: str
    name: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """What payments may be made from: a bank account, or a journal. id: what the configuration names it by"""

    id: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill that is not paid: its id in the books, every number that it bears, and the supplier's name."""

    id: str
    numbers: Sequence[str]
    supplier: str


class LoginDirectory(Protocol):
    """Reads alone. All raise LoginFailed where the user may not read this, LedgerMisfit, TemporaryError."""

    async def organisations(self) -> Sequence[Organisation]: ...

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        """Those in use, by name."""
        ...

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:
        """A thousand at most: it is a sample."""
        ...
