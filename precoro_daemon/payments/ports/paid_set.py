"""which invoices were paid at the last comparison"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice whose payments are to be checked.

    detail   its full JSON if the mirror has it up to date
    paid     whether it is paid or partly paid; False: it no longer is
    version  the mirror's version when this was read
    """

    id: int
    idn: int | str | None
    detail: str | None
    paid: bool
    version: bytes = field(default=b"", repr=False)


class PaidSet(Protocol):
    """The invoices that were paid or partly paid at the last comparison. Writing and errors as for `Journal`."""

    async def adopted_at(self) -> float | None:
        """Returns the time before which payments count as known (Unix seconds), None if the set was never taken."""
        ...

    async def adopt(self, at: float) -> None:
        """Sets that time, once; a second call changes nothing."""
        ...

    async def compare(self, after: int, *, known: bool) -> tuple[int | None, int]:
        """Compares one page of the paid and partly paid invoices, those with an id above `after`. New and changed
        ones become due, or are taken as known if `known`. Returns the `after` of the next page, None after the
        last, and how many were new or changed.
        """
        ...

    async def leave(self, at: float) -> int:
        """Makes invoices due, each once, that are no longer paid, and returns their number."""
        ...

    async def due(self, limit: int, *, after: int | None = None) -> Sequence[PaidInvoice]:
        """Returns due invoices in the order of their ids, those above `after` if given."""
        ...

    async def reread(self, invoice: PaidInvoice) -> PaidInvoice:
        """Returns the invoice as the mirror has it now."""
        ...

    async def again(self, invoice_id: int) -> None:
        """Makes it due once more, whatever the mirror says."""
        ...

    async def done(self, invoice: PaidInvoice) -> None:
        """Records that its payments are in the journal; it is due again when it changes."""
        ...
