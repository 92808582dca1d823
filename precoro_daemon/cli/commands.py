"""the main command with --once, and the commands that change nothing: check, status, estimate"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from precoro_daemon import __version__
from precoro_daemon.cli.output import facts, is_quiet, output_options, wants_json
from precoro_daemon.cli.program import Program
from precoro_daemon.cli.running import (
    NO_CALL,
    Duration,
    called,
    config_option,
    echo,
    echo_data,
    load,
    make_console,
    run_async,
    show,
)
from precoro_daemon.errors import DaemonError, most_severe

if TYPE_CHECKING:
    from pathlib import Path


@click.group(cls=Program, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="Bring the mirror up to date, then exit.")
@click.option("--only", metavar="JOB", help="With --once: run this job alone, due or not.")
@click.option("--for", "time_limit", type=Duration(), help="With --once: stop cleanly within this time, e.g. 30m.")
@click.option("--all", "whole", is_flag=True, help="With --once: list collections without news too.")
@config_option
@click.version_option(__version__, prog_name="precoro-daemon")
@click.pass_context
def main(
    ctx: click.Context, /, once: bool, only: str | None, config: Path | None, *, time_limit: float | None, whole: bool
) -> None:
    """Keep a faithful local mirror of a company's Precoro data, inside Precoro's limits."""
    ctx.obj = config
    if ctx.invoked_subcommand is None:
        if not once:
            raise click.UsageError("say what to do: --once, run, or one of the commands that --help lists")
        from precoro_daemon.cli.once import run_once

        sys.exit(run_once(load(config), only, time_limit, called(config), whole=whole))
    if once or only or time_limit or whole:
        raise click.UsageError("--once, --only, --for and --all stand alone, without a command")


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
    parts = facts().setdefault("checks", {})
    for name, run_check in CHECKS.items():
        try:
            found = run_async(partial(run_check, settings))
            echo(f"{name:<15}{found.said}")
            parts[name.lower()] = {"usable": True, **found.facts}
        except DaemonError as error:
            echo(f"{name:<15}cannot be used: {error}" if wants_json() else f"{name:<15}cannot be used")
            parts[name.lower()] = {"usable": False, "error": str(error), "exit_code": error.exit_code}
            failures.append(error)
    if worst := most_severe(failures):
        for text in {str(one): None for one in failures if str(one) != str(worst)}:
            echo(f"precoro-daemon: {text}", err=True)
        raise worst


@click.command()
@click.option("--webhook-url", is_flag=True, help="Show only the address to enter in Precoro, with its secret.")
@config_option
@click.pass_obj
def status(parent: Path | None, config: Path | None, webhook_url: bool) -> None:
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
    if wants_json():
        from precoro_daemon.cli import status_json

        echo_data(status_json.as_json(snapshot))
    elif is_quiet():
        from precoro_daemon.status.attention import matters

        for matter in matters(snapshot):
            echo(f"{matter.title}: {matter.text}", err=True)
    else:
        from precoro_daemon.cli import status_tables

        show(status_tables.status(snapshot))


@click.command()
@config_option
@click.pass_obj
def estimate(parent: Path | None, config: Path | None) -> None:
    """Show how many calls and days a first mirror will take, for a call or two per list."""
    settings = load(config or parent)
    from precoro_daemon.app.runs import estimate_cost
    from precoro_daemon.app.values import clock_for
    from precoro_daemon.cli import tables
    from precoro_daemon.cli.screen import LiveScreen

    console = make_console()
    screen = LiveScreen(console, clock_for(settings))
    with screen.live():
        found, failed = run_async(lambda: estimate_cost(settings, screen))
    if wants_json():
        echo_data(tables.estimate_as_json(found, failed))
    console.print(tables.estimate(found))
    for line in failed:
        echo(f"could not be read: {line}", err=is_quiet())
    sys.exit(3 if failed else 0)


main.params += output_options()
