"""many companies in one process: their lives are separate; signals and sockets are shared"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

import anyio
from anyio.abc import TaskGroup

from precoro_daemon.adapters.host.descriptors import allow_descriptors
from precoro_daemon.adapters.host.heap import give_back_free_pages, share_one_heap
from precoro_daemon.adapters.http.brake import EgressBrake
from precoro_daemon.app.company import Way
from precoro_daemon.app.company_files import CompanyFiles
from precoro_daemon.app.fleet_doors import DoorsOfCompany, FleetDoors
from precoro_daemon.app.fleet_inbox import FleetInbox
from precoro_daemon.app.lessee import Lessee
from precoro_daemon.app.member import Member
from precoro_daemon.app.served import Surroundings
from precoro_daemon.app.tenure import FileTenure, Tenure
from precoro_daemon.app.watch import PAUSE_PER_READING, SHOW_EVERY_S
from precoro_daemon.errors import DaemonError, Deposed, leaves, most_severe
from precoro_daemon.runtime.fleet_worker import Tenancy
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.lifecycle import End, Hooks, run_until_signal
from precoro_daemon.runtime.ports import Supervisor, Unsupervised
from precoro_daemon.runtime.start_gate import StartGate
from precoro_daemon.runtime.tenure import start_offset
from precoro_daemon.settings import Settings
from precoro_daemon.status.companies import CompanyGlance
from precoro_daemon.status.snapshot import Tallies, Watcher
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_SPREAD_S = 30.0
"""Most real seconds over which the first turns of companies are spread."""

_SPREAD_PER_COMPANY_S = 0.03
"""Real seconds of that spread for each company.

