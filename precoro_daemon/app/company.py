"""one company: its state, its gateway to Precoro, its ledger, and the jobs between them"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from msgspec import Struct

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.downloads import Downloads
from precoro_daemon.adapters.http.exchange import Transport
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.route import use_route
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.app.jobs import Dependencies, build_jobs, in_order
from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.app.values import (
    credentials_of,
    limits,
    plan_for,
    polling_options,
    route_to,
    share_of_deliveries,
    wanted_details,
)
from precoro_daemon.errors import DaemonError, LedgerMisfit, PartUnusable
from precoro_daemon.mirror.details import DetailAnswers
from precoro_daemon.mirror.polling import Polling, none_waiting
from precoro_daemon.mirror.sentinel import Sentinel
from precoro_daemon.payments.rules.needs import VITAL
from precoro_daemon.quota.limits import SECONDS, Lane
from precoro_daemon.runtime.ports import Brake, Permanent, Tenure

if TYPE_CHECKING:
    from precoro_daemon.adapters.host.clock import RealClock
    from precoro_daemon.adapters.precoro.attachments import PrecoroAttachments
    from precoro_daemon.adapters.precoro.items import HttpItemGateway
    from precoro_daemon.adapters.precoro.payments import HttpPaymentGateway
    from precoro_daemon.adapters.precoro.probes import PrecoroProbes
    from precoro_daemon.adapters.precoro.single_writes import SingleWrites
    from precoro_daemon.adapters.state.ports import Store
    from precoro_daemon.payments.commands import CommandHandler
    from precoro_daemon.payments.ports.ledger import Ledger
    from precoro_daemon.quota.budget import Budget
    from precoro_daemon.quota.ports import BudgetBook
    from precoro_daemon.runtime.job import Registration
    from precoro_daemon.settings import Settings
    from precoro_daemon.status.progress import Progress

OpenSession = Callable[[Credentials, Timeouts], AbstractAsyncContextManager[Transport]]


@dataclass(frozen=True)
class Gateway:
    """Access to Precoro: lists, documents, files, payments of invoices, writes of items, and probes.

    Adapters that the configuration does not use are never imported.
    """

    precoro: PrecoroClient
    credentials: Credentials
    clock: RealClock
    throttled: Throttled
    retrying: Retrying
    downloads: Downloads

    @cached_property
    def attachments(self) -> PrecoroAttachments:
        from precoro_daemon.adapters.precoro.attachments import PrecoroAttachments

        return PrecoroAttachments(self.throttled, self.downloads, self.credentials.origin)

    @cached_property
    def payments(self) -> HttpPaymentGateway:
        from precoro_daemon.adapters.precoro.payments import HttpPaymentGateway

        return HttpPaymentGateway(self.retrying, self._writes)

    @cached_property
    def items(self) -> HttpItemGateway:
        from precoro_daemon.adapters.precoro.items import HttpItemGateway

        return HttpItemGateway(self.precoro, self.retrying, self._writes)

    @cached_property
    def probes(self) -> PrecoroProbes:
        from precoro_daemon.adapters.precoro.probes import PrecoroProbes

        return PrecoroProbes(self.throttled, self.credentials)

    @cached_property
    def _writes(self) -> SingleWrites:
        from precoro_daemon.adapters.precoro.single_writes import SingleWrites

        return SingleWrites(self.throttled, self.credentials, self.clock)

    def stop(self) -> None:
        """Prevents any further call from leaving."""
        self.throttled.stop()

    def refuse_if_stopped(self) -> None:
        """Raises Stopped after `stop`."""
        self.throttled.refuse_if_stopped()

    @property
    def account(self) -> Budget:
        """The budget of calls, for display and planning."""
        return self.throttled.account


class Company(Struct, frozen=True):
    """One running company. It receives all its dependencies and has no global state: a process holds one or many.

    ledger    None if no ledger is configured or it cannot be opened
    jobs      by name, in the order of a round
    handler   executes commands about payments; None without a ledger
    sentinel  watches the shapes of Precoro's answers
    """

    settings: Settings
    store: Store
    gateway: Gateway
    ledger: Ledger | None
    jobs: Mapping[str, Registration]
    handler: CommandHandler | None
    polling: Polling
    sentinel: Sentinel

    async def due_details(self) -> int:
        """Returns how many documents lack an up-to-date detail."""
        wanted = wanted_details(self.settings)
        counts = await self.store.mirror.count_due(wanted.collections, wanted.with_attachments, before=math.inf)
        return sum(counts.values())


@dataclass(frozen=True, slots=True)
class Way:
    """How calls reach Precoro.

    session  opens the HTTP session that carries them
    tenure   asked before each call whether it may leave
    brake    limits the rate of the address that other companies' calls share
    """

    session: OpenSession = HttpSession
    tenure: Tenure = field(default_factory=Permanent)
    brake: Brake | None = None


@asynccontextmanager
async def open_company(
    store: Store,
    settings: Settings,
    clock: RealClock,
    progress: Progress,
    *,
    planned: bool = False,
    way: Way = Way(),
) -> AsyncIterator[Company]:
    """Opens the gateway to Precoro and the ledger, and yields the company.

    `planned`: lists are scanned by priority, as in a service; otherwise each is scanned once.
    """
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(connect(settings, store.budget_book, clock, progress, way))
        ledger, trouble = await _open_ledger(stack, settings)
        polling = polling_of(settings, store, clock, gateway.account, ledger)
        await polling.load()
        answers, sentinel = DetailAnswers(store.mirror, clock), Sentinel(store.shape_book, clock, VITAL)
        await sentinel.load()
        given = Dependencies(gateway.precoro, gateway, store, answers, clock, progress, polling, sentinel)
        jobs = list(build_jobs(settings, given, planned=planned))
        handler = None
        if trouble is not None:
            from precoro_daemon.app.payments import unable_payment_jobs

            jobs += unable_payment_jobs(settings, trouble)
        if ledger is not None:
            from precoro_daemon.app.payments import Outside, build_handler, build_payments, payment_jobs

            await store.journal.prepare()
            payments = build_payments(
                settings,
                store,
                answers,
                Outside(gateway.payments, ledger, sentinel),
                refuse_if_stopped=gateway.refuse_if_stopped,
            )
            jobs += payment_jobs(settings, payments)
            handler = build_handler(settings, store, ledger, clock)
        yield Company(settings, store, gateway, ledger, in_order(*jobs), handler, polling, sentinel)
        with suppress(DaemonError):  # a kill loses as much
            await polling.keep_all()


async def _open_ledger(stack: AsyncExitStack, settings: Settings) -> tuple[Ledger | None, PartUnusable | None]:
    """Returns the ledger, or why the configured one cannot be opened.

    Jobs that need no ledger continue without it.
    """
    try:
        return await stack.enter_async_context(open_ledger(settings)), None
    except PartUnusable as error:
        return None, error
    except (DaemonError, ImportError, OSError) as error:
        return None, LedgerMisfit(f"the ledger cannot be opened: {error}")


def polling_of(
    settings: Settings, store: Store, clock: RealClock, account: Budget, ledger: Ledger | None = None
) -> Polling:
    """Returns the planner of scans, which divides this account's daily calls."""
    beside = share_of_deliveries(settings)
    pays = ledger if settings.mark_invoices_paid.enabled else None
    return Polling(
        options=polling_options(settings),
        mirror=store.mirror,
        book=store.freshness_book,
        clock=clock,
        plan=lambda demand, week: plan_for(settings, demand, week, account, clock.now()),
        adopt=lambda plan: account.adopt((*plan.shares, *beside)),
        backfilled=partial(_backfilled, store.budget_book, clock),
        waiting=partial(store.ledger_payments.waiting, pays.name) if pays else none_waiting,
    )


