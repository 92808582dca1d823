"""the ledger's payments, as last read"""

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
    """A payment of the ledger, and the invoices that it may be for.

    candidates  the invoices with that name that Precoro still has, from the mirror
    others      payments that were sent or are being sent for the only candidate
    exports     payments that we made in the ledger for it, or may have made, and that have not been read back so far:
                one of them may be this very payment
    """

    payment: LedgerPayment
    candidates: Sequence[Invoice]
    others: Sequence[Paid] = ()
    exports: Sequence[Intent] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """An intent, and its payment as the ledger has it now.

    dropped  a person does not want it sent
    moved    the ledger names another invoice than before
    """

    intent: Intent
    payment: LedgerPayment
    dropped: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class LinkedPayment:
    """A payment of the ledger as last read.

    intent      the intent that carries it, None if none does
    changed     whether it differs from what its intent carries
    unreadable  why its row cannot be read now, None if it can
    moved       whether the ledger names another invoice than its intent knows
    """

    payment: LedgerPayment
    intent: str | None
    changed: bool
    unreadable: str | None = None
    moved: bool = False


class LedgerPayments(Protocol):
    """The ledger's payments, as last read. Writing and errors as for `Journal`."""

    async def position(self, ledger: str) -> str | None: ...

    async def reading(self, ledger: str) -> str | None:
        """Returns the fingerprint of the settings with which the ledger was read so far, None if unknown."""
        ...

    async def note_reading(self, ledger: str, settings: str) -> None:
        """Records that it is read with these settings."""
        ...

    async def reread(self, ledger: str, settings: str, at: float, reason: str) -> None:
        """Forgets the position, records the settings, and journals the reason, atomically. Payments already stored
        stay; one that is read again unchanged does not count as changed.
        """
        ...

    async def forget_gone(self, ledger: str, since: float) -> int:
        """Forgets unreadable rows that a reading of the whole ledger since then did not return, except those of known
        payments. Returns their number.
        """
        ...

    async def new_unreadable(self, ledger: str, rows: Sequence[UnreadableRow]) -> Sequence[UnreadableRow]:
        """Returns those rows that were unknown so far, or have another reason now."""
        ...

    async def dismiss(self, ledger: str, key: str, at: float, reason: str) -> bool:
        """Hides an unreadable row until it changes; journalled. Returns False if there is none."""
        ...

    async def unmatched(self, ledger: str, by: MatchBy, limit: int) -> Sequence[MatchCandidate]:
        """Returns payments that no intent carries, newest first, each with every invoice of that name, paid or not.
        One that has a key of ours was created by an intent that this store does not know.
        """
        ...

    async def take_unmentioned(self, ledger: str, by: MatchBy, limit: int) -> tuple[int, Sequence[MatchCandidate]]:
        """Returns how many of those without a key of ours were not mentioned before, and some of them; from now on
        all count as mentioned.
        """
        ...

    async def take_in(self, ledger: str, batch: LedgerBatch, at: float) -> int:
        """Stores payments and position atomically, marks the payments that we made ourselves, and returns how many
        are new or changed.
        """
        ...

    def match_candidates(self, ledger: str, by: MatchBy) -> AsyncIterator[Sequence[MatchCandidate]]:
        """Yields payments that no intent carries and for which the mirror has a payable invoice, and those that take
        something back; oldest first, without those whose row is unreadable now.

        The batches are of bounded size. The first batch fixes the selection; the content of each batch is read
        with that batch.
        """
        ...

    async def changed(self, ledger: str) -> Sequence[Changed]:
        """Returns the intents to Precoro whose payment changed, if its row is readable: those that are planned,
        confirmed or dropped, and those that are held or rejected and can have created nothing at Precoro.
        """
        ...

    async def linked(self, ledger: str, key: str) -> LinkedPayment | None:
        """Returns the payment with that key, None if the ledger never had it."""
        ...

    async def changed_entries(self, ledger: str) -> Sequence[Changed]:
        """Returns the same for payments that we made in the ledger."""
        ...

    async def recognise(self, ledger: str, key: str) -> None:
        """Makes a confirmed intent carry the payment if that intent created it in the ledger."""
        ...

    async def candidates(self, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
        """Returns the invoice and those that share its name, from the mirror."""
        ...

    async def invoices_named(self, by: MatchBy, name: str) -> Sequence[Invoice]:
        """Returns the invoices that the ledger could mean by that name, from the mirror."""
        ...

    async def accept(self, ledger: str, payment: LedgerPayment) -> None:
        """Records that the payment's present content is what its intent carries."""
        ...

    async def free(self, ledger: str, key: str) -> None:
        """Records that no intent carries the payment any more."""
        ...

    async def named(self, ledger: str, name: str) -> Sequence[LedgerPayment]:
        """Returns the payments for the invoice with that name in the ledger."""
        ...

    async def enriched(self, invoice: Invoice) -> Invoice:
        """Returns the invoice with what the mirror knows about its supplier, and about payments that it shows only in
        part.
        """
        ...

    async def mirrored_payment(self, remote_id: str) -> Payment | None:
        """Returns a payment from the mirror, None if it does not have it."""
        ...

    async def detailed_invoice(self, invoice_id: int) -> Invoice | None:
        """Returns the invoice from its detail in the mirror, None if there is none that is up to date."""
        ...

    async def payments_called(self, idn: str) -> Sequence[Payment]:
        """Returns the mirror's payments with that number, which is not their id."""
        ...

    async def imported(self) -> Mapping[str, int]:
        """Returns, for each of Precoro's own connectors, how many invoices of the mirror it knows; connectors that
        know none are left out.
        """
        ...

    async def waiting(self, ledger: str) -> int:
        """Returns the number of payments that no intent carries and that have no key of ours."""
        ...

    async def unreadable(self, ledger: str) -> Sequence[UnreadableRow]: ...
