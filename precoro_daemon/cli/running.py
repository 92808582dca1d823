"""what every command needs: settings, a console, an event loop, error handling"""

from __future__ import annotations

import errno
import gc
import io
import os
import shlex
import sys
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from precoro_daemon.cli.output import facts, is_quiet, is_verbose, said, wants_json
from precoro_daemon.errors import DaemonError, leaves, most_severe
from precoro_daemon.values.visible_text import visible, visible_lines

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from precoro_daemon.cli.lines import Block
    from precoro_daemon.runtime.job import RunReport
    from precoro_daemon.settings import Settings

EXIT_CODES = {
    0: "done",
    1: "unexpected error, or something is out of reach now: Precoro, the state's lock or disk, a port",
    2: "wrong usage",
    3: "finished, but some records or lists failed; the next run tries them again",
    4: "the configuration or the state cannot be used",
    5: "Precoro does not accept the key, or an accounting system the login",
    6: "stopped by the day's quota or by --for with more to do; the next run goes on",
    7: "another instance holds the state",
    130: "interrupted",
}

T = TypeVar("T")

_PRINTED = "precoro_daemon.printed"
"""The key in click's context that is set once a call has printed its document or rows."""

_PLUGINS = "pydantic.plugin._loader"

_ENDLESS_COLUMNS = 10_000
_COLUMNS_OF_A_FILE = 120

_STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "cyan": "36"}
"""The terminal's code for each word of a style (ECMA-48, 8.3.117)."""


class Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from precoro_daemon.settings.values import LONGEST, read_seconds

        seconds = -1.0
        with suppress(ValueError):
            seconds = read_seconds(value)
        if not 0 <= seconds <= LONGEST:
            self.fail(f"{str(value)[:40]!r} is no length of time; write 90s, 30m, 2h or 1h30m", param, ctx)
        return seconds


class Commands(click.Group):
    """Turns every failure that this program foresees into one message and its exit code.

    Garbage collection is off until the event loop starts: imports produce no garbage, and collecting makes a start
    a tenth
    slower.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _mend_streams()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            click.echo("precoro-daemon: what there is to say cannot be written: no space left", err=True)
            os._exit(1)  # Python would try to write it again

    def invoke(self, ctx: click.Context) -> Any:
        gc.disable()
        sys.modules.setdefault(_PLUGINS, _NoPlugins(_PLUGINS))
        try:
            with _document():
                return super().invoke(ctx)
        except DaemonError as error:
            _end_json(error=str(error), exit_code=error.exit_code)
            text = visible_lines(str(error)) if error.has_lines else visible(str(error))
            _complain(f"precoro-daemon: {text}" if "\n" not in text else f"precoro-daemon:\n{text}")
            sys.exit(error.exit_code)
        except click.UsageError as error:
            if type(error) is click.UsageError:  # its subclasses quote what was typed
                raise click.UsageError(visible_lines(error.message), error.ctx) from None
            raise
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # a path that a person typed
                raise click.UsageError(f"{visible(str(error.filename))[:80]}…: {error.strerror}") from None
            raise
        except (KeyboardInterrupt, click.Abort):
            sys.exit(130)
        finally:
            gc.enable()


class _NoPlugins(ModuleType):
    """Replaces pydantic's plugin loader, which searches all installed packages and takes as long as importing click.

    This program has no plugins, and code of others must not see its secrets.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "get_plugins":
            return tuple
        if name.startswith("__"):
            raise AttributeError(name)
        del sys.modules[_PLUGINS]  # another version of pydantic needs more of the module
        return getattr(import_module(_PLUGINS), name)


def _complain(text: str) -> None:
    click.echo(_styled(text, "red") if _has_colours(sys.stderr) else text, err=True)


def _has_colours(stream: TextIO) -> bool:
    """Returns whether the stream shows colours and the user has not switched them off (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def _styled(text: str, style: str) -> str:
    codes = ";".join(_STYLES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text


def _mend_streams() -> None:
    """Replaces characters that the output cannot encode, and opens /dev/null for standard streams that the caller
    closed.

    This also occupies the descriptors 0 to 2, which the next opened file would get otherwise.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


