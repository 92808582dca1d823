"""compares the payments of one paid invoice with what is known, and makes intents of new ones"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from precoro_daemon.errors import BadRecord, NotFound
from precoro_daemon.mirror.details import DetailAnswers
from precoro_daemon.mirror.ports.mirror import Due
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.payments.entry_sending import foreign, withdraw
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ports.gateway import PaymentGateway
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.paid_set import PaidInvoice, PaidSet
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.events import Hold, Plan, Withdraw
from precoro_daemon.payments.rules.exports import Known, Pending, Share, shares
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, read_invoice
from precoro_daemon.payments.rules.obstacles import ObstacleKind, obstacle
from precoro_daemon.payments.rules.sources import HiddenRest, LedgerSource, PrecoroPayment, Source, external_id
from precoro_daemon.payments.rules.states import UNRESOLVED, Direction, State
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(frozen=True, slots=True)
class InvoiceChecker:
    """Checks invoices that are paid, or were paid until now.

    adopted_at  payments created before this are known (Unix seconds)
    lacks       returns what payments need and this invoice's detail lacks, "" if nothing
    """

    gateway: PaymentGateway
    journal: Journal
    paid_set: PaidSet
    answers: DetailAnswers
    access: LedgerAccess
    recorder: Recorder
    adopted_at: float
    lacks: Callable[[str], str]

    async def check(self, paid: PaidInvoice) -> bool:
        """Makes intents of the invoice's new payments. Returns whether all of them are now in the journal; if not,
        one of them waits for the next lap.
        """
        invoice = await self._read(paid)
        exported = await self.journal.of_invoice(Direction.TO_LEDGER, paid.id)
        if not paid.paid:
            _log.warning("invoice_reopened", invoice=paid.idn, id=paid.id, exported=len(exported))
        await self._follow(exported, invoice)
        if invoice is None:
            return True
        invoice = await self.access.payments.enriched(invoice)
        found = shares(invoice, await self._known(invoice, exported))
        await self._follow_hidden(exported, {share.source for share in found})
        for share in found:
            if share.kind in ("plan", "hold"):
                await self._plan(invoice, share)
        return not any(share.kind == "wait" for share in found)

    async def _read(self, paid: PaidInvoice) -> Invoice | None:
        """Reads the invoice from the mirror if it has, or gets, the detail; else with one call. Returns None if
        Precoro no longer has it.
        """
        asked_at, fresh = 0.0, None
        while fresh is None:
            paid = await self.paid_set.reread(paid)
            if paid.detail is not None and not self.lacks(paid.detail):
                return read_invoice(paid.detail)
            if paid.idn is None:
                raise BadRecord("it has no number to ask for it by")
            # The mirror needs the same detail; fetching it twice would cost two calls and a wait of a minute.
            due = Due("invoices", paid.id, paid.idn, paid.version)
            asked_at = self.access.clock.now()
            try:
                fresh = await self.answers.ask(due, partial(self.gateway.read_invoice, paid.idn))
            except NotFound:
                return None
        if fresh.invoice.id != paid.id:
            # Another invoice of that number, for example part of a split: only the list's row of this one is known.
            return next(iter(await self.access.payments.candidates(paid.id, "id")), None)
        await self.answers.save(due, Detail(paid.id, fresh.raw), asked_at=asked_at)
        return fresh.invoice

    async def _follow(self, exported: Sequence[Intent], invoice: Invoice | None) -> None:
        """Follows payments that vanished from Precoro: one that the ledger has or may have is left to a person, any
        other is not sent. Nothing is undone.
        """
        if invoice is not None and invoice.payments is None:
            return
        standing = set() if invoice is None else {payment.id for payment in invoice.standing}
        for intent in exported:
            if isinstance(intent.source, PrecoroPayment) and intent.source.id not in standing:
                gone = obstacle(ObstacleKind.SOURCE_GONE, intent.source)
                await withdraw(self.journal, self.recorder, intent, gone)

    async def _follow_hidden(self, exported: Sequence[Intent], standing: Collection[Source]) -> None:
        """Follows a hidden sum that Precoro now shows, or shows with another amount."""
        for intent in exported:
            is_over = isinstance(intent.source, HiddenRest) and intent.source not in standing
            if is_over and intent.state is State.REVIEW:
                await withdraw(self.journal, self.recorder, intent, obstacle(ObstacleKind.SUM_CHANGED))

    async def _known(self, invoice: Invoice, exported: Sequence[Intent]) -> Known:
        """Returns what the invoice's payments are compared with. An intent with an unknown outcome may have created
        any payment that did not exist before its first attempt.
        """
        pending: list[Pending] = []
        ours = await self.journal.of_invoice(Direction.TO_PRECORO, invoice.id)
        for intent in ours:
            if intent.state in UNRESOLVED:
                attempts = await self.journal.attempts(intent.id)
                pending += [Pending(one.amount, attempts[0].known) for one in attempts]
        payments = await self.access.for_invoice(invoice)
        # Payments sent by an earlier life of the store count too: it derived the same names.
        derived = [self.access.intent_id(LedgerSource(payment.key), invoice) for payment in payments]
        return Known(
            made={int(intent.remote_id) for intent in ours if intent.remote_id is not None},
            names={name for intent in derived for name in (intent, external_id(intent, "number"))},
            pending=pending,
            ledger_payments=foreign(payments, ours, exported),
            adopted_at=self.adopted_at,
            exported=exported,
            unlisted=await self._unlisted(invoice),
            hidden_sums=[one.amount for one in exported if await self._is_decided_rest(one)],
        )

    async def _unlisted(self, invoice: Invoice) -> Collection[int]:
        if (await self.answers.mirror.cursor("payments")).at is None:
            return ()  # payments are not mirrored
        some = [payment.id for payment in invoice.standing if not payment.is_whole]
        return [one for one in some if await self.access.payments.mirrored_payment(str(one)) is None]

    async def _is_decided_rest(self, intent: Intent) -> bool:
        if not isinstance(intent.source, HiddenRest):
            return False
        if intent.state is not State.REJECTED:
            return intent.state is not State.REVIEW or intent.remote_id is not None
        return (await self.journal.past(intent.id)).last != Withdraw.name

    async def _plan(self, invoice: Invoice, share: Share) -> None:
        access = self.access
        day = None if share.payment is None else share.payment.day
        new = Intent(
            id=access.intent_id(share.source, invoice),
            direction=Direction.TO_LEDGER,
            ledger=access.name,
            source=share.source,
            amount=share.amount,
            currency=invoice.currency,
            day=day or datetime.fromtimestamp(access.clock.now(), UTC).date(),
            invoice_id=invoice.id,
            invoice_idn=invoice.idn,
            supplier=invoice.supplier.name,
        )
        event = Plan() if share.kind == "plan" else Hold(share.asked)
        await self.recorder.plan(new, event, share.reason)
