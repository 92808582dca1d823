"""records payments in the ledger at Precoro, each once"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.errors import (
    BudgetSpent,
    FatalError,
    PermanentError,
    SendingStopped,
    StaleIntent,
    Stopped,
    TemporaryError,
)
from precoro_daemon.payments.intake import plan_ledger_payments
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.loose_ends import finish
from precoro_daemon.payments.payment_sending import LEDGER_STALE_S, JudgedTooLongAgo, PaymentSender
from precoro_daemon.payments.reconciliation import Reconciler
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.events import Check
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.obstacles import ObstacleKind
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.spending import Spending
from precoro_daemon.payments.unmatched import log_unmatched
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_NAMES_AT_ONCE = 100
"""Intents searched with one call: each has two names, and Precoro accepts 200."""

_MOST_REPEATS = 3
"""Once this many judgements of a lap have become too old while waiting for quota, it leaves their payments to the
next lap.
"""


@dataclass(frozen=True, slots=True)
class MarkInvoicesPaid:
    """Resolves doubts first; then reads and matches the ledger, and sends the payments that fit, one after the other.

    named    whether payments carry our id
    stopped  returns why the kill-switch file forbids sending, "" if there is none
    alone    the only intent to send, "" for all
    """

    reconciler: Reconciler
    access: LedgerAccess
    caps: Caps
    stopped: Callable[[], Awaitable[str]]
    named: bool = True
    alone: str = ""

    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "mark_invoices_paid"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        recorder = Recorder(self.reconciler.journal, self.reconciler.clock)
        ended, lap = None, _Lap(self, recorder, self._sender(recorder))
        try:
            await lap.run()
        except (BudgetSpent, Stopped, FatalError) as error:
            ended = error
        except StaleIntent as error:
            _log.info("payments_decided", reason=str(error))  # the person's command wakes this job for the rest
        self.rounds.lap_ended()
        # Payments without an invoice count too: lists are scanned for their invoices.
        return LapReport(brought=recorder.moves + lap.received, failed=recorder.failed, ended=ended)

    def _sender(self, recorder: Recorder) -> PaymentSender:
        reconciler = self.reconciler
        spending = Spending(reconciler.journal, reconciler.clock, Direction.TO_PRECORO, self.caps)
        return PaymentSender(reconciler, self.access, recorder, spending, self.stopped, self.named)


def _failed_last(intent: Intent) -> bool:
    """Returns whether the intent's invoice failed last time. Those come last, so that the others need not wait for
    them and show first whether the server is well.
    """
    return intent.obstacle is not None and intent.obstacle.kind is ObstacleKind.INVOICE_UNFIT


@dataclass(slots=True)
class _Lap:
    job: MarkInvoicesPaid
    recorder: Recorder
    sender: PaymentSender
    repeats: int = 0
    received: int = 0
    tried: set[str] = field(default_factory=set)

    async def run(self) -> None:
        reconciler = self.job.reconciler
        await reconciler.recover(self.recorder)
        await reconciler.check_doubts(self.recorder)
        while await self._read_ledger():
            await plan_ledger_payments(self.job.access, self.recorder)
            await log_unmatched(reconciler.journal, self.job.access)
            if await self._send_planned():
                break
        await finish(reconciler, self.recorder)

    async def _read_ledger(self) -> bool:
        """Reads the ledger: nothing is sent from an old reading, because the ledger may have taken it back since."""
        try:
            self.received += await self.job.access.read()
        except (TemporaryError, PermanentError) as error:
            self.recorder.failed.append(f"the ledger {self.job.access.name} could not be read: {error}")
            return False
        self.sender.ledger_read_at = self.job.reconciler.clock.now()
        return True

    async def _send_planned(self) -> bool:
        """Sends each planned payment once. Returns False if the ledger must be read again first."""
        journal, clock = self.job.reconciler.journal, self.job.reconciler.clock
        planned = await journal.in_state(Direction.TO_PRECORO, State.PLANNED)
        planned = sorted((one for one in planned if self.job.alone in ("", one.id)), key=_failed_last)
        switch = await journal.switch()
        if planned and not switch.armed:
            _log.warning("payments_suspended", count=len(planned), reason=switch.reason)
            await self._find_earlier([intent for intent in planned if not intent.checks])
            return True
        for intent in (one for one in planned if one.id not in self.tried):
            if clock.now() - self.sender.ledger_read_at > LEDGER_STALE_S:
                return False
            self.tried.add(intent.id)
            try:
                await self.sender.send(intent)
            except SendingStopped as error:
                _log.warning("payments_suspended", count=len(planned), reason=str(error))
                return True
            except JudgedTooLongAgo:
                self.repeats += 1
                self.tried -= {intent.id} if self.repeats < _MOST_REPEATS else set()
                return False
            except (TemporaryError, PermanentError, StaleIntent) as error:
                self.recorder.failed.append(f"{intent}: {error}")
        return True

    async def _find_earlier(self, planned: Sequence[Intent]) -> None:
        """Searches Precoro for payments that an earlier life of this store sent, by their names, a hundred with one
        call, and records the result.
        """
        for start in range(0, len(planned), _NAMES_AT_ONCE):
            some = planned[start : start + _NAMES_AT_ONCE]
            names = {name for intent in some for name in intent.names}
            try:
                payments = await self.job.reconciler.gateway.find_payments(names)
            except (TemporaryError, PermanentError) as error:
                self.recorder.failed.append(f"payments could not be searched by our ids: {error}")
                return
            there = {one.external_id: one for one in payments if not one.canceled}
            for intent in some:
                payment = next((there[name] for name in intent.names if name in there), None)
                if payment is not None:
                    await self.sender.find(intent, payment, "Precoro has it already")
                else:
                    await self.recorder.record(intent, Check(), "not at Precoro under our id")
