"""payments in the books are recorded at Precoro, each once"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import anyio

from precoro_daemon.errors import (
    BudgetSpent,
    DaemonError,
    FatalError,
    PermanentError,
    SendingStopped,
    StaleIntent,
    Stopped,
    TemporaryError,
)
from precoro_daemon.payments.intake import Books, past_of, plan_ledger_payments, read_books
from precoro_daemon.payments.ports.gateway import Fresh, Outcome, PaymentRequest
from precoro_daemon.payments.reconciliation import (
    Till,
    compare,
    finish,
    found,
    lose,
    ours,
    read,
    recover,
    seen_on,
    settle_doubts,
)
from precoro_daemon.payments.recorder import Recorder, nothing_came
from precoro_daemon.payments.rules.caps import DAY, Caps, Spent, held_by
from precoro_daemon.payments.rules.doubts import fits_only_once
from precoro_daemon.payments.rules.exports import booked
from precoro_daemon.payments.rules.intents import Attempt, Intent, asking
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.matching import Order, Verdict, check
from precoro_daemon.payments.rules.transitions import Event, State, external_id
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_NAMES_AT_ONCE = 100
"""Intents looked up with one call: each has two names, and Precoro takes 200."""

_INVOICE_STALE = 180.0
"""Seconds after an invoice was read from which nothing is sent by it: the quota may close for most of an hour between
the look and the request, and somebody may type the same payment meanwhile."""

_BOOKS_STALE = 300.0
"""Seconds after the books were read from which they are read again first: a lap with many payments takes long."""

_MOST_LOOKS = 3
"""Times that a lap looks again because it had to wait for quota; then the next one goes on."""


class _LookAgain(DaemonError):
    """What would be sent was judged too long ago."""


@dataclass(frozen=True, slots=True)
class MarkInvoicesPaid:
    """Doubts are settled first; then the books are read, matched, and what fits is sent, one payment at a time.

    named    payments carry our id
    stopped  why nothing is sent, by the kill-switch file; "" if it is not there
    """

    till: Till
    books: Books
    caps: Caps
    stopped: Callable[[], Awaitable[str]]
    named: bool = True
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "mark_invoices_paid"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        lap = _Lap(self, Recorder(self.till.journal, self.till.clock))
        try:
            await lap.run()
        except (BudgetSpent, Stopped, FatalError) as error:
            lap.ended = error
        except StaleIntent as error:
            _log.info("payments_decided", reason=str(error))  # whose order it was wakes us for the rest
        self.rounds.lap_ended()
        return LapReport(brought=lap.recorder.moves, failed=lap.recorder.failed, ended=lap.ended)


@dataclass(slots=True)
class _Lap:
    job: MarkInvoicesPaid
    recorder: Recorder
    sent: int = 0
    looks: int = 0
    books_at: float = 0.0
    ended: DaemonError | None = None
    tried: set[str] = field(default_factory=set)
    spent: dict[str, Decimal] = field(default_factory=dict)

    async def run(self) -> None:
        till = self.job.till
        await recover(till, self.recorder)
        await settle_doubts(till, self.recorder)
        while await self._read_books():
            await plan_ledger_payments(self.job.books, self.recorder)
            if await self._send_planned():
                break
        await finish(till, self.recorder)

    async def _read_books(self) -> bool:
        """Nothing is sent by what the books said some time ago: they may have taken it back since."""
        try:
            await read_books(self.job.books)
        except (TemporaryError, PermanentError) as error:
            self.recorder.failed.append(f"the books {self.job.books.ledger.name} could not be read: {error}")
            return False
        self.books_at = self.job.till.clock.now()
        return True

    async def _send_planned(self) -> bool:
        """Each once; False if the books are to be read anew first."""
        till = self.job.till
        planned = await till.journal.in_state("to_precoro", State.PLANNED)
        switch = await till.journal.switch()
        if planned and not switch.armed:
            _log.warning("payments_suspended", count=len(planned), reason=switch.reason)
            await self._reconcile([intent for intent in planned if not intent.looks])
            return True
        for intent in (one for one in planned if one.id not in self.tried):
            if till.clock.now() - self.books_at > _BOOKS_STALE:
                return False
            self.tried.add(intent.id)
            try:
                await self._send(intent)
            except SendingStopped as error:
                _log.warning("payments_suspended", count=len(planned), reason=str(error))
                return True
            except _LookAgain:
                self.looks += 1
                self.tried -= {intent.id} if self.looks < _MOST_LOOKS else set()
                return False
            except (TemporaryError, PermanentError, StaleIntent) as error:
                self.recorder.failed.append(f"{intent}: {error}")
        return True

    async def _reconcile(self, planned: list[Intent]) -> None:
        """What an earlier life of this store has sent already is found by its names, a hundred with one call."""
        for start in range(0, len(planned), _NAMES_AT_ONCE):
            some = planned[start : start + _NAMES_AT_ONCE]
            names = {name for intent in some for name in intent.names}
            try:
                payments = await self.job.till.desk.find_payments(names)
            except (TemporaryError, PermanentError) as error:
                self.recorder.failed.append(f"payments could not be looked for by our ids: {error}")
                return
            there = {one.external_id: one for one in payments if not one.canceled}
            for intent in some:
                payment = next((there[name] for name in intent.names if name in there), None)
                if payment is not None:
                    await self._find(intent, payment, "Precoro has it already")
                else:
                    await self.recorder.record(intent, Event.LOOK, "not at Precoro under our id", looks=1)

    async def _send(self, intent: Intent) -> None:
        """Check by the invoice as it is now; send, hold back, or leave it for later."""
        if reason := await self._held(intent):
            await self._wait(intent, reason)
            return
        read_at = self.job.till.clock.now()
        fresh = None if intent.invoice_idn is None else await read(self.job.till, intent)
        if fresh is None:
            said = (
                "the invoice is gone from Precoro, shares its number with another one, or has none to ask for it by"
            )
            await self.recorder.record(intent, Event.HOLD, said)
            return
        invoice = await self.job.till.claims.enriched(fresh.invoice)
        verdict = await self._check(intent, invoice, self._today(fresh.server_time))
        if verdict.kind == "send" and (reason := self._capped(intent, verdict.amount)):
            await self._wait(intent, reason)
        elif verdict.kind == "send":
            await self._pay(intent, fresh, verdict.amount, read_at)
        elif verdict.kind == "wait":
            await self._wait(intent, verdict.reason)
        elif verdict.payment is not None:
            await self._find(intent, verdict.payment, verdict.reason)
        else:
            asked = asking(verdict.about) if verdict.asks else {}
            await self.recorder.record(intent, Event.HOLD, verdict.reason, {**seen_on(invoice), **asked})

    async def _find(self, intent: Intent, payment: Payment, reason: str) -> None:
        after = await self.recorder.record(intent, Event.FIND, reason, **found(payment, intent))
        await compare(self.recorder, after, payment)

    async def _held(self, intent: Intent) -> str:
        """What keeps it from being sent in this lap, as far as that is known without a call."""
        if reason := await self.job.stopped():
            raise SendingStopped(reason)
        linked = await self.job.till.claims.linked(intent.ledger, intent.source)
        if linked is not None and linked.unreadable:
            return f"its row in the books cannot be read now: {linked.unreadable}"
        if linked is not None and linked.changed:
            return f"the books changed it meanwhile: {linked.claim}"
        if intent.day > self._today(None):
            return f"it is dated {intent.day}, which is still to come"
        if intent.currency not in self.spent:
            since = self.job.till.clock.now() - DAY
            amounts = await self.job.till.journal.spent("to_precoro", intent.currency, since)
            self.spent[intent.currency] = sum(amounts, Decimal(0))
        return self._capped(intent, intent.amount)

    def _capped(self, intent: Intent, amount: Decimal) -> str:
        return held_by(self.job.caps, amount, Spent(self.spent[intent.currency], self.sent))

    async def _wait(self, intent: Intent, reason: str) -> None:
        """Journalled once for each reason, not once a lap."""
        if reason != intent.reason:
            await self.recorder.record(intent, Event.LOOK, reason)

    async def _check(self, intent: Intent, invoice: Invoice, today: date) -> Verdict:
        assert intent.invoice_id is not None
        till = self.job.till
        order = Order(
            intent.invoice_id,
            intent.amount,
            intent.currency,
            intent.day,
            intent.supplier,
            intent.names,
            other=(await past_of(till.journal, intent)).other,
            booked=booked(await till.journal.of_invoice("to_ledger", intent.invoice_id)),
        )
        verdict = check(order, invoice, await ours(till, intent), today)
        if verdict.kind == "send" and intent.doubted and not fits_only_once(verdict.amount, invoice):
            said = "an earlier request may still arrive, and two of it would both fit"
            return Verdict("hold", said, invoice, asks=True)
        return verdict

    async def _pay(self, intent: Intent, fresh: Fresh, amount: Decimal, read_at: float) -> None:
        """From the permit on, every way out leaves a row: the outcome, or SENDING, which the next lap takes up."""
        till, begun = self.job.till, None
        name = external_id(intent.id, till.naming) if self.job.named else ""
        order = PaymentRequest(fresh.invoice.id, amount, intent.day, name)

        async def permit(body: str) -> None:
            nonlocal begun
            if reason := await self.job.stopped():
                raise SendingStopped(reason)
            now = till.clock.now()
            if now - read_at > _INVOICE_STALE or now - self.books_at > _BOOKS_STALE + _INVOICE_STALE:
                raise _LookAgain
            begun = await self.recorder.begin(
                intent, self._attempt(intent, fresh, amount, body), seen_on(fresh.invoice)
            )

        try:
            outcome = await till.desk.pay(order, permit)
        except anyio.get_cancelled_exc_class():
            if begun is not None:
                with anyio.CancelScope(shield=True):
                    await lose(till, self.recorder, begun, "cancelled while it was being sent")
            raise
        assert begun is not None, "an outcome without a permit"
        await self._settle(begun, outcome)

    def _attempt(self, intent: Intent, fresh: Fresh, amount: Decimal, body: str) -> Attempt:
        return Attempt(
            intent=intent.id,
            number=intent.attempts + 1,
            at=self.job.till.clock.now(),
            amount=amount,
            known=[payment.id for payment in fresh.invoice.payments or ()],
            remainder=fresh.invoice.remainder,
            server_time=fresh.server_time,
            body=body,
        )

    async def _settle(self, intent: Intent, outcome: Outcome) -> None:
        attempts = await self.job.till.journal.attempts(intent.id)
        if outcome.kind == "unsent":
            await self.recorder.end(intent, "unsent", Event.UNSENT, outcome.text)
        else:
            self.sent += 1
            self.spent[intent.currency] += attempts[-1].amount
            await self._settle_sent(intent, outcome, clean=nothing_came(attempts[:-1]))
        if outcome.ended is not None:
            raise outcome.ended

    async def _settle_sent(self, intent: Intent, outcome: Outcome, *, clean: bool) -> None:
        """`clean`: no earlier attempt of it may have made a payment, so a refusal says that there is none."""
        if outcome.kind == "accepted" and outcome.payment is not None:
            await self.recorder.end(intent, "accepted", Event.ACCEPT, "", **self._made(intent, outcome))
        elif outcome.kind == "refused" and clean:
            await self.recorder.end(intent, "refused", Event.REFUSE, outcome.text)
        else:
            await lose(self.job.till, self.recorder, intent, outcome.text)

    def _made(self, intent: Intent, outcome: Outcome) -> dict[str, Any]:
        payment = outcome.payment
        assert payment is not None
        kept = payment.external_id in intent.names or not self.job.named
        return {
            "remote_id": str(payment.id),
            "remote_idn": payment.idn,
            "marked": kept,
            "doubted": False,
            "looks": 0,
            "look_at": None,
        }

    def _today(self, server_time: float | None) -> date:
        now = self.job.till.clock.now() if server_time is None else server_time
        return datetime.fromtimestamp(now, UTC).date()
