"""--once, and the commands that change nothing: check, status, estimate"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from precoro_daemon import __version__
from precoro_daemon.cli.program import Program
from precoro_daemon.cli.running import (
    NO_CALL,
    Duration,
    called,
    config_option,
    echo,
    exit_code,
    load,
    make_console,
    run_async,
)
from precoro_daemon.errors import DaemonError, most_severe

if TYPE_CHECKING:
    from pathlib import Path

    from precoro_daemon.settings import Settings


@click.group(cls=Program, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="Bring the mirror up to date, then exit.")
@click.option("--only", metavar="JOB", help="With --once: run this job alone, due or not.")
@click.option("--for", "time_limit", type=Duration(), help="With --once: stop cleanly within this time, e.g. 30m.")
@config_option
@click.version_option(__version__, prog_name="precoro-daemon")
@click.pass_context
def main(ctx: click.Context, once: bool, only: str | None, time_limit: float | None, config: Path | None) -> None:
    """Keep a faithful local mirror of a company's Precoro data, inside Precoro's limits."""
    ctx.obj = config
    if ctx.invoked_subcommand is None:
        if not once:
            raise click.UsageError("say what to do: --once, run, or one of the commands that --help lists")
        sys.exit(_run_once(load(config), only, time_limit, called(config)))
    if once or only or time_limit:
        raise click.UsageError("--once, --only and --for stand alone, without a command")


@click.command()
@config_option
@click.pass_obj
def check(parent: Path | None, config: Path | None) -> None:
    """Report every mistake in the configuration, check state, files and ledger, then see with one call whether the
    key works."""
    settings = load(config or parent)
    from precoro_daemon.app.checks import CHECKS
    from precoro_daemon.app.state import address

    mirrored = len(settings.mirror_collections.collections)
    echo(f"configuration  can be read: {mirrored} collections into {address(settings)}")
    failures: list[DaemonError] = []
    for name, run_check in CHECKS.items():
        try:
            echo(f"{name:<15}{run_async(partial(run_check, settings))}")
        except DaemonError as error:
            echo(f"{name:<15}cannot be used")
            failures.append(error)
    if worst := most_severe(failures):
        for text in {str(one): None for one in failures if str(one) != str(worst)}:
            echo(f"precoro-daemon: {text}", err=True)
        raise worst


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--webhook-url", is_flag=True, help="Show only the address to enter in Precoro, with its secret.")
@config_option
@click.pass_obj
def status(parent: Path | None, config: Path | None, as_json: bool, webhook_url: bool) -> None:
    """Show how fresh the mirror is, what is due, what failed, what is left of the quota, and what needs a person."""
    path = config or parent
    settings = load(path, spare=() if webhook_url else NO_CALL)
    if webhook_url:
        if (url := settings.apply_deliveries.webhook_url) is None:
            raise click.UsageError("--webhook-url: [apply_deliveries] does not listen anywhere")
        echo(url)
        return
    from precoro_daemon.app.state_reading import read_snapshot

    snapshot = read_snapshot(settings, called(path))
    if as_json:
        from precoro_daemon.cli import status_json

        echo(status_json.as_json(snapshot))
    else:
        from precoro_daemon.cli import status_tables

        make_console().print(status_tables.status(snapshot), crop=False)


@click.command()
@config_option
@click.pass_obj
def estimate(parent: Path | None, config: Path | None) -> None:
    """Show how many calls and days a first mirror will take, for a call or two per list."""
    settings = load(config or parent)
    from precoro_daemon.app.runs import estimate_cost
    from precoro_daemon.app.values import clock_for
    from precoro_daemon.cli import tables
    from precoro_daemon.cli.console import as_line
    from precoro_daemon.cli.screen import LiveScreen

    console = make_console()
    screen = LiveScreen(console, clock_for(settings))
    with screen.live():
        found, failed = run_async(lambda: estimate_cost(settings, screen))
    console.print(tables.estimate(found))
    for line in failed:
        console.print(as_line(f"could not be read: {line}", style="yellow"))
    sys.exit(3 if failed else 0)


def _run_once(settings: Settings, only: str | None, time_limit: float | None, command: str) -> int:
    _refuse_unfit(settings, only)
    from precoro_daemon import telemetry
    from precoro_daemon.app.runs import Wish, run
    from precoro_daemon.app.values import clock_for, secrets

    clock = clock_for(settings)
    if not sys.stdout.isatty():
        telemetry.set_up(settings.log.level, settings.log.format, secrets=secrets(settings), stream=sys.stdout)
        return exit_code(run_async(lambda: run(settings, clock, Wish(only, time_limit, command=command))))
    from precoro_daemon.cli import screen
    from precoro_daemon.cli.closing_words import closing_words

    console = make_console()
    live = screen.LiveScreen(console, clock)
    telemetry.set_up("warning", "console", secrets=secrets(settings), stream=screen.above(console))
    with live.live():
        report = run_async(lambda: run(settings, clock, Wish(only, time_limit, live, command)))
    console.print(live.summary())
    console.print(closing_words(report, live.calls_left))
    return exit_code(report)


def _refuse_unfit(settings: Settings, only: str | None) -> None:
    """A job that there is not, or that this configuration does not use."""
    from precoro_daemon.app.jobs import DELIVERY_JOBS, EXPORT_JOBS, FILE_JOBS, ITEM_JOBS, JOB_NAMES, PAYMENT_JOBS

    if only is not None and only not in JOB_NAMES:
        raise click.UsageError(f"--only {only}: there is no such job; there are {', '.join(JOB_NAMES)}")
    if only in FILE_JOBS and settings.fetch_attachments.directory is None:
        raise click.UsageError(f"--only {only}: [fetch_attachments] has no directory to keep files in")
    if only in ITEM_JOBS and settings.manage_items.kind == "none":
        raise click.UsageError(f"--only {only}: [manage_items] does not say where wanted items are")
    if only in DELIVERY_JOBS and settings.apply_deliveries.listen is None:
        raise click.UsageError(f"--only {only}: [apply_deliveries] does not listen anywhere")
    if only in EXPORT_JOBS and not settings.exports:
        raise click.UsageError(f"--only {only}: there is no [exports.NAME] in the configuration")
    if only in PAYMENT_JOBS and not getattr(settings, only).enabled:
        raise click.UsageError(f"--only {only}: it is not enabled in the configuration")
