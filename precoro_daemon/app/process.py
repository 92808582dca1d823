"""the program as a service: the state held throughout, all else built anew at each reload"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from precoro_daemon.adapters.host.systemd import find_supervisor
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.company import Company, open_company
from precoro_daemon.app.control import open_control
from precoro_daemon.app.listeners import open_webhooks
from precoro_daemon.app.state import address, identity, state_of
from precoro_daemon.app.values import ADVICE, clock_for, contradiction
from precoro_daemon.app.watch import Watched, open_watch
from precoro_daemon.errors import ConfigurationError, DaemonError, StoreHeld, StoreUnavailable, leaves, most_severe
from precoro_daemon.runtime.lifecycle import End, Hooks, Service, run_services
from precoro_daemon.runtime.ports import Supervisor
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.runtime.watchdog import Watchdog
from precoro_daemon.settings import Settings
from precoro_daemon.status.heartbeat import ProgressHeartbeat
from precoro_daemon.status.snapshot import Tallies
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_MOMENTS = AsyncRetrying(
    retry=retry_if_exception_type((StoreHeld, StoreUnavailable)),
    stop=stop_after_delay(5),
    wait=wait_fixed(0.25),
    reraise=True,
)
"""A command, a shell or a backup may hold the state for a moment; who starts a service should not have to know."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the process gives to the service.

    reread       the settings as they are now. Raises ConfigurationError
    adopted      called with settings that are in use from now on
    last_resort  the process must be gone after that many real seconds, whatever hangs
    ending       called with how the service ends, when it handles signals no more
    tallies      what was counted, lines of the log among it
    command      how this program is called with its configuration, for people who need to know what to type
    """

    supervisor: Supervisor
    reread: Callable[[], Settings]
    adopted: Callable[[Settings], None]
    last_resort: Callable[[float], None]
    ending: Callable[[End], None]
    tallies: Tallies = field(default_factory=Tallies)
    command: str = "precoro-daemon"


def supervisor_of(environment: Mapping[str, str]) -> Supervisor:
    """Who started this process, by its environment."""
    return find_supervisor(environment)


async def serve(settings: Settings, host: Host) -> End:
    """Run until a signal. Raises FatalError if it cannot begin."""
    _log.info("run_started", state=address(settings), origin=settings.precoro.origin, only=None)
    ends: list[End] = []
    failure: DaemonError | None = None
    try:
        async with AsyncExitStack() as stack:
            async for attempt in _MOMENTS:
                with attempt:
                    store = await stack.enter_async_context(state_of(settings).open())
            ends.append(await _Process(settings, host, store).run())
    except* DaemonError as errors:
        failure = most_severe(leaves(errors))
    if failure is not None:
        _log.error("run_failed", reason=str(failure), exit_code=failure.exit_code)
        raise failure
    _log.info("run_finished", stopped=ends[0])
    return ends[0]


class _Process:
    """The settings in use, those before them, and the service that is built from them."""

    def __init__(self, settings: Settings, host: Host, store: Store) -> None:
        self._settings = settings
        self._former: Settings | None = None
        self._host = host
        self._store = store
        self._clock = clock_for(settings)
        self._heartbeat: ProgressHeartbeat | None = None
        self._reloads = 0

    async def run(self) -> End:
        host = self._host
        hooks = Hooks(host.supervisor, self._reload, self._stopping, host.last_resort, host.ending)
        return await run_services(self._build, hooks)

    def _stopping(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.pulse.stopping = True

    @asynccontextmanager
    async def _build(self) -> AsyncIterator[Service]:
        """By the settings in use or, if nothing can be built from new ones, by the former."""
        async with AsyncExitStack() as stack:
            reloads = self._reloads + (self._former is not None)
            try:
                service = await stack.enter_async_context(self._service(self._settings, reloads))
            except Exception as error:
                if self._former is None:
                    raise
                self._settings, self._former = self._former, None
                self._host.adopted(self._settings)
                service = await stack.enter_async_context(self._service(self._settings, self._reloads))
                self._refuse(error)
            if self._former is not None:
                _log.info("reloaded")
                self._reloads = reloads
            self._former = None
            yield service

    @asynccontextmanager
    async def _service(self, settings: Settings, reloads: int) -> AsyncIterator[Service]:
        heartbeat = ProgressHeartbeat(self._clock, self._host.tallies)
        heartbeat.pulse.reloads = reloads
        async with open_company(self._store, settings, self._clock, heartbeat, planned=True) as company:
            await _log_quota(company)
            given = Dependencies(self._clock, company.gateway.stop, self._store.lap_book)
            scheduler = Scheduler(list(company.jobs.values()), given)
            heartbeat.pulse.jobs = scheduler.jobs
            self._heartbeat = heartbeat
            wake = partial(scheduler.wake, "apply_deliveries")
            async with (
                open_watch(settings, self._watched(heartbeat, company)),
                open_webhooks(settings, self._store, self._clock, wake, heartbeat),
                open_control(settings, company.handler, scheduler),
            ):
                watchdog = Watchdog(self._clock, heartbeat, self._host.supervisor, settings.daemon.stuck_after)
                yield Service(scheduler, watchdog, resume=not reloads)

    def _watched(self, heartbeat: ProgressHeartbeat, company: Company) -> Watched:
        return Watched(
            pulse=heartbeat.pulse,
            tallies=self._host.tallies,
            account=company.gateway.account,
            polling=company.polling,
            clock=self._clock,
            command=self._host.command,
        )

    async def _reload(self) -> bool:
        """Read the configuration anew; False, and logged, if it cannot be used."""
        try:
            fresh = await anyio.to_thread.run_sync(self._host.reread, abandon_on_cancel=True)
            _refuse_other_fixed(self._settings, fresh)
        except Exception as error:  # noqa: BLE001 - the service goes on, whatever it is
            self._refuse(error)
            return False
        # Those that were asked for while others still drain were never tried: the ones in use are to go back to.
        self._settings, self._former = fresh, self._former or self._settings
        self._host.adopted(fresh)
        return True

    def _refuse(self, error: Exception) -> None:
        """The log is read by nobody at that moment: the page shows it later."""
        failure = most_severe(leaves(error)) if isinstance(error, ExceptionGroup) else error
        foreseen = isinstance(failure, DaemonError)
        reason = str(failure) if foreseen else f"unexpected: {type(failure).__name__}: {failure}"
        _log.error("reload_refused", reason=reason, **({} if foreseen else {"exc_info": error}))
        if self._heartbeat is not None:
            self._heartbeat.pulse.refused = reason


def _refuse_other_fixed(present: Settings, fresh: Settings) -> None:
    """What stands in the new settings and cannot be taken over by a program that holds a state."""
    fixed = {
        "state.url": (address(present), address(fresh)),
        "limits.time_scale": (present.limits.time_scale, fresh.limits.time_scale),
        "the company (precoro.base_url, region or email, state.company)": (identity(present), identity(fresh)),
    }
    if other := [name for name, (before, now) in fixed.items() if before != now]:
        names = ", ".join(other)
        raise ConfigurationError(f"{names} cannot change while the program runs; stop it and start it again")


async def _log_quota(company: Company) -> None:
    """At every start: what the day's calls go to, and when the back-fill will be done with what is left."""
    plan = await company.polling.replan()
    if plan is None:
        return
    if (found := contradiction(company.polling.options, plan)) is not None:
        _log.warning(
            "schedule_contradicted",
            scheduled=found.asked,
            lists=sum(found.asked.values()),
            room=found.room,
            per_day=plan.granted,
            limit=found.limit,
            advice=ADVICE,
        )
    _log.info(
        "quota_planned",
        per_day=plan.granted,
        lists=plan.lists,
        documents=plan.documents,
        backfill=plan.backfill,
        due=company.polling.backlog,
        days=await company.polling.days_left(),
    )
