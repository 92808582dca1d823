"""one company as a service: holds the state throughout, and rebuilds everything else at each reload"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.checks import prober
from precoro_daemon.app.company import Company, Way, open_company
from precoro_daemon.app.control import Probe, open_control
from precoro_daemon.app.doctor import examiner
from precoro_daemon.app.doors import Doors, OwnDoors
from precoro_daemon.app.notices import notices_of
from precoro_daemon.app.pushes import pushes_prober
from precoro_daemon.app.state import address, identity
from precoro_daemon.app.values import ADVICE, clock_for, contradiction
from precoro_daemon.app.watch import Onlooker, Watched, shown_to
from precoro_daemon.errors import ConfigurationError, DaemonError, leaves, most_severe
from precoro_daemon.mirror.sentinel import Sentinel
from precoro_daemon.runtime.lifecycle import Service
from precoro_daemon.runtime.ports import Supervisor
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.runtime.watchdog import Watchdog
from precoro_daemon.settings import Settings
from precoro_daemon.status.heartbeat import ProgressHeartbeat
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Tallies
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process gives to a company's services.

    reread    returns the current settings. Raises ConfigurationError
    adopted   called with the settings that are in use from now on
    doors     the entrances for webhooks, watchers and commands
    way       how calls reach Precoro
    tallies   counters, including those of log lines
    command   how this program is called with its configuration, for people who need to know what to type
    onlooker  called about once a second with a snapshot; None: no snapshots are shown
    """

    supervisor: Supervisor
    reread: Callable[[], Settings]
    adopted: Callable[[Settings], None]
    doors: Doors = field(default_factory=OwnDoors)
    tallies: Tallies = field(default_factory=Tallies)
    command: str = "precoro-daemon"
    way: Way = field(default_factory=Way)
    onlooker: Onlooker | None = None


