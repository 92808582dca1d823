"""fleet: many companies in one process, and how they all are"""

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
    """Serve many companies in one process, or show how they all are."""


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
    """Show for each company of DIR whether it is served, what of it needs a person, and how fresh it is."""
    from precoro_daemon.app.company_files import path_of
    from precoro_daemon.app.fleet_reading import read_fleet
    from precoro_daemon.cli import fleet_tables

    found = read_fleet(directory, os.environ, lambda name: called(path_of(directory, name)))
    if as_json:
        echo(fleet_tables.as_json(found))
    else:
        make_console().print(fleet_tables.fleet(found), crop=False)


def _counting(tallies: dict[str, Tallies]) -> Callable[[str, str], None]:
    """Each line of the log counts for the company of which it tells."""
    import structlog

    def counted(level: str, event: str) -> None:
        company = structlog.contextvars.get_contextvars().get("company")
        if company in tallies:
            tallies[company].line(level, event)

    return counted
