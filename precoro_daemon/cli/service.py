"""run: the program as a service, until a signal stops it"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, TextIO, TypeVar

import click

from precoro_daemon.cli.hang_up import ControllingTerminal
from precoro_daemon.cli.running import called, config_option, echo, load, make_console, run_async

if TYPE_CHECKING:
    from rich.console import RenderableType

    from precoro_daemon.cli.service_screen import Draw, ServiceScreen
    from precoro_daemon.runtime.lifecycle import End
    from precoro_daemon.settings import Log, Settings
    from precoro_daemon.status.snapshot import Snapshot

Seen = TypeVar("Seen")

CODES: dict[End, int] = {"terminated": 0, "interrupted": 130}


@click.command()
@config_option
@click.pass_obj
def run(parent: Path | None, config: Path | None) -> None:
    """Keep the mirror, files and payments up to date, until stopped by a signal. On a terminal, show what it does."""
    terminal = ControllingTerminal()
    await_service()
    path = config or parent
    settings = load(path)
    from precoro_daemon.app.process import Host, serve, supervisor_of
    from precoro_daemon.status.snapshot import Tallies

    tallies = Tallies()
    screen, place = screen_of(settings.log, terminal, _draw)
    log = ServiceLog(tallies.line, place)
    log.follow(settings)
    host = Host(
        supervisor=supervisor_of(os.environ),
        reread=partial(load, path),
        adopted=log.follow,
        last_resort=leave_within,
        ending=keep_code,
        tallies=tallies,
        command=called(path),
        onlooker=None if screen is None else screen.show,
        hung_up=terminal.is_gone,
    )
    try:
        sys.exit(CODES[run_async(lambda: serve(settings, host))])
    finally:
        if screen is not None:
            screen.close()


def _draw(snapshot: Snapshot, height: int) -> RenderableType:
    from precoro_daemon.cli.service_screen import service

    return service(snapshot, height)


def screen_of(
    log: Log, terminal: ControllingTerminal, draw: Draw[Seen]
) -> tuple[ServiceScreen[Seen] | None, LogPlace]:
    """None where lines of the log are all there is to see: in a file, in a journal, in a container."""
    if not sys.stdout.isatty() or not sys.stdin.isatty() or log.format == "json":
        return None, LogPlace(sys.stdout)
    from precoro_daemon.cli.screen import above, width_of
    from precoro_daemon.cli.service_screen import ServiceScreen

    console = make_console()
    if console.is_dumb_terminal:
        return None, LogPlace(sys.stdout)
    return ServiceScreen(console, terminal.lose, draw), LogPlace(above(console), "console", width_of(console))


@click.command()
@config_option
@click.pass_obj
def health(parent: Path | None, config: Path | None) -> None:
    """Check a running service; exit 1 if it does not answer or needs a restart. For health checks."""
    from precoro_daemon.app.health_client import check_health
    from precoro_daemon.settings import load_watch

    ailments = check_health(load_watch(config or parent, os.environ))
    for line in ailments:
        echo(line, err=True)
    sys.exit(1 if ailments else 0)


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where lines of the log go. form: in which form, whatever the settings say; columns: how wide it is there"""

    stream: TextIO
    form: Literal["console"] | None = None
    columns: Callable[[], int] | None = None


class ServiceLog:
    """The log as the settings in use want it; a secret that was ever in use stays out of it."""

    def __init__(self, counted: Callable[[str, str], None], place: LogPlace | None = None) -> None:
        """`counted`: called with level and event of each line · `place`: where they go, if not to the output."""
        self._counted = counted
        self._place = place or LogPlace(sys.stdout)
        self._secrets: dict[str, None] = {}

    def follow(self, settings: Settings) -> None:
        self.follow_all(settings.log, [settings])

    def follow_all(self, log: Log, companies: Iterable[Settings]) -> None:
        """Of a process that serves several."""
        from precoro_daemon import telemetry
        from precoro_daemon.app.values import secrets

        for settings in companies:
            self._secrets |= dict.fromkeys(secrets(settings))
        telemetry.set_up(
            log.level,
            self._place.form or log.format,
            secrets=tuple(self._secrets),
            stream=self._place.stream,
            counted=self._counted,
            columns=self._place.columns,
        )


def await_service() -> None:
    """Until the service handles signals itself: the first process of a container ignores what nobody handles."""
    signal.signal(signal.SIGTERM, leave)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])  # kept for the service, which it would end now


def leave(*_: object) -> NoReturn:
    """End the process where it is. An exception would be lost where Python raises none: a finalizer, a callback."""
    os._exit(0)


def keep_code(end: End) -> None:
    """From here on no signal changes the exit code; who insists need not wait for what hangs."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(CODES[end]))
        # In its last moments Python takes its own handlers away. What is ignored stays so.
        atexit.register(signal.signal, number, signal.SIG_IGN)


def leave_within(seconds: float) -> None:
    """What hangs in a thread keeps Python from ending; what is on disk is whole at every moment."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()