class ServedCompany:
    """Holds the settings in use and the former ones, and builds the company's service from them."""

    def __init__(self, settings: Settings, surroundings: Surroundings, store: Store) -> None:
        self._settings = settings
        self._former: Settings | None = None
        self._surroundings = surroundings
        self._store = store
        self._clock = clock_for(settings)
        self._heartbeat: ProgressHeartbeat | None = None
        self._reloads = 0

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        return self._settings

    @property
    def pulse(self) -> Pulse | None:
        """Signs of life; None before anything was built."""
        return None if self._heartbeat is None else self._heartbeat.pulse

    def announce_end(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.pulse.stopping = True

    @asynccontextmanager
    async def build(self) -> AsyncIterator[Service]:
        """Builds the service from the settings in use. If new settings fail, builds it from the former ones."""
        async with AsyncExitStack() as stack:
            reloads = self._reloads + (self._former is not None)
            try:
                service = await stack.enter_async_context(self._service(self._settings, reloads))
            except Exception as error:
                if self._former is None:
                    raise
                self._settings, self._former = self._former, None
                self._surroundings.adopted(self._settings)
                service = await stack.enter_async_context(self._service(self._settings, self._reloads))
                self._refuse(error)
            if self._former is not None:
                _log.info("reloaded")
                self._reloads = reloads
            self._former = None
            yield service

    @asynccontextmanager
    async def _service(self, settings: Settings, reloads: int) -> AsyncIterator[Service]:
        heartbeat = ProgressHeartbeat(self._clock, self._surroundings.tallies)
        heartbeat.pulse.reloads = reloads
        way = self._surroundings.way
        async with open_company(self._store, settings, self._clock, heartbeat, planned=True, way=way) as company:
            await _log_quota(company)
            given = Dependencies(self._clock, company.gateway.stop, self._store.lap_book)
            scheduler = Scheduler(list(company.jobs.values()), given)
            heartbeat.pulse.jobs = scheduler.jobs
            self._heartbeat = heartbeat
            commands = settings if self._surroundings.doors.own_socket else None
            async with (
                self._surroundings.doors.watch(settings, self._watched(heartbeat, company)),
                shown_to(self._surroundings.onlooker, settings, self._watched(heartbeat, company)),
                notices_of(settings, self._watched(heartbeat, company), self._store.notice_book),
                self._webhooks(settings, scheduler, heartbeat, company.sentinel),
                open_control(commands, company.handler, scheduler, self._probes(company)) as executor,
                self._surroundings.doors.commands(executor),
            ):
                watchdog = Watchdog(
                    self._clock, heartbeat, self._surroundings.supervisor, settings.daemon.stuck_after
                )
                yield Service(scheduler, watchdog, resume=not reloads)

    def _probes(self, company: Company) -> Mapping[str, Probe]:
        pushes = partial(pushes_prober, company.settings, self._store, self._clock)
        return {
            "check": prober(company),
            "doctor": examiner(company, self._store, self._clock),
            "replay_pushes": pushes("replay_pushes"),
            "drop_pushes": pushes("drop_pushes"),
        }

    @asynccontextmanager
    async def _webhooks(
        self, settings: Settings, scheduler: Scheduler, heartbeat: ProgressHeartbeat, sentinel: Sentinel
    ) -> AsyncIterator[None]:
        """Takes webhooks until the context ends, if the configuration has an address for them."""
        section = settings.apply_deliveries
        if section.listen is None:
            yield
            return
        from precoro_daemon.adapters.listener.webhooks import Reception

        wake = partial(scheduler.wake, "apply_deliveries")
        answers = heartbeat.tallies.answers
        inbox, unknown = self._store.deliveries, sentinel.announced
        reception = Reception(section.secrets, inbox, self._clock, wake, answers, unknown=unknown)
        heartbeat.pulse.others = [reception.pulse]
        async with self._surroundings.doors.webhooks(section.listen, reception):
            yield

    def _watched(self, heartbeat: ProgressHeartbeat, company: Company) -> Watched:
        return Watched(
            pulse=heartbeat.pulse,
            tallies=self._surroundings.tallies,
            account=company.gateway.account,
            polling=company.polling,
            clock=self._clock,
            command=self._surroundings.command,
        )

    async def reread(self) -> bool:
        """Reads the configuration again. Returns False, and logs the reason, if it cannot be used."""
        try:
            fresh = await anyio.to_thread.run_sync(self._surroundings.reread, abandon_on_cancel=True)
            _refuse_other_fixed(self._settings, fresh)
        except Exception as error:  # noqa: BLE001 - the service goes on, whatever it is
            self._refuse(error)
            return False
        # Those that were asked for while others still drain were never tried: the ones in use are to go back to.
        self._settings, self._former = fresh, self._former or self._settings
        self._surroundings.adopted(fresh)
        return True

    def _refuse(self, error: Exception) -> None:
        """Logs why a reload was refused, and keeps the reason for the page.

        The log may not be read at that moment; the page shows the reason later.
        """
        failure = most_severe(leaves(error)) if isinstance(error, ExceptionGroup) else error
        foreseen = isinstance(failure, DaemonError)
        reason = str(failure) if foreseen else f"unexpected: {type(failure).__name__}: {failure}"
        _log.error("reload_refused", reason=reason, **({} if foreseen else {"exc_info": error}))
        if self._heartbeat is not None:
            self._heartbeat.pulse.refused = reason


def other_fixed(present: Settings, fresh: Settings) -> list[str]:
    """Returns the changed settings that a service cannot adopt while it holds a state."""
    fixed = {
        "state.url": (address(present), address(fresh)),
        "limits.time_scale": (present.limits.time_scale, fresh.limits.time_scale),
        "the company (precoro.base_url, region or email, state.company)": (identity(present), identity(fresh)),
    }
    return [name for name, (before, now) in fixed.items() if before != now]


def _refuse_other_fixed(present: Settings, fresh: Settings) -> None:
    if other := other_fixed(present, fresh):
        names = ", ".join(other)
        raise ConfigurationError(f"{names} cannot change while the program runs; stop it and start it again")


async def _log_quota(company: Company) -> None:
    """Logs, at every build, what the day's calls are used for, and when the back-fill will be done with the rest."""
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
        **await company.polling.days_left(),
    )
