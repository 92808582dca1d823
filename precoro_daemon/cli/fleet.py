"""fleet: many companies in one process or on several machines, and how they all are"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.running import called, echo, make_console, run_async

if TYPE_CHECKING:
    from precoro_daemon.app.company_files import CompanyFiles
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
    """Keep all companies of DIR up to date, until stopped by a signal. SIGHUP reads DIR again."""
    from precoro_daemon.cli.service import CODES, ServiceLog, await_service, keep_code, leave_within

    await_service()
    from precoro_daemon.app.company_files import path_of, read_companies
    from precoro_daemon.app.fleet import FleetHost, serve_fleet
    from precoro_daemon.app.process import supervisor_of

    tallies: dict[str, Tallies] = {}
    log = ServiceLog(_counting(tallies))

    def adopt(files: CompanyFiles) -> None:
        log.follow_all(files.log, files.companies.values())

    reread = partial(read_companies, directory, os.environ)
    files = reread()
    adopt(files)
    host = FleetHost(
        supervisor=supervisor_of(os.environ),
        reread=reread,
        adopted=adopt,
        last_resort=leave_within,
        ending=keep_code,
        command=lambda name: called(path_of(directory, name)),
        tallies=tallies,
    )
    sys.exit(CODES[run_async(lambda: serve_fleet(files, host))])


@fleet.command()
@companies_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def status(directory: Path, as_json: bool) -> None:
    """Show for each company of DIR whether it is served, what of it needs a person, and how fresh it is; of a fleet,
    its workers too, and who serves what."""
    from precoro_daemon.app.company_files import path_of
    from precoro_daemon.app.fleet_order import read_roster
    from precoro_daemon.app.fleet_reading import read_fleet
    from precoro_daemon.cli import fleet_tables

    roster = run_async(partial(read_roster, directory, os.environ))
    leased = None if roster is None else {one.company for one in roster.holders if one.worker is not None}
    found = read_fleet(directory, os.environ, lambda name: called(path_of(directory, name)), leased)
    if as_json:
        echo(fleet_tables.as_json(found, roster))
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


def _counting(tallies: dict[str, Tallies]) -> Callable[[str, str], None]:
    """Each line of the log counts for the company of which it tells."""
    import structlog

    def counted(level: str, event: str) -> None:
        company = structlog.contextvars.get_contextvars().get("company")
        if company in tallies:
            tallies[company].line(level, event)

    return counted
