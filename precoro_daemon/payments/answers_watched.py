"""payments wait while Precoro's answers lack what they need"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from precoro_daemon.errors import (
    AnswersChanged,
    BudgetSpent,
    InvoiceUnfit,
    PermanentError,
    Stopped,
    TemporaryError,
)
from precoro_daemon.mirror.ports.shapes import ShapeBook
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.payments.lap_faults import INVOICE_FAULTS, INVOICE_REFUSALS, LapFaults
from precoro_daemon.payments.ports.gateway import Fresh, PaymentGateway, PaymentRequest
from precoro_daemon.payments.rules.invoices import Payment
from precoro_daemon.payments.rules.needs import lacking
from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.payments.unfit_invoices import UnfitInvoices
from precoro_daemon.runtime.job import Job, LapReport
from precoro_daemon.writes.outcome import Outcome
from precoro_daemon.writes.permit import Permit

_NOBODYS_NAME = "precoro-daemon asks whether Precoro answers"
"""The name of no payment: searching for it costs one call, and shows whether Precoro is well."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The conditions on which payments of one direction depend.

    book    the changes in the shape of answers
    unfit   invoices that alone differ
    faults  invoices that failed in this lap
    """

    direction: Direction
    book: ShapeBook
    unfit: UnfitInvoices
    faults: LapFaults = field(default_factory=LapFaults)

    async def lacking(self) -> str:
        """Returns why payments wait, "" if they need not."""
        return lacking(self.direction, await self.book.changes(), self.unfit.accepted)

    async def demand(self) -> None:
        """Raises AnswersChanged if payments must wait."""
        if why := await self.lacking():
            raise AnswersChanged(why)


@dataclass(frozen=True, slots=True)
class WatchedGateway:
    """Implements `ports.gateway.PaymentGateway`, and lets no decision depend on an invoice that lacks something.

    If other invoices lack it too, the lap ends; else only that invoice is quarantined. An invoice that Precoro
    does not return while it returns others is also quarantined.
    """

    gateway: PaymentGateway
    answers: Answers

    async def read_invoice(self, idn: int | str) -> Fresh:
        """Reads the invoice. Also raises AnswersChanged and InvoiceUnfit."""
        unfit, faults = self.answers.unfit, self.answers.faults
        await unfit.refuse_early(idn)
        faults.refuse_more(idn)
        try:
            fresh = await self.gateway.read_invoice(idn)
        except INVOICE_FAULTS as error:
            faults.fail(idn, error)
            raise
        except InvoiceUnfit as error:
            faults.answer()
            await self._see(error.raw)
            raise await unfit.quarantined(idn, error) from None
        except INVOICE_REFUSALS as error:
            faults.refused[idn] = error
            raise
        except PermanentError:
            faults.answer()
            raise
        faults.answer()
        await self._see(fresh.raw)
        await unfit.demand(idn, fresh)
        return fresh

    async def _see(self, raw: str) -> None:
        await self.answers.unfit.shapes.detailed(COLLECTIONS["invoices"], raw)
        await self.answers.demand()

    async def settle_faults(self) -> None:
        """Quarantines, at the end of a lap, the invoices that alone failed."""
        for idn, error in (await self.answers.faults.alone(self._is_server_well)).items():
            await self.answers.unfit.quarantine_faulty(idn, error)

    async def _is_server_well(self) -> bool:
        try:
            await self.gateway.find_payments({_NOBODYS_NAME})
        except PermanentError:
            return True
        except (TemporaryError, BudgetSpent, Stopped):
            return False
        return True

    async def create_payment(self, payment: PaymentRequest, permit: Permit) -> Outcome[Payment]:
        return await self.gateway.create_payment(payment, permit)

    async def name_payment(self, idn: int | str, external_id: str) -> None:
        await self.gateway.name_payment(idn, external_id)

    async def log_invoice(self, idn: int | str, text: str) -> None:
        await self.gateway.log_invoice(idn, text)

    async def find_payments(self, external_ids: Collection[str]) -> Sequence[Payment]:
        return await self.gateway.find_payments(external_ids)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job of payments that has no lap while Precoro's answers lack what it needs."""

    job: Job
    gateway: WatchedGateway

    @property
    def name(self) -> str:
        return self.job.name

    async def due(self, now: float) -> bool:
        return await self.job.due(now)

    async def lap(self) -> LapReport:
        answers = self.gateway.answers
        try:
            await answers.demand()
        except AnswersChanged as error:
            return LapReport(ended=error)
        answers.faults.begin()
        report = await self.job.lap()
        if report.ended is None:
            await self.gateway.settle_faults()
        await answers.unfit.forget_old()
        return report
