"""which invoices were paid at the last comparison"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice whose payments are to be checked.

    detail   its full JSON where the mirror has it up to date
    paid     it is among the paid and partly paid ones; False: it has left them
    version  what the mirror had when this was read
    """

    id: int
    idn: int | str | None
    detail: str | None
    paid: bool
    version: bytes = field(default=b"", repr=False)


class PaidSet(Protocol):
    """Which invoices were paid or partly paid at the last comparison. Writing and failing as for `Journal`."""

    async def adopted_at(self) -> float | None:
        """When the set was first taken; what was paid before is known. None: never."""
        ...

    async def adopt(self, at: float) -> None:
        """Set that time, once; a second call changes nothing."""
        ...

    async def compare(self, after: int, *, known: bool) -> tuple[int | None, int]:
        """Take in one page of the paid and partly paid invoices with an id above `after`: new and changed ones become
        due (`known`: they are taken as they are). Where the next page begins, None after the last; how many were new
        or changed."""
        ...

    async def leave(self, at: float) -> int:
        """Invoices that are no longer among them become due, each once; how many."""
        ...

    async def due(self, limit: int, *, after: int | None = None) -> Sequence[PaidInvoice]:
        """In order of their ids; `after`: only those above it."""
        ...

    async def reread(self, invoice: PaidInvoice) -> PaidInvoice:
        """With what the mirror has of it now."""
        ...

    async def again(self, invoice_id: int) -> None:
        """It is due once more, whatever the mirror says."""
        ...

    async def done(self, invoice: PaidInvoice) -> None:
        """Its payments are in the journal; it is due again when it changes."""
        ...