async def _backfilled(book: BudgetBook, clock: RealClock) -> Sequence[float]:
    now = clock.now()
    return [now - at for at, lane in await book.load_lanes(now - SECONDS["day"]) if lane is Lane.CENSUS]


@asynccontextmanager
async def connect(
    settings: Settings,
    book: BudgetBook,
    clock: RealClock,
    progress: Progress,
    way: Way = Way(),
) -> AsyncIterator[Gateway]:
    precoro = settings.precoro
    credentials = credentials_of(settings)
    clock.begin_at(await book.now())
    dependencies = GateDependencies(book, clock, progress, way.tenure, way.brake)
    async with (
        use_route(route_to(settings)),
        way.session(credentials, _timeouts(settings)) as transport,
        Throttled(transport, credentials, limits(settings), dependencies) as throttled,
        Downloads(settings.fetch_attachments.allowed_hosts, _timeouts(settings), precoro.origin) as downloads,
    ):
        retrying = Retrying(throttled)
        client = PrecoroClient(retrying, settings.mirror_collections.per_page)
        yield Gateway(client, credentials, clock, throttled, retrying, downloads)


def _timeouts(settings: Settings) -> Timeouts:
    precoro = settings.precoro
    return Timeouts(total=precoro.timeout, connect=precoro.connect_timeout, read=precoro.timeout)
