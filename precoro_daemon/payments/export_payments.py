"""records payments made in Precoro in the ledger, each once"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
from precoro_daemon.mirror.details import DetailAnswers
from precoro_daemon.payments.entry_reconciliation import settle_entries
from precoro_daemon.payments.entry_sending import EntrySender
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ledger_changes import follow_entries
from precoro_daemon.payments.loose_ends import report_refusals
from precoro_daemon.payments.paid_invoices import InvoiceChecker
from precoro_daemon.payments.payment_sending import LEDGER_STALE_S
from precoro_daemon.payments.ports.gateway import PaymentGateway
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.paid_set import PaidSet
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.spending import Spending
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_SKEW_S = 60.0
"""Seconds by which the clocks of Precoro's own servers may differ. A payment created in this time is recorded, not
taken as known.
"""

_INVOICES_A_READ = 100
"""Invoices read from the store in one step."""


def _nothing(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ExportPayments:
    """Compares the paid invoices with those of the last comparison, and records new payments in the ledger through
    the journal.

    stopped  returns why the kill-switch file forbids sending, "" if there is none
    adopt    whether the first lap takes what is already paid as known
    lacks    returns what payments need and this invoice's detail lacks while others have it, "" if nothing
    """

    gateway: PaymentGateway
    journal: Journal
    paid_set: PaidSet
    answers: DetailAnswers
    access: LedgerAccess
    caps: Caps
    stopped: Callable[[], Awaitable[str]]
    adopt: bool = True
    lacks: Callable[[str], str] = _nothing

    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "export_payments"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        recorder = Recorder(self.journal, self.access.clock)
        ended = None
        try:
            await _Lap(self, recorder, self._sender(recorder)).run()
        except (BudgetSpent, Stopped, FatalError) as error:
            ended = error
        except StaleIntent as error:
            _log.info("payments_decided", reason=str(error))  # the person's command wakes this job for the rest
        self.rounds.lap_ended()
        return LapReport(brought=recorder.moves, failed=recorder.failed, ended=ended)

    def _sender(self, recorder: Recorder) -> EntrySender:
        spending = Spending(self.journal, self.access.clock, Direction.TO_LEDGER, self.caps)
        return EntrySender(self.journal, self.access, recorder, spending, self.stopped)


@dataclass(slots=True)
class _Lap:
    """read_at  when the ledger was read last (Unix seconds)"""

    job: ExportPayments
    recorder: Recorder
    sender: EntrySender
    read_at: float = 0.0

    async def run(self) -> None:
        job = self.job
        for settled in await settle_entries(job.journal, job.access, self.recorder):
            await self.sender.recognise(settled)
            if settled.invoice_id is not None:
                await job.paid_set.again(settled.invoice_id)  # its payment may have vanished from Precoro
        adopted_at = await self._compare()
        if await self._read_ledger():
            if adopted_at is not None:
                await self._check_due(adopted_at)
            await self._send_planned()
        await report_refusals(job.gateway, job.journal, self.recorder, Direction.TO_LEDGER)

    async def _read_ledger(self) -> bool:
        """Reads the ledger: a payment that was entered there by hand must not be entered a second time."""
        access = self.job.access
        self.read_at = access.clock.now()
        if not access.ledger.capabilities.reads:
            return True
        try:
            await access.read()
        except (TemporaryError, PermanentError) as error:
            self.recorder.failed.append(f"the ledger {access.name} could not be read: {error}")
            return False
        await follow_entries(access, self.recorder)
        return True

    async def _compare(self) -> float | None:
        """Updates the set of paid invoices and returns when it was first taken; None until the mirror has listed all
        invoices once.
        """
        job = self.job
        known_by = (await job.answers.mirror.cursor("invoices")).at
        if known_by is None:
            return None
        adopted_at = await job.paid_set.adopted_at()
        first = adopted_at is None
        after: int | None = 0
        while after is not None:
            after, _ = await job.paid_set.compare(after, known=first and job.adopt)
        if adopted_at is None:
            # Not our clock: payments created after the list was read would count as known, but were never seen.
            adopted_at = known_by - _SKEW_S if job.adopt else 0.0
            await job.paid_set.adopt(adopted_at)
        await job.paid_set.leave(job.access.clock.now())
        return adopted_at

    async def _check_due(self, adopted_at: float) -> None:
        """Checks every due invoice once. An invoice that has to wait stays due for the next lap."""
        job = self.job
        checker = InvoiceChecker(
            job.gateway, job.journal, job.paid_set, job.answers, job.access, self.recorder, adopted_at, job.lacks
        )
        after: int | None = None
        while due := await job.paid_set.due(_INVOICES_A_READ, after=after):
            after = due[-1].id
            for paid in due:
                try:
                    if await checker.check(paid):
                        await job.paid_set.done(paid)
                except (TemporaryError, PermanentError) as error:
                    self.recorder.failed.append(f"invoice {paid.idn}: {error}")

    async def _send_planned(self) -> None:
        job = self.job
        planned = await job.journal.in_state(Direction.TO_LEDGER, State.PLANNED)
        switch = await job.journal.switch()
        if planned and not switch.armed:
            _log.warning("payments_suspended", count=len(planned), reason=switch.reason)
            return
        for intent in planned:
            if job.access.clock.now() - self.read_at > LEDGER_STALE_S and not await self._read_ledger():
                return
            try:
                await self.sender.send(intent)
            except SendingStopped as error:
                _log.warning("payments_suspended", count=len(planned), reason=str(error))
                return
            except (TemporaryError, PermanentError, StaleIntent) as error:
                self.recorder.failed.append(f"{intent}: {error}")
