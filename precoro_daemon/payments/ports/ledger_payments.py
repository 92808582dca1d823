"""what the ledger says was paid, as last read"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, UnreadableRow
from precoro_daemon.payments.rules.matching import MatchBy, Paid


@dataclass(frozen=True, slots=True)
class MatchCandidate:
    """A payment of the ledger and what it may be for.

    candidates  the invoices Precoro still has that bear the name, as the mirror has them
    others      what was sent or is being sent for the only candidate
    exports     payments that we made in the ledger for it, or may have made, and that did not come back from there so
                far: one of them may be this very payment
    """

    payment: LedgerPayment
    candidates: Sequence[Invoice]
    others: Sequence[Paid] = ()
    exports: Sequence[Intent] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """An intent, and what the ledger now says of its payment. `dropped`: a person does not want it sent; `moved`: the
    ledger calls the invoice otherwise than before."""

    intent: Intent
    payment: LedgerPayment
    dropped: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class LinkedPayment:
    """A payment of the ledger as last read.

    intent      which one carries it; None: none does
    changed     it says something else than its intent carries
    unreadable  why its row cannot be read now, None if it can
    moved       the ledger calls the invoice otherwise than its intent knows
    """

    payment: LedgerPayment
    intent: str | None
    changed: bool
    unreadable: str | None = None
    moved: bool = False


class LedgerPayments(Protocol):
    """What the ledger says was paid, as last read. Writing and failing as for `Journal`."""

    async def position(self, ledger: str) -> str | None: ...

    async def reading(self, ledger: str) -> str | None:
        """The fingerprint of the settings by which the ledger was read so far; None: not known."""
        ...

    async def note_reading(self, ledger: str, settings: str) -> None:
        """It is read by these settings."""
        ...

    async def reread(self, ledger: str, settings: str, at: float, reason: str) -> None:
        """Forget the position, note the settings, and journal why: all or nothing. What was taken in stays, and a
        payment that comes again as it was is no news."""
        ...

    async def forget_gone(self, ledger: str, since: float) -> int:
        """Rows that could not be read, and that a reading of the whole ledger since then did not bring; how many."""
        ...

    async def new_unreadable(self, ledger: str, rows: Sequence[UnreadableRow]) -> Sequence[UnreadableRow]:
        """Those of these that nobody knows of so far, or of which something else is said."""
        ...

    async def dismiss(self, ledger: str, key: str, at: float, reason: str) -> bool:
        """Do not show an unreadable row any more, unless it changes; journalled. False if there is none."""
        ...

    async def unmatched(self, ledger: str, by: MatchBy, limit: int) -> Sequence[MatchCandidate]:
        """Payments that no intent carries, the newest first, with every invoice that bears the name, paid or not;
        those among them that carry a key of ours were made by nobody this store knows."""
        ...

    async def take_unmentioned(self, ledger: str, by: MatchBy, limit: int) -> tuple[int, Sequence[MatchCandidate]]:
        """How many of those were not mentioned before, and some of them; from now on all of them were."""
        ...

    async def take_in(self, ledger: str, batch: LedgerBatch, at: float) -> int:
        """Payments and position, all or nothing; how many are new or changed. What we made ourselves is noted so."""
        ...

    def match_candidates(self, ledger: str, by: MatchBy) -> AsyncIterator[Sequence[MatchCandidate]]:
        """Payments that no intent carries and for which the mirror has an invoice that can be paid, and those that
        take something back; oldest first. Without those whose row cannot be read now.

        In batches of bounded size. Which payments they are is as of the first batch; what is said of each is as of
        its own."""
        ...

    async def changed(self, ledger: str) -> Sequence[Changed]:
        """Intents whose payment says something else by now: planned ones, confirmed ones, and of those that were
        held, refused, dropped or taken back by the ledger the ones of which nothing can be at Precoro."""
        ...

    async def linked(self, ledger: str, key: str) -> LinkedPayment | None:
        """The payment of that key; None if the ledger never had it."""
        ...

    async def changed_entries(self, ledger: str) -> Sequence[Changed]:
        """The same for what we made in the ledger."""
        ...

    async def recognise(self, ledger: str, key: str) -> None:
        """If the payment is what a confirmed intent made in the ledger, that intent carries it."""
        ...

    async def candidates(self, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
        """The invoice and those that bear its name, as the mirror has them."""
        ...

    async def invoices_named(self, by: MatchBy, name: str) -> Sequence[Invoice]:
        """Those that the ledger could mean by that name, as the mirror has them."""
        ...

    async def accept(self, ledger: str, payment: LedgerPayment) -> None:
        """What the payment says is what its intent carries."""
        ...

    async def free(self, ledger: str, key: str) -> None:
        """No intent carries the payment any more."""
        ...

    async def named(self, ledger: str, name: str) -> Sequence[LedgerPayment]:
        """The payments for the invoice that the ledger calls so."""
        ...

    async def enriched(self, invoice: Invoice) -> Invoice:
        """The invoice with what the mirror knows of its supplier, and what it knows of payments shown in part."""
        ...

    async def mirrored_payment(self, remote_id: str) -> Payment | None:
        """A payment as the mirror has it; None if it does not have it."""
        ...

    async def detailed_invoice(self, invoice_id: int) -> Invoice | None:
        """As its detail in the mirror says; None if the mirror has none that is up to date."""
        ...

    async def payments_called(self, idn: str) -> Sequence[Payment]:
        """Payments of that number, which is not their id, as the mirror has them."""
        ...

    async def imported(self) -> Mapping[str, int]:
        """How many invoices of the mirror a connector of Precoro's own knows, by the connector; those without any are
        left out."""
        ...

    async def waiting(self, ledger: str) -> int:
        """How many payments no intent carries."""
        ...

    async def unreadable(self, ledger: str) -> Sequence[UnreadableRow]: ...