A start takes twice this time of a core, so the starts' own work takes most of the time.
"""

_COMPANIES_CHECK_S = 5.0
"""Most real seconds between two checks of all companies."""

_HEAP_TRIMMED_S = (45.0, 600.0)
"""Real seconds until free memory is given back: after the start, which needs most, and later each time."""

_DESCRIPTORS = (400, 32)
"""File descriptors, first of the process, including connections of webhooks and watchers; then of each company: its
state, its control socket, its connections to Precoro, to a ledger and to stores of files.
"""


@dataclass(frozen=True, slots=True)
class FleetHost:
    """What the process gives to its companies.

    reread       returns what the directory says now. Raises ConfigurationError
    adopted      called with the files that are in use from now on
    last_resort  makes sure that the process is gone after that many real seconds, whatever hangs
    ending       called with how the process ends, when it no longer handles signals
    command      how this program is called with one company's configuration
    tallies      counters, by company
    onlooker     called repeatedly with a glance at all companies; None: none is shown
    hung_up      called after a SIGHUP: returns whether the terminal is gone on which the program was started
    """

    supervisor: Supervisor
    reread: Callable[[], CompanyFiles]
    adopted: Callable[[CompanyFiles], None]
    last_resort: Callable[[float], None]
    ending: Callable[[End], None]
    command: Callable[[str], str]
    tallies: dict[str, Tallies] = field(default_factory=dict)
    onlooker: Callable[[Sequence[CompanyGlance]], None] | None = None
    hung_up: Callable[[], bool] = lambda: False


async def serve_fleet(files: CompanyFiles, host: FleetHost, tenure: Tenure | None = None) -> End:
    """Serves all companies until a signal. Raises ListenerUnusable if the shared sockets cannot be opened."""
    _log.info("fleet_started", companies=len(files.companies), refused=len(files.refused))
    share_one_heap()
    ends: list[End] = []
    failure: DaemonError | None = None
    fleet = Fleet(files, host, tenure or FileTenure())
    try:
        async with fleet.doors.open(files, fleet):
            # Each company announces its own end.
            hooks = Hooks(host.supervisor, lambda: None, host.last_resort, host.ending, host.hung_up)
            ends.append(await run_until_signal(fleet, hooks))
    except* DaemonError as errors:
        failure = most_severe(leaves(errors))
    if failure is not None:
        _log.error("run_failed", reason=str(failure), exit_code=failure.exit_code)
        raise failure
    _log.info("run_finished", stopped=ends[0])
    return ends[0]


class Fleet:
    """Serves all companies of a directory. Implements `Served` and `FleetWatcher`."""

    def __init__(self, files: CompanyFiles, host: FleetHost, tenure: Tenure) -> None:
        self.doors = FleetDoors(leased=files.leased, seen=host.onlooker is not None)
        self._brake = None if (rate := files.fleet.calls_per_second) is None else EgressBrake(rate)
        self._files = files
        self._host = host
        self._tenure = tenure
        self._lessee = self._lease_companies(files) if files.leased else None
        if files.leased and files.webhooks is not None:
            self.doors.inbox = FleetInbox(files.fleet, files.state, self.doors.entrance, self._answers)
        self._starts = StartGate()
        self._members: dict[str, Member] = {}
        self._refused: dict[str, str] = {}
        self._stopping = anyio.Event()
        self._all_gone = anyio.Event()
        self._reading = anyio.Lock()
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        async with anyio.create_task_group() as self._tasks:
            self._take(self._files)
            self._tasks.start_soon(guarded, "the watch over companies", self._watch_over, name="companies")
            self._tasks.start_soon(guarded, "the heap", _keep_heap_small, name="heap")
            if self._host.onlooker is not None:
                show = partial(self._keep_showing, self._host.onlooker)
                self._tasks.start_soon(guarded, "the screen", show, name="screen")
            if self.doors.inbox is not None:
                self._tasks.start_soon(guarded, "the inbox of the fleet", self.doors.inbox.run, name="inbox")
            if self._lessee is not None:
                await self._lessee.run()
            await self._stopping.wait()
            self.stop()
            if self._members:
                await self._all_gone.wait()
            self._tasks.cancel_scope.cancel()

    async def reload(self) -> None:
        async with self._reading:
            if self._tasks is None or self._stopping.is_set():
                return
            self._host.supervisor.reloading()
            try:
                files = await anyio.to_thread.run_sync(self._host.reread, abandon_on_cancel=True)
            except Exception as error:  # noqa: BLE001 - all companies go on, whatever it is
                foreseen = isinstance(error, DaemonError)
                reason = str(error) if foreseen else f"unexpected: {type(error).__name__}: {error}"
                _log.error("reload_refused", reason=reason, **({} if foreseen else {"exc_info": error}))
            else:
                self._take(files)
                _log.info("reloaded")
            self._host.supervisor.ready(self.summary())

    def stop(self) -> None:
        self._stopping.set()
        if self._lessee is not None:
            self._lessee.stop()
        for member in self._members.values():
            if not member.leaving:
                member.leave()

    def glance(self) -> Sequence[CompanyGlance]:
        found = [CompanyGlance(name, "refused", reason) for name, reason in self._refusals.items()]
        found += (self._glance(one) for one in self._members.values())
        if self._lessee is not None:
            known = {one.name for one in found}
            found += (self._lessee.glance(name) for name in self._files.companies if name not in known)
        return sorted(found, key=lambda one: one.name)

    def _glance(self, member: Member) -> CompanyGlance:
        watcher = self.watcher(member.name)
        snapshot = None if watcher is None else watcher.glance()
        if self._lessee is None:
            return CompanyGlance(member.name, member.standing, member.reason, snapshot)
        reason = member.reason or self._lessee.view.contradiction(member.name)
        return CompanyGlance(member.name, member.standing, reason, snapshot, self._lessee.name)

    async def renew(self, patience: float) -> Sequence[CompanyGlance]:
        await self.doors.read_states(patience)
        return self.glance()

    def watcher(self, name: str) -> Watcher | None:
        return self.doors.watchers.get(name)

    @property
    def _refusals(self) -> Mapping[str, str]:
        foreign = {} if self._lessee is None else self._lessee.foreign
        return self._refused | foreign

    def summary(self) -> str:
        """Returns the condition of all companies, in one line for people."""
        served = sum(one.standing == "running" for one in self._members.values())
        said = f"{served} of {len(self._members) + len(self._refusals)} companies served"
        troubles = {name: one.reason for name, one in self._members.items() if one.reason} | dict(self._refusals)
        return "; ".join([said, *(f"{name}: {reason}" for name, reason in sorted(troubles.items())[:1])])

    def _take(self, files: CompanyFiles) -> None:
        """Starts, ends, reloads and refuses companies to match the directory."""
        self._refuse_other_process(files)
        self._host.adopted(files)
        self._files = files
        self._allow_descriptors(len(files.companies))
        present = files.companies.keys() | files.refused.keys()
        for name in self._members.keys() - present:
            self._members[name].leave()
        self._refused = {name: why for name, why in files.refused.items() if name not in self._members}
        for name, reason in files.refused.items():
            _log.error("company_refused", company=name, reason=reason)
            if name in self._members:
                self._members[name].refuse(reason)
        assert self._tasks is not None
        if self._lessee is not None:
            self._tasks.start_soon(self._lessee.enrol, files.companies, name="enrolment")
        if self.doors.inbox is not None:
            self.doors.inbox.admit(files.companies, self._tasks)
        fresh = files.companies.keys() - self._members.keys()
        for name, settings in files.companies.items():
            if name not in fresh:
                self._tasks.start_soon(self._members[name].reload, settings, name=f"reload {name}")
            elif self._lessee is None:
                self._start(name, settings, spread=len(fresh))

    def _start(self, name: str, settings: Settings, spread: int) -> None:
        member = self._members[name] = Member(
            name, settings, self._tenure, self._surroundings(name, settings, Way(brake=self._brake)), self._starts
        )
        assert self._tasks is not None
        self._tasks.start_soon(self._serve, member, _offset(name, spread), name=name)

    def _surroundings(self, name: str, settings: Settings, way: Way) -> Surroundings:
        return Surroundings(
            Unsupervised(),
            lambda: settings,
            lambda _: None,
            DoorsOfCompany(name, self.doors),
            self._host.tallies.setdefault(name, Tallies()),
            self._host.command(name),
            way,
        )

    def _answers(self, name: str) -> Counter[int]:
        return self._host.tallies.setdefault(name, Tallies()).answers

    @property
    def _starting(self) -> int:
        """The number of companies not served yet: all at the start; few after a hand-over, so those start early."""
        return sum(member.standing == "starting" for member in self._members.values())

    def _lease_companies(self, files: CompanyFiles) -> Lessee:
        return Lessee(files.fleet, files.state, self._occupy, self.doors.executors, self._share_address)

    def _share_address(self, workers: int) -> None:
        if self._brake is not None:
            self._brake.share(workers)

    async def _occupy(self, tenancy: Tenancy, tenure: Tenure) -> None:
        """Serves a company while this worker has its lease. Ends at once when cancelled. Raises Deposed."""
        name = tenancy.holding.company
        if (settings := self._files.companies.get(name)) is None:
            return
        given = self._surroundings(name, settings, Way(tenure=tenancy, brake=self._brake))
        member = self._members[name] = Member(name, settings, tenure, given, self._starts)
        tenancy.begun = lambda: member.standing != "starting"
        lost: list[DaemonError] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_hand_over, tenancy, member, name=f"hand-over of {name}")
                await member.serve(_offset(name, spread=self._starting))
                tasks.cancel_scope.cancel()
        except* Deposed as errors:
            lost += leaves(errors)
        finally:
            del self._members[name]
        if lost:
            raise lost[0]

    async def _serve(self, member: Member, delay: float) -> None:
        await guarded(f"the company {member.name}", lambda: member.serve(delay))
        del self._members[member.name]
        if self._stopping.is_set():
            if not self._members:
                self._all_gone.set()
        elif (settings := self._files.companies.get(member.name)) is not None:
            self._start(member.name, settings, spread=1)  # its file was taken away and came back meanwhile
        elif (reason := self._files.refused.get(member.name)) is not None:
            self._refused[member.name] = reason

    async def _keep_showing(self, onlooker: Callable[[Sequence[CompanyGlance]], None]) -> None:
        while True:
            await self.doors.read_states(SHOW_EVERY_S / 2)
            began = monotonic()
            onlooker(self.glance())
            await anyio.sleep(max(SHOW_EVERY_S, PAUSE_PER_READING * (monotonic() - began)))

    async def _watch_over(self) -> None:
        supervisor = self._host.supervisor
        pause = min(_COMPANIES_CHECK_S, (supervisor.watchdog_interval or _COMPANIES_CHECK_S) / 3)
        said = self.summary()
        supervisor.ready(said)
        while True:
            for member in self._members.values():
                member.end_if_stuck()
            supervisor.alive()
            if (summary := self.summary()) != said:
                said = summary
                supervisor.status(said)
            await anyio.sleep(pause)

    def _refuse_other_process(self, files: CompanyFiles) -> None:
        """Logs changes that only a restart can apply, because sockets are open already and leases are held."""
        before, now = (
            {
                "[watch]": one.watch,
                "[apply_deliveries] listen": one.webhooks,
                "[fleet]": one.fleet,
                "[state] url": one.state.url if self._files.leased or one.leased else None,
            }
            for one in (self._files, files)
        )
        if changed := [name for name in before if before[name] != now[name]]:
            reason = f"{' and '.join(changed)} in defaults.toml cannot change while the program runs"
            _log.error("reload_refused", reason=f"{reason}; stop it and start it again")

    def _allow_descriptors(self, companies: int) -> None:
        of_process, of_company = _DESCRIPTORS
        wanted = of_process + of_company * companies
        if (allowed := allow_descriptors(wanted)) < wanted:
            _log.warning("descriptors_limited", allowed=allowed, wanted=wanted)


async def _hand_over(tenancy: Tenancy, member: Member) -> None:
    """Lets work in flight finish and begins no more, once the lease is to be handed over."""
    await tenancy.ending.wait()
    member.leave()


async def _keep_heap_small() -> None:
    pause, later = _HEAP_TRIMMED_S
    while True:
        await anyio.sleep(pause)
        await anyio.to_thread.run_sync(give_back_free_pages)
        pause = later


def _offset(name: str, spread: int) -> float:
    """Returns the real seconds after which a company starts.

    They depend on its name, so that companies of one process do not all work at the same moment.
    """
    return start_offset(name, min(_SPREAD_S, _SPREAD_PER_COMPANY_S * spread))
