"""fleet: serves many companies in one process or on several machines, and shows their status"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.hang_up import ControllingTerminal
from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import called, echo, echo_data, make_console, run_async

if TYPE_CHECKING:
    from rich.console import RenderableType

    from precoro_daemon.app.company_files import CompanyFiles
    from precoro_daemon.app.fleet_import import Newcomer
    from precoro_daemon.app.moving import Move
    from precoro_daemon.status.companies import CompanyGlance
    from precoro_daemon.status.snapshot import Tallies

companies_option = click.option(
    "--companies",
    "directory",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The directory with a TOML file for each company, and defaults.toml with what they have in common.",
)


@click.group()
def fleet() -> None:
    """Serve many companies in one process or by several workers, and show how they all are."""


@fleet.command()
@companies_option
def run(directory: Path) -> None:
    """Keep all companies of DIR up to date, until stopped by a signal. SIGHUP reads DIR again. On a terminal, show
    what it does."""
    from precoro_daemon.cli.service import CODES, ServiceLog, await_service, keep_code, leave_within, screen_of

    terminal = ControllingTerminal()
    await_service()
    from precoro_daemon.app.company_files import path_of, read_companies
    from precoro_daemon.app.fleet import FleetHost, serve_fleet
    from precoro_daemon.app.process import supervisor_of
    from precoro_daemon.app.state import act_for_owner

    tallies: dict[str, Tallies] = {}

    def command(name: str) -> str:
        return called(path_of(directory, name))

    def adopt(files: CompanyFiles) -> None:
        log.follow_all(files.log, files.companies.values())

    reread = partial(read_companies, directory, os.environ)
    files = reread()
    act_for_owner(*files.companies.values())
    screen, place = screen_of(files.log, terminal, partial(_draw, monotonic(), command))
    log = ServiceLog(_counting(tallies), place)
    adopt(files)
    host = FleetHost(
        supervisor=supervisor_of(os.environ),
        reread=reread,
        adopted=adopt,
        last_resort=leave_within,
        ending=keep_code,
        command=command,
        tallies=tallies,
        onlooker=None if screen is None else screen.show,
        hung_up=terminal.is_gone,
    )
    try:
        sys.exit(CODES[run_async(lambda: serve_fleet(files, host))])
    finally:
        if screen is not None:
            screen.close()


def _draw(began: float, command: Callable[[str], str], found: Sequence[CompanyGlance], height: int) -> RenderableType:
    from precoro_daemon.cli import fleet_screen

    return fleet_screen.fleet(found, height, monotonic() - began, command)


@fleet.command()
@companies_option
def status(directory: Path) -> None:
    """Show for each company of DIR whether it is served, what of it needs a person, and how fresh it is; of a fleet,
    its workers too, and who serves what."""
    from precoro_daemon.app.company_files import path_of
    from precoro_daemon.app.fleet_order import read_roster
    from precoro_daemon.app.fleet_reading import read_fleet
    from precoro_daemon.cli import fleet_tables

    roster = run_async(partial(read_roster, directory, os.environ))
    leased = None if roster is None else {one.company for one in roster.holders if one.worker is not None}
    found = read_fleet(directory, os.environ, lambda name: called(path_of(directory, name)), leased)
    if wants_json():
        echo_data(fleet_tables.as_json(found, roster))
    else:
        make_console().print(fleet_tables.fleet(found, roster), crop=False)


@fleet.command()
@companies_option
@click.argument("worker")
def drain(directory: Path, worker: str) -> None:
    """Have WORKER hand back all it serves and take nothing more, before its machine goes down."""
    from precoro_daemon.app import fleet_order

    echo(run_async(partial(fleet_order.drain, directory, os.environ, worker)))


@fleet.command()
@companies_option
@click.argument("company")
@click.argument("worker")
def move(directory: Path, company: str, worker: str) -> None:
    """Have WORKER serve COMPANY."""
    from precoro_daemon.app import fleet_order

    echo(run_async(partial(fleet_order.move, directory, os.environ, company, worker)))


@fleet.command()
@companies_option
@click.argument("company")
def forget(directory: Path, company: str) -> None:
    """Take COMPANY, which no worker serves, out of the fleet. Its state stays as it is."""
    from precoro_daemon.app import fleet_order

    echo(run_async(partial(fleet_order.forget, directory, os.environ, company)))


@fleet.command("import")
@companies_option
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE|DIR",
    help="The configuration of an installation, or a directory with some, each named as its company is to be.",
)
@click.option("--name", metavar="NAME", help="What the company of FILE is to be called; else as FILE is.")
@click.option("--armed", is_flag=True, help="Keep payments armed where they are. Otherwise they are disarmed.")
@click.option("--replace-zeros", is_flag=True, help="Put U+FFFD for each U+0000, which PostgreSQL cannot hold.")
@click.option("--yes", is_flag=True, help="Do it. Without this, only the plan is shown.")
def import_(
    directory: Path, source: Path, *, name: str | None, armed: bool, replace_zeros: bool, yes: bool
) -> None:  # fmt: skip
    """Take installations of one company each into the fleet: their files into DIR, their states into its database.

    Stop their services first; one that runs is refused, and the others come. Cut off, the command is repeated.
    """
    from precoro_daemon.app.fleet_import import import_one, plan_import, sources_of
    from precoro_daemon.errors import DaemonError

    plan = plan_import(directory, sources_of(source, name), os.environ)
    for one in plan:
        _say_planned(one, armed=armed)
    failed = [one.name for one in plan if one.refused]
    if not yes:
        echo("nothing was done: say --yes to have it done")
    for one in plan if yes else ():
        if one.refused:
            continue
        work = partial(import_one, armed=armed, replace_zeros=replace_zeros, on_rows=lambda *_: None)
        try:
            _say_imported(one, run_async(partial(work, directory, one, os.environ)))
        except DaemonError as error:
            failed.append(one.name)
            echo(f"{one.name}: not imported: {error}", err=True)
    if yes and len(failed) < len(plan):
        echo("next: remove the services that served them, and reload the workers")
    if failed:
        sys.exit(3)


def _say_planned(one: Newcomer, *, armed: bool) -> None:
    if one.refused:
        echo(f"{one.name}: cannot come: {one.refused}")
        return
    echo(f"{one.name}: {one.source} becomes {one.path}")
    echo(f"    its state goes from {one.state} to the schema {one.schema} of the fleet's database")
    echo(f"    payments {'stay armed if they are' if armed else 'are disarmed'}")
    if one.left_out:
        echo(f"    left out, as all companies have it in common: {', '.join(one.left_out)}")
    if one.beside:
        echo(f"    what {one.source.with_name('defaults.toml')} says does not come along")


def _say_imported(one: Newcomer, done: Move | None) -> None:
    switch = "" if done is None else done.moved.switch
    said = {"armed": "; payments are armed", "disarmed": "; payments are disarmed"}.get(switch, "")
    rows = "its state was there" if done is None else f"{sum(done.moved.rows.values()):,} rows moved"
    echo(f"{one.name}: imported, {rows}{said}")


def _counting(tallies: dict[str, Tallies]) -> Callable[[str, str], None]:
    """Returns a callback that counts each log line for the company in its context."""
    import structlog

    def counted(level: str, event: str) -> None:
        company = structlog.contextvars.get_contextvars().get("company")
        if company in tallies:
            tallies[company].line(level, event)

    return counted
