"""arguments → settings → run → exit code; the only place that prints or exits"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from precoro_daemon import __version__
from precoro_daemon.errors import DaemonError, gravest, leaves

if TYPE_CHECKING:
    from rich.console import Console

    from precoro_daemon.daemon import RunReport
    from precoro_daemon.settings import Settings

# What a command needs is imported inside it: `--help` must not load an HTTP client.

EXIT_CODES = {
    0: "done",
    1: "unexpected error, or Precoro cannot be reached",
    2: "wrong usage",
    3: "finished, but some records or lists failed; the next run tries them again",
    4: "the configuration or the state cannot be used",
    5: "Precoro does not accept the key",
    6: "stopped by the day's quota or by --for with more to do; the next run goes on",
    7: "another instance holds the state",
    130: "interrupted",
}

_ORDERS = ("created_desc", "created_asc", "updated_desc", "updated_asc")
_METAS = ("both", "totals", "has_next")

T = TypeVar("T")


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from precoro_daemon.settings.values import read_seconds

        try:
            return read_seconds(value)
        except ValueError:
            self.fail(f"{value!r} is no length of time; write 90s, 30m, 2h or 1h30m", param, ctx)


class _Commands(click.Group):
    """Turns every failure this program foresees into one message and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DaemonError as error:
            text = str(error)
            click.echo(f"precoro-daemon: {text}" if "\n" not in text else f"precoro-daemon:\n{text}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            sys.exit(130)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The TOML file; without it ./config.toml if there is one, and the environment.",
)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="Bring the mirror up to date, then exit.")
@click.option("--only", metavar="JOB", help="With --once: run this job alone, due or not.")
@click.option("--for", "time_limit", type=_Duration(), help="With --once: stop cleanly within this time, e.g. 30m.")
@_config
@click.version_option(__version__, prog_name="precoro-daemon")
@click.pass_context
def main(ctx: click.Context, once: bool, only: str | None, time_limit: float | None, config: Path | None) -> None:
    """Keep a faithful local mirror of a company's Precoro data, inside Precoro's limits."""
    ctx.obj = config
    if ctx.invoked_subcommand is None:
        if not once:
            raise click.UsageError("say what to do: --once, or one of the commands that --help lists")
        sys.exit(_run_once(_load(config), only, time_limit))
    if once or only or time_limit:
        raise click.UsageError("--once, --only and --for stand alone, without a command")


@main.command()
@_config
@click.pass_obj
def check(parent: Path | None, config: Path | None) -> None:
    """Report every mistake in the configuration, then see with one call whether the key works."""
    settings = _load(config or parent)
    from precoro_daemon.wiring import check_access

    mirrored = len(settings.mirror_collections.collections)
    click.echo(f"configuration  good: {mirrored} collections into {settings.state.url}")
    click.echo(f"Precoro        {_anyio(lambda: check_access(settings))}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@_config
@click.pass_obj
def status(parent: Path | None, config: Path | None, as_json: bool) -> None:
    """Show how fresh the mirror is, what is due, what failed, and what is left of the quota."""
    settings = _load(config or parent)
    from precoro_daemon import tables, wiring

    look = wiring.look(settings)
    if as_json:
        click.echo(tables.status_as_json(look))
    else:
        _console().print(tables.status(look))


@main.command()
@_config
@click.pass_obj
def estimate(parent: Path | None, config: Path | None) -> None:
    """Tell how many calls and days a first mirror will take, for a call or two per list."""
    settings = _load(config or parent)
    from precoro_daemon import tables, wiring
    from precoro_daemon.adapters.clock import RealClock
    from precoro_daemon.screen import LiveScreen

    console = _console()
    screen = LiveScreen(console, RealClock())
    with screen.live():
        costs, failed = _anyio(lambda: wiring.estimate_cost(settings, screen))
    console.print(tables.estimate(costs, wiring.limits(settings)))
    for line in failed:
        console.print(f"could not be read: {line}", style="yellow", markup=False)
    sys.exit(3 if failed else 0)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True)
