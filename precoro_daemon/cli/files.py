"""commands for attached files"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from precoro_daemon.cli.running import NO_CALL, config_option, echo, load, make_console, run_async


@click.group()
def files() -> None:
    """Check the attached files on disk."""


@files.command()
@click.option(
    "--share",
    type=click.FloatRange(0.000001, 1),
    default=1.0,
    show_default=True,
    help="Of all files, how many to read; those first that were not read for the longest time.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@config_option
@click.pass_obj
def verify(parent: Path | None, share: float, as_json: bool, config: Path | None) -> None:
    """Read kept files again. The next run fetches what is damaged or missing; orphans are only shown."""
    settings = load(config or parent, spare=NO_CALL)
    if settings.fetch_attachments.directory is None:
        raise click.UsageError("[fetch_attachments] has no directory to keep files in")
    from precoro_daemon.app.runs import verify_attachments
    from precoro_daemon.cli import tables

    verdict = run_async(lambda: verify_attachments(settings, share))
    if as_json:
        echo(tables.verdict_as_json(verdict))
    else:
        make_console().print(tables.verdict(verdict))
    sys.exit(0 if verdict.all_good else 3)
