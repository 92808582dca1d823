"""doctor --write-test: a payment of the ledger is sent alone, and shows whether Precoro keeps its id

No payment is made up for it: a made-up one would change the invoice's status, Precoro's own connectors could bring it
into the books, and to cancel it later undoes neither. What is sent is what the next lap would send, by the same lap:
after the same checks, under the same write-ahead permit and caps, in the same journal. So it is sent at most once,
and whatever comes of it is settled by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from precoro_daemon.app.company import open_company
from precoro_daemon.app.control import execute_here
from precoro_daemon.app.doctor import external_ids
from precoro_daemon.app.payments import open_handler
from precoro_daemon.app.state import state_of
from precoro_daemon.app.values import clock_for
from precoro_daemon.errors import DecisionRefused
from precoro_daemon.payments.answers_watched import WaitingJob
from precoro_daemon.payments.commands import Command
from precoro_daemon.payments.forecast import Forecast
from precoro_daemon.payments.mark_invoices_paid import MarkInvoicesPaid
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.runtime.job import Job
from precoro_daemon.settings import Settings
from precoro_daemon.status.facts import Fact, with_facts
from precoro_daemon.status.progress import Silent


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of it. fact: whether ids are kept, None where this payment does not show it · failed: why, a line for
    each thing"""

    intent: Intent
    fact: Fact | None
    failed: Sequence[str]


async def choose_payment(settings: Settings, invoice: str, by: str) -> Forecast:
    """The payment of the ledger for the invoice of that number that would be sent now. Sends nothing.

    Raises DecisionRefused where there is none, or where payments are disarmed or stopped; StoreHeld; what reading the
    ledger raises.
    """
    await execute_here(settings, Command("plan", by))
    async with open_handler(settings, read_only=True) as opened:
        found = await opened.forecast_lap()
    if found.closed:
        raise DecisionRefused(f"nothing is sent: {found.closed}")
    mine = [
        one
        for one in found.forecasts
        if one.intent.direction is Direction.TO_PRECORO and str(one.intent.invoice_idn) == invoice
    ]
    for one in mine:
        if one.fate == "send":
            return one
    why = f": {mine[0].reason}" if mine else "; `payments plan` shows those that would be"
    raise DecisionRefused(f"no payment of the ledger for invoice {invoice} would be sent now{why}")


async def send_alone(settings: Settings, chosen: Forecast) -> Tested:
    """Raises StoreHeld, FatalError."""
    clock = clock_for(settings)
    async with (
        state_of(settings).open() as store,
        open_company(store, settings, clock, Silent()) as company,
    ):
        report = await _alone(company.jobs[MarkInvoicesPaid.name].job, chosen.intent).lap()
        if report.ended is not None:
            raise report.ended
        [intent] = await store.journal.intent(chosen.intent.id)
        fact = None
        if intent.state is State.CONFIRMED and intent.attempts > chosen.intent.attempts:
            fact = external_ids(settings, await store.journal.last_accepted(), clock.now())
            await store.fact_book.save(with_facts(await store.fact_book.load(), [fact]))
        return Tested(intent, fact, report.failed)


def _alone(job: Job, intent: Intent) -> Job:
    """The job that sends, for this payment. One that is unable says why by itself."""
    if isinstance(job, WaitingJob) and isinstance(job.job, MarkInvoicesPaid):
        return replace(job, job=replace(job.job, alone=intent.id))
    return job