@click.option("--size", type=click.Choice(["empty", "small", "medium", "large"]), default="small", show_default=True)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same company.")
@click.option(
    "--time-scale",
    type=click.FloatRange(1),
    default=1.0,
    show_default=True,
    help="How many times faster than real its time passes.",
)
@click.option("--limits", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option(
    "--busy",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Edits, inserts and deletes a minute by its users.",
)
@click.option("--latency", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds an answer takes.")
@click.option(
    "--order", type=click.Choice(_ORDERS), default=_ORDERS[0], show_default=True, help="How lists are sorted."
)
@click.option(
    "--meta", type=click.Choice(_METAS), default=_METAS[0], show_default=True, help="What pages tell of a list."
)
def sandbox(limits: str, **wishes: Any) -> None:
    """Serve a local Precoro with a made-up company, the documented limits, and faults on demand."""
    from precoro_daemon.sandbox import SandboxOptions

    options = SandboxOptions(limits=limits == "on", **wishes)
    _anyio(lambda: _serve(options))


@main.command()
@click.option("--into", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, metavar="DIR")
def demo(into: Path) -> None:
    """Mirror a made-up company from the built-in sandbox and show the result."""
    from precoro_daemon.demo import show

    sys.exit(_anyio(lambda: show(into, _console())))


async def _serve(options: Any) -> None:
    import signal

    import anyio

    from precoro_daemon.sandbox import serve

    try:
        async with serve(options) as running:
            click.echo(f"sandbox        {running.url}  (open it in a browser)")
            click.echo(f"X-AUTH-TOKEN   {running.token}")
            click.echo(f"email          {running.email}")
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    return
    except* OSError as errors:
        raise click.ClickException(
            f"cannot listen on {options.host}:{options.port}: {errors.exceptions[0]}"
        ) from None


def _run_once(settings: Settings, only: str | None, time_limit: float | None) -> int:
    with _importing():
        from precoro_daemon import telemetry, wiring

    if only is not None and only not in wiring.JOB_NAMES:
        raise click.UsageError(f"--only {only}: there is no such job; there are {', '.join(wiring.JOB_NAMES)}")
    clock = wiring.clock_for(settings)
    secrets = (settings.precoro.token.get_secret_value(), settings.precoro.email.get_secret_value())
    if not sys.stdout.isatty():
        telemetry.set_up(settings.log.level, settings.log.format, secrets=secrets, stream=sys.stdout)
        return exit_code(_anyio(lambda: wiring.run(settings, clock, wiring.Wish(only, time_limit))))
    from precoro_daemon import screen

    console = _console()
    live = screen.LiveScreen(console, clock)
    telemetry.set_up("warning", "console", secrets=secrets, stream=screen.above(console))
    with live.live():
        report = _anyio(lambda: wiring.run(settings, clock, wiring.Wish(only, time_limit, live)))
    console.print(live.summary())
    console.print(screen.closing_words(report, live.calls_left))
    return exit_code(report)


def exit_code(report: RunReport) -> int:
    if report.stopped == "signal":
        return 130
    if report.spent or report.stopped == "time":
        return 6
    return 3 if report.failed or report.remains else 0


def _load(config: Path | None) -> Settings:
    with _importing():
        from precoro_daemon.settings import load

    return load(config, os.environ)


@contextmanager
def _importing() -> Iterator[None]:
    """What is imported stays; looking for garbage in it meanwhile makes a start a tenth longer."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def _anyio(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end; a failure that task groups have wrapped is raised as what it is."""
    import anyio

    failures: list[DaemonError] = []
    try:
        return anyio.run(work)
    except* DaemonError as errors:
        failures.extend(leaves(errors))
    failure = gravest(failures)
    assert failure is not None
    raise failure
