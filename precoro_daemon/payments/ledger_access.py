"""the ledger, what was read from it, and the settings for reading it"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.ports.ledger_payments import LedgerPayments, LinkedPayment
from precoro_daemon.payments.rules.entries import key_in
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, UnreadableRow
from precoro_daemon.payments.rules.matching import MatchBy
from precoro_daemon.payments.rules.sources import LedgerSource, Source, intent_id
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.money import can_be_kept

_log = get_logger()


@dataclass(frozen=True, slots=True)
class LedgerAccess:
    """The ledger of one company.

    payments  what was read from it so far
    company   the company, which is part of every id that we derive
    match_by  which of Precoro's names for an invoice the ledger uses
    currency  the currency of payments that name none, "" if unknown
    settings  the fingerprint of the settings for reading it, "" if it does not matter
    """

    ledger: Ledger
    payments: LedgerPayments
    clock: Clock
    company: str
    match_by: MatchBy
    currency: str = ""
    settings: str = ""

    @property
    def name(self) -> str:
        return self.ledger.name

    async def read(self) -> int:
        """Stores new and changed payments and returns their number. Raises what the ledger raises."""
        await self._follow_settings()
        changed = 0
        position, began = await self.payments.position(self.name), self.clock.now()
        async with self.ledger.recorded(position) as batches:
            async for batch in batches:
                changed += await self._take_in(batch, position)
        if position is None:
            await self.payments.forget_gone(self.name, began)
        return changed

    async def reread(self, reason: str) -> None:
        """Makes the next reading start from the beginning."""
        await self.payments.reread(self.name, self.settings, self.clock.now(), reason)
        _log.info("ledger_reread", ledger=self.name, reason=reason)

    async def _follow_settings(self) -> None:
        """Makes the ledger be read again after its settings changed, because the earlier ones may have read something
        differently, or not at all. If an earlier version of this program stored no settings, the ledger is read
        again only if rows are unreadable.
        """
        before = await self.payments.reading(self.name) if self.settings else self.settings
        if before == self.settings:
            return
        if before is not None or await self.payments.unreadable(self.name):
            await self.reread("the settings by which it is read were changed")
        else:
            await self.payments.note_reading(self.name, self.settings)

    async def _take_in(self, batch: LedgerBatch, position: str | None) -> int:
        kept = [row for row in batch.payments if can_be_kept(row.amount)]
        unreadable = list(batch.unreadable)
        if len(kept) < len(batch.payments):
            unreadable += [_too_long(row) for row in batch.payments if not can_be_kept(row.amount)]
        news = await self.payments.new_unreadable(self.name, unreadable) if unreadable else ()
        for row in news:
            _log.warning("ledger_payment_rejected", ledger=self.name, key=row.key, reason=row.reason)
        if not batch.payments and not news and not batch.undone and batch.position == position:
            return 0
        readable = replace(batch, payments=[self._normal(row) for row in kept], unreadable=unreadable)
        if changed := await self.payments.take_in(self.name, readable, self.clock.now()):
            _log.info("ledger_payments_received", ledger=self.name, count=changed)
        return changed

    def _normal(self, row: LedgerPayment) -> LedgerPayment:
        if row.currency and row.ours is None:
            return row  # most are
        return replace(row, currency=row.currency or self.currency, ours=key_in(row.ours or ""))

    def intent_id(self, source: Source, invoice: Invoice | None) -> str:
        return intent_id(self.company, self.name, source, None if invoice is None else invoice.id)

    async def linked(self, intent: Intent) -> LinkedPayment | None:
        """Returns the latest state of the payment that the intent is made from, None if it comes from elsewhere."""
        if not isinstance(intent.source, LedgerSource):
            return None
        return await self.payments.linked(intent.ledger, intent.source.key)

    async def for_invoice(self, invoice: Invoice) -> Sequence[LedgerPayment]:
        """Returns the ledger's payments for the invoice."""
        name = self.name_of(invoice)
        return [] if name is None else await self.payments.named(self.name, name)

    def name_of(self, invoice: Invoice) -> str | None:
        """Returns the ledger's name for the invoice, None if it has none."""
        names = {
            "external_id": invoice.external_id,
            "id": str(invoice.id),
            "idn": None if invoice.idn is None else str(invoice.idn),
            "number_and_supplier": invoice.number,
        }
        return (names | dict(invoice.imported)).get(self.match_by)


def _too_long(row: LedgerPayment) -> UnreadableRow:
    return UnreadableRow(row.key, f"amount: {row.amount} has more digits than an amount of money", repr(row))