class _File(click.Path):
    """A path option that imports `Path` only when it has a value."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Path:
        from pathlib import Path

        return Path(value)


config_option = click.option(
    "--config",
    type=_File(),
    metavar="FILE",
    help="The TOML file; without it ./config.toml if there is one, and the environment.",
)


def exit_code(report: RunReport) -> int:
    if report.stopped == "signal":
        return 130
    if report.spent or report.stopped == "time":
        return 6
    return 3 if report.failed or report.remains else 0


NO_CALL = ("precoro", "apply_deliveries", "ledger")
"""Sections whose secrets are not needed by commands that make no calls."""

NO_CALL_TO_PRECORO = ("precoro", "apply_deliveries")
"""Sections whose secrets are not needed by commands that only call the ledger."""


def load(config: Path | None, *, spare: Collection[str] = ()) -> Settings:
    """Returns the settings. A process that runs as root then acts as the owner of the state.

    spare  sections whose secret may be missing
    """
    from precoro_daemon.settings import load

    settings = load(config, os.environ, spare=spare)
    from precoro_daemon.app.state import act_for_owner, refuse_fork

    if os.geteuid() == 0:
        act_for_owner(settings)
    refuse_fork(settings)
    if is_verbose():
        from precoro_daemon import telemetry
        from precoro_daemon.app.values import secrets

        telemetry.set_up("info", settings.log.format, secrets=secrets(settings), stream=sys.stderr)
    return settings


def called(path: Path | None) -> str:
    """Returns the command that calls this program with the same configuration from any directory."""
    from pathlib import Path

    path = path or (Path("config.toml") if Path("config.toml").exists() else None)
    return "precoro-daemon" if path is None else f"precoro-daemon --config {shlex.quote(str(path.resolve()))}"


def who() -> str:
    """Returns the user's name, which the journal records for each decision."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints text with control characters made visible and line breaks kept. Besides the console, the only way to
    print.

    With --quiet it prints only to the standard error. With --json the text goes into the document (`_end_json`).
    """
    if wants_json() and not err:
        said().extend(text.splitlines())
    elif err or not is_quiet():
        click.echo(visible_lines(text), err=err, nl=nl)


def show(shown: Block) -> None:
    """Prints sentences and tables for people, fitted to their screen. With --json they go into the document."""
    if wants_json():
        said().extend(words for line in shown.lines(_ENDLESS_COLUMNS) if (words := line.text.strip()))
    elif not is_quiet():
        from precoro_daemon.cli.lines import PLAIN

        columns = terminal_columns() if sys.stdout.isatty() else _COLUMNS_OF_A_FILE
        lines = ((visible(line.text), line.style) for line in shown.lines(columns))
        colours = _has_colours(sys.stdout)
        text = "\n".join(_styled(text, style) if colours else text for text, style in lines)
        click.echo(text if (sys.stdout.encoding or "utf").lower().startswith("utf") else text.translate(PLAIN))


def terminal_columns() -> int:
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        pass
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80


def echo_data(text: str, *, nl: bool = True) -> None:
    """Prints the requested data, JSON or rows, even with --quiet. Control characters are made visible."""
    if context := click.get_current_context(silent=True):
        context.meta[_PRINTED] = True
    click.echo(visible_lines(text), nl=nl)


@contextmanager
def _document() -> Iterator[None]:
    """With --json, prints the document when a command returns or exits, unless the command printed one."""
    try:
        yield
    except SystemExit:
        _end_json()
        raise
    _end_json()


def _end_json(**failure: Any) -> None:
    """Prints the document of a command that printed none: facts, sentences, and the reason of a failure."""
    import json

    if wants_json() and not click.get_current_context().meta.get(_PRINTED):
        echo_data(json.dumps({**failure, **facts(), "said": said()}, indent=2, default=str))


class _Said(io.StringIO):
    """A stream that adds the lines that a console writes to the sentences of the document."""

    def write(self, text: str) -> int:
        said().extend(line.strip() for line in text.splitlines() if line.strip())
        return len(text)


def overwrite(text: str = "") -> None:
    """Replaces the previous progress line on a terminal."""
    click.echo(f"\r\x1b[K{visible_lines(text)}", err=True, nl=False)


def make_console() -> Console:
    from precoro_daemon.cli.console import SafeConsole

    if wants_json():
        return SafeConsole(highlight=False, width=_ENDLESS_COLUMNS, file=_Said())
    columns = None if sys.stdout.isatty() else _COLUMNS_OF_A_FILE
    return SafeConsole(highlight=False, width=columns, quiet=is_quiet())


def run_async(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs `work` on an event loop and returns its result.

    Of the failures that task groups have wrapped, it raises the most severe.
    """
    import anyio

    failures: list[DaemonError] = []
    gc.freeze()  # these objects stay: examining them in each collection costs a tenth of the work
    gc.enable()
    try:
        return anyio.run(work)
    except* DaemonError as errors:
        failures.extend(leaves(errors))
    failure = most_severe(failures)
    assert failure is not None
    raise failure
