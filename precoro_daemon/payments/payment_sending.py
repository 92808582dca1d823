"""checks one planned payment with its invoice as it is now, and sends it to Precoro"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from precoro_daemon.errors import DaemonError, InvoiceUnfit, SendingStopped
from precoro_daemon.payments.lap_faults import INVOICE_FAULTS, INVOICE_REFUSALS
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ports.gateway import Fresh, PaymentRequest
from precoro_daemon.payments.reconciliation import Reconciler, compare, facts_on, found
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.doubts import fits_only_once
from precoro_daemon.payments.rules.events import Accept, Hold, Postpone, Refuse, Unsent
from precoro_daemon.payments.rules.exports import booked
from precoro_daemon.payments.rules.history import terms_of
from precoro_daemon.payments.rules.intents import Attempt, Intent, made_nothing
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.matching import PlannedPayment, Verdict, check, judge_hidden, still_to_come
from precoro_daemon.payments.rules.obstacles import Obstacle, ObstacleKind, obstacle
from precoro_daemon.payments.rules.sources import external_id
from precoro_daemon.payments.rules.states import MADE_NOTHING, Direction
from precoro_daemon.payments.spending import Spending
from precoro_daemon.writes.outcome import Outcome, OutcomeKind
from precoro_daemon.writes.sending import write_once

INVOICE_STALE_S = 180.0
"""The most seconds between reading an invoice and sending: the quota may close for most of an hour between the two,
and a person may enter the same payment meanwhile.
"""

LEDGER_STALE_S = 300.0
"""The most seconds between reading the ledger and judging a payment. A lap with many payments takes longer, and reads
the ledger again.
"""


class JudgedTooLongAgo(DaemonError):
    """The judgement that allowed sending is too old."""


@dataclass(slots=True)
class PaymentSender:
    """Sends planned payments, for one lap.

    stopped         returns why the kill-switch file forbids sending, "" if there is none
    named           whether payments carry our id
    ledger_read_at  when the ledger was read last (Unix seconds)
    """

    reconciler: Reconciler
    access: LedgerAccess
    recorder: Recorder
    spending: Spending
    stopped: Callable[[], Awaitable[str]]
    named: bool
    ledger_read_at: float = 0.0

    async def send(self, intent: Intent) -> None:
        """Checks the invoice as it is now, and sends the payment, holds it, or leaves it for later.

        Raises SendingStopped; JudgedTooLongAgo if nothing was sent for that reason; what reading the invoice
        raises; and errors that also keep every other call from leaving.
        """
        if (keeps := await self._obstacle(intent)) is not None:
            await self._postpone(intent, keeps)
            return
        read_at = self.reconciler.clock.now()
        fresh = None if intent.invoice_idn is None else await self._read(intent)
        if fresh is None:
            said = (
                "the invoice is gone from Precoro, shares its number with another one, or has none to ask for it by"
            )
            await self.recorder.record(intent, Hold(), said)
            return
        invoice = await self.access.payments.enriched(fresh.invoice)
        verdict = await self._judge(intent, invoice, self._today(fresh.server_time))
        if verdict.kind == "send":
            await self._pay_within_caps(intent, fresh, verdict.amount, read_at)
        elif verdict.kind == "wait" and verdict.obstacle is not None:
            await self._postpone(intent, verdict.obstacle)
        elif verdict.payment is not None:
            await self.find(intent, verdict.payment, verdict.reason)
        else:
            event = Hold(verdict.asked, obstacle=verdict.obstacle)
            await self.recorder.record(intent, event, verdict.reason, facts_on(invoice))

    async def _read(self, intent: Intent) -> Fresh | None:
        try:
            return await self.reconciler.read(intent)
        except (InvoiceUnfit, *INVOICE_FAULTS, *INVOICE_REFUSALS) as error:
            await self._postpone(intent, obstacle(ObstacleKind.INVOICE_UNFIT, detail=error))
            raise

    async def find(self, intent: Intent, payment: Payment, reason: str) -> None:
        """Records that Precoro already has it."""
        after = await self.recorder.record(intent, found(payment, intent), reason)
        await compare(self.recorder, after, payment)

    async def _obstacle(self, intent: Intent) -> Obstacle | None:
        """Returns what keeps it from being sent in this lap, as far as that is known without a call."""
        if reason := await self.stopped():
            raise SendingStopped(reason)
        linked = await self.access.linked(intent)
        if linked is not None and linked.unreadable is not None:
            return obstacle(ObstacleKind.ROW_UNREADABLE, detail=linked.unreadable)
        if linked is not None and linked.changed:
            return obstacle(ObstacleKind.ROW_CHANGED, linked.payment.facts, detail=linked.payment)
        if (early := still_to_come(intent.day, self._today(None))) is not None:
            return early
        return await self.spending.obstacle(intent.currency, intent.amount)

    async def _postpone(self, intent: Intent, keeps: Obstacle) -> None:
        """Journals an obstacle, once and not in each lap."""
        if keeps != intent.obstacle:
            await self.recorder.record(intent, Postpone(keeps), str(keeps))

    async def _judge(self, intent: Intent, invoice: Invoice, today: date) -> Verdict:
        assert intent.invoice_id is not None
        journal = self.reconciler.journal
        planned = PlannedPayment(
            intent.invoice_id,
            terms_of(intent),
            intent.names,
            other=(await journal.past(intent.id)).other,
            booked=booked(await journal.of_invoice(Direction.TO_LEDGER, intent.invoice_id)),
        )
        verdict = check(planned, invoice, await self.reconciler.ours(intent), today)
        if verdict.kind == "send" and intent.doubted:
            attempts = await journal.attempts(intent.id)
            earlier = [one.amount for one in attempts if one.outcome not in MADE_NOTHING]
            if not fits_only_once(verdict.amount, invoice, earlier):
                said = "an earlier request may still arrive, and two of it would both fit"
                return Verdict("hold", said, invoice, asks=True)
        return (judge_hidden(planned, invoice, verdict.amount) if verdict.kind == "send" else None) or verdict

    async def _pay_within_caps(self, intent: Intent, fresh: Fresh, amount: Decimal, read_at: float) -> None:
        """Pays if the caps allow the amount that is really sent, which may be a rounding cent more."""
        if (cap := await self.spending.obstacle(intent.currency, amount)) is not None:
            await self._postpone(intent, cap)
        else:
            await self._pay(intent, fresh, amount, read_at)

    async def _pay(self, intent: Intent, fresh: Fresh, amount: Decimal, read_at: float) -> None:
        """Pays. From the permit on, every exit leaves a row: the outcome, or SENDING, which the next lap resolves."""
        name = external_id(intent.id, self.reconciler.naming) if self.named else ""
        request = PaymentRequest(fresh.invoice.id, amount, intent.day, name)

        async def begin(body: str) -> Intent:
            await self._refuse_late(read_at)
            attempt = self._attempt(intent, fresh, amount, body)
            return await self.recorder.begin(intent, attempt, facts_on(fresh.invoice))

        send = partial(self.reconciler.gateway.create_payment, request)
        begun, outcome = await write_once(begin, send, partial(self.reconciler.lose, self.recorder))
        await self._settle(begun, outcome)

    async def _refuse_late(self, read_at: float) -> None:
        """Checks for the last time before the permit: much may have happened while the call waited for the quota."""
        if reason := await self.stopped():
            raise SendingStopped(reason)
        now = self.reconciler.clock.now()
        if now - read_at > INVOICE_STALE_S or now - self.ledger_read_at > LEDGER_STALE_S + INVOICE_STALE_S:
            raise JudgedTooLongAgo

    def _attempt(self, intent: Intent, fresh: Fresh, amount: Decimal, body: str) -> Attempt:
        return Attempt(
            intent=intent.id,
            number=intent.attempts + 1,
            at=self.reconciler.clock.now(),
            amount=amount,
            known=[payment.id for payment in fresh.invoice.payments or ()],
            remainder=fresh.invoice.remainder,
            server_time=fresh.server_time,
            body=body,
        )

    async def _settle(self, intent: Intent, outcome: Outcome[Payment]) -> None:
        attempts = await self.reconciler.journal.attempts(intent.id)
        if outcome.kind is OutcomeKind.UNSENT:
            await self.recorder.end(intent, Unsent(), outcome.text)
        else:
            self.spending.sent += 1
            self.spending.add(intent.currency, attempts[-1].amount)
            await self._settle_sent(intent, outcome, attempts)
        if outcome.ended is not None:
            raise outcome.ended

    async def _settle_sent(self, intent: Intent, outcome: Outcome[Payment], attempts: Sequence[Attempt]) -> None:
        """Records the outcome. An answer that names an earlier payment does not prove a new one. A refusal proves
        that there is none only if no earlier attempt may have created one.
        """
        payment, clean = outcome.result, made_nothing(attempts[:-1])
        if payment is not None and payment.id in attempts[-1].known:
            said = f"Precoro answered with payment {payment.id}, which was on the invoice before"
            await self.reconciler.lose(self.recorder, intent, said)
        elif outcome.kind is OutcomeKind.ACCEPTED and payment is not None:
            marked = payment.external_id in intent.names or not self.named
            await self.recorder.end(intent, Accept(str(payment.id), payment.idn, marked), "")
        elif outcome.kind is OutcomeKind.REFUSED and clean:
            await self.recorder.end(intent, Refuse(), outcome.text)
        else:
            await self.reconciler.lose(self.recorder, intent, outcome.text)

    def _today(self, server_time: float | None) -> date:
        now = self.reconciler.clock.now() if server_time is None else server_time
        return datetime.fromtimestamp(now, UTC).date()
