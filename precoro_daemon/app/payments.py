"""the jobs of payments, and what the commands do to intents"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import anyio

from precoro_daemon.adapters.state.ports import State, Store
from precoro_daemon.app.jobs import LISTS
from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.app.ledger_reading import reading_of
from precoro_daemon.app.state import identity, kill_switch, state_of, stopped_by
from precoro_daemon.app.values import clock_without_calls
from precoro_daemon.errors import ConfigurationError, LedgerMisfit, PartUnusable
from precoro_daemon.mirror.details import DetailAnswers
from precoro_daemon.mirror.ports.shapes import ShapeBook, ShapeWatch
from precoro_daemon.payments.answers_watched import Answers, WaitingJob, WatchedGateway
from precoro_daemon.payments.commands import CommandHandler
from precoro_daemon.payments.export_payments import ExportPayments
from precoro_daemon.payments.forecast import LapForecast, forecast_lap
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.mark_invoices_paid import MarkInvoicesPaid
from precoro_daemon.payments.ports.gateway import PaymentGateway
from precoro_daemon.payments.ports.ledger import Capabilities, Ledger
from precoro_daemon.payments.reconciliation import Reconciler
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.needs import lacking
from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.payments.unfit_invoices import UnfitInvoices
from precoro_daemon.runtime.job import Job, Registration, UnableJob
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.runtime.schedules import Schedule
from precoro_daemon.settings import Settings


@dataclass(frozen=True, slots=True)
class Payments:
    """Both jobs, whether or not they are enabled, and what the ledger can do."""

    mark: Job
    export: Job
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Outside:
    """Where invoices are paid, where the company keeps its books, and who sees what Precoro answers."""

    gateway: PaymentGateway
    ledger: Ledger
    shapes: ShapeWatch


def build_payments(
    settings: Settings,
    store: Store,
    answers: DetailAnswers,
    outside: Outside,
    *,
    refuse_if_stopped: Callable[[], None],
) -> Payments:
    """`refuse_if_stopped` raises Stopped once calls to Precoro are stopped: nothing goes to the ledger then."""
    given = settings.mark_invoices_paid
    naming: Literal["uuid", "number"] = "number" if given.external_id == "number" else "uuid"
    clock = answers.clock
    unfit = UnfitInvoices(store.mirror, outside.shapes, clock, settings.payments.accept_changed)
    to_precoro, to_ledger = (Answers(each, store.shape_book, unfit) for each in Direction)
    gateway, exporting = (WatchedGateway(outside.gateway, each) for each in (to_precoro, to_ledger))
    reconciler = Reconciler(gateway, store.journal, store.ledger_payments, clock, given.repost, naming)
    access = _access(settings, store, outside.ledger, clock)
    by_file = _stopped(settings)

    async def stopped(answers: Answers) -> str:
        reason = await by_file() or await answers.lacking()
        refuse_if_stopped()
        return reason

    named = given.external_id != "none"
    mark = MarkInvoicesPaid(reconciler, access, caps(settings), partial(stopped, to_precoro), named=named)
    export = ExportPayments(
        exporting,
        store.journal,
        store.paid_set,
        answers,
        access,
        caps(settings),
        partial(stopped, to_ledger),
        settings.export_payments.adopt_existing,
        unfit.lacks,
    )
    return Payments(WaitingJob(mark, gateway), WaitingJob(export, exporting), outside.ledger.capabilities)


def payment_jobs(settings: Settings, payments: Payments) -> Iterator[Registration]:
    """Those that are enabled, as far as the ledger can do what is asked of them."""
    misfits = misfits_of(settings, payments.capabilities)
    for job, schedule in _enabled(settings):
        able = payments.mark if job == MarkInvoicesPaid.name else payments.export
        yield _registered(UnableJob(job, misfits[job]) if job in misfits else able, schedule)


def unable_payment_jobs(settings: Settings, cause: PartUnusable) -> Iterator[Registration]:
    """Those that are enabled, where the ledger cannot even be opened."""
    return (_registered(UnableJob(job, cause), schedule) for job, schedule in _enabled(settings))


def _enabled(settings: Settings) -> Iterator[tuple[str, Schedule]]:
    if settings.mark_invoices_paid.enabled:
        yield MarkInvoicesPaid.name, settings.mark_invoices_paid.every
    if settings.export_payments.enabled:
        yield ExportPayments.name, settings.export_payments.every


def _registered(job: Job, schedule: Schedule) -> Registration:
    return Registration(job, schedule=schedule, after=LISTS, group="payments", silent=True)


def misfits_of(settings: Settings, capabilities: Capabilities) -> Mapping[str, LedgerMisfit]:
    """Why the ledger cannot do what is asked of it, by the enabled job that asks."""
    found: dict[str, LedgerMisfit] = {}
    if settings.mark_invoices_paid.enabled and not capabilities.reads:
        reason = "[mark_invoices_paid] is enabled, and this ledger cannot be read: see [ledger]"
        found[MarkInvoicesPaid.name] = LedgerMisfit(reason)
    if settings.export_payments.enabled and (reason := _cannot_take(settings, capabilities)):
        found[ExportPayments.name] = LedgerMisfit(reason)
    return found


def _cannot_take(settings: Settings, capabilities: Capabilities) -> str:
    if capabilities.create == "none":
        return "[export_payments] is enabled, and this ledger takes no payments: see [ledger]"
    if (capabilities.create, capabilities.lookup) == ("plain", "none") and not settings.ledger.accept_review:
        return "this ledger can neither repeat nor find a payment: see ledger.accept_review"
    return ""


def caps(settings: Settings) -> Caps:
    given = settings.payments
    return Caps(given.max_amount or None, given.max_per_day or None, given.max_per_lap or None)


def _access(settings: Settings, store: Store, ledger: Ledger, clock: Clock) -> LedgerAccess:
    given = settings.mark_invoices_paid
    payments = store.ledger_payments
    company, reading = identity(settings), reading_of(settings)
    return LedgerAccess(ledger, payments, clock, company, given.match_by, given.currency, reading)


def _stopped(settings: Settings) -> Callable[[], Awaitable[str]]:
    return partial(anyio.to_thread.run_sync, partial(stopped_by, kill_switch(settings)))


async def _closed(by_file: Callable[[], Awaitable[str]], book: ShapeBook, accepted: Collection[str]) -> str:
    """Why a lap of either direction would send nothing."""
    changes = await book.changes()
    return await by_file() or next(filter(None, (lacking(each, changes, accepted) for each in Direction)), "")


@dataclass(frozen=True, slots=True)
class OpenHandler:
    """A handler of commands on an open state, and what the next lap would do from there."""

    handler: CommandHandler
    forecast_lap: Callable[[], Awaitable[LapForecast]]


def build_handler(settings: Settings, store: Store, ledger: Ledger, clock: Clock) -> CommandHandler:
    access = _access(settings, store, ledger, clock)
    return CommandHandler(Recorder(store.journal, clock), access, settings.mark_invoices_paid.enabled)


@asynccontextmanager
async def open_handler(
    settings: Settings, *, read_only: bool = False, state: State | None = None
) -> AsyncIterator[OpenHandler]:
    """`read_only`: somebody else may hold the state · `state`: opened in another way than the settings alone say.
    Raises StoreHeld, StoreUnusable, ConfigurationError."""
    state = state or state_of(settings)
    async with state.open_read_only() if read_only else state.open() as store, open_ledger(settings) as ledger:
        if ledger is None:
            raise ConfigurationError(
                "there is no ledger: see `precoro-daemon help ledgers`, and name yours in [ledger]"
            )
        if not read_only:
            await store.journal.prepare()
        handler = build_handler(settings, store, ledger, await clock_without_calls(settings, store.budget_book))
        closed = partial(_closed, _stopped(settings), store.shape_book, settings.payments.accept_changed)
        ahead = partial(forecast_lap, store.journal, handler.access, caps(settings), closed)
        yield OpenHandler(handler, ahead)
