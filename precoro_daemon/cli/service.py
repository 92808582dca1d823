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
    """Returns the screen and the place for log lines.

    The screen is None if the terminal is not interactive (a file, a journal, a container), or if the log's format
    is JSON.
    """
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
    """Where log lines go.

    form     the format, whatever the settings say
    columns  returns the current width
    """

    stream: TextIO
    form: Literal["console"] | None = None
    columns: Callable[[], int] | None = None


class ServiceLog:
    """Sets up the log as the current settings say. Every secret that was ever in use stays masked."""

    def __init__(self, counted: Callable[[str, str], None], place: LogPlace | None = None) -> None:
        """Takes the callback and the place for log lines.

        counted  called with level and event of each line
        place    where the lines go; the standard output by default
        """
        self._counted = counted
        self._place = place or LogPlace(sys.stdout)
        self._secrets: dict[str, None] = {}

    def follow(self, settings: Settings) -> None:
        self.follow_all(settings.log, [settings])

    def follow_all(self, log: Log, companies: Iterable[Settings]) -> None:
        """Sets up the log of a process that serves several companies."""
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
    """Handles SIGTERM and blocks SIGHUP until the service handles signals itself.

    The first process of a container ignores a signal without a handler.
    """
    signal.signal(signal.SIGTERM, leave)
    # SIGHUP stays pending until the service handles it. Now it would end the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])


def leave(*_: object) -> NoReturn:
    """Ends the process at once. Python would lose an exception raised in a finalizer or a callback."""
    os._exit(0)


def keep_code(end: End) -> None:
    """Fixes the exit code. From now on SIGTERM and SIGINT end the process at once, even if something hangs.

    SIGHUP is ignored.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(CODES[end]))
        # At its end Python removes its own handlers, but an ignored signal stays ignored.
        atexit.register(signal.signal, number, signal.SIG_IGN)


def leave_within(seconds: float) -> None:
    """Ends the process with exit code 1 after `seconds`, because a thread that hangs keeps Python from ending.

    This is safe, because the data on disk is consistent at every moment.
    """
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()
