"""one company in a process of its own, until a signal"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from precoro_daemon.adapters.host.systemd import find_supervisor
from precoro_daemon.app.served import ServedCompany, Surroundings
from precoro_daemon.app.state import address
from precoro_daemon.app.tenure import FileTenure
from precoro_daemon.app.watch import Onlooker
from precoro_daemon.errors import DaemonError, leaves, most_severe
from precoro_daemon.runtime.lifecycle import End, Hooks, run_services
from precoro_daemon.runtime.ports import Supervisor
from precoro_daemon.settings import Settings
from precoro_daemon.status.snapshot import Tallies
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Host:
    """What the process gives to the service.

    reread       the settings as they are now. Raises ConfigurationError
    adopted      called with settings that are in use from now on
    last_resort  the process must be gone after that many real seconds, whatever hangs
    ending       called with how the service ends, when it handles signals no more
    tallies      what was counted, lines of the log among it
    command      how this program is called with its configuration, for people who need to know what to type
    onlooker     called about once a second with a snapshot, None if nobody looks on
    hung_up      after a SIGHUP: is the terminal gone on which the program was started?
    """

    supervisor: Supervisor
    reread: Callable[[], Settings]
    adopted: Callable[[Settings], None]
    last_resort: Callable[[float], None]
    ending: Callable[[End], None]
    tallies: Tallies = field(default_factory=Tallies)
    command: str = "precoro-daemon"
    onlooker: Onlooker | None = None
    hung_up: Callable[[], bool] = lambda: False


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
            store = await stack.enter_async_context(FileTenure().hold(settings))
            given = Surroundings(
                host.supervisor,
                host.reread,
                host.adopted,
                tallies=host.tallies,
                command=host.command,
                onlooker=host.onlooker,
            )
            company = ServedCompany(settings, given, store)
            hooks = Hooks(host.supervisor, company.announce_end, host.last_resort, host.ending, host.hung_up)
            ends.append(await run_services(company.build, company.reread, hooks))
    except* DaemonError as errors:
        failure = most_severe(leaves(errors))
    if failure is not None:
        _log.error("run_failed", reason=str(failure), exit_code=failure.exit_code)
        raise failure
    _log.info("run_finished", stopped=ends[0])
    return ends[0]
