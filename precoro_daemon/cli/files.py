"""commands for attached files"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import NO_CALL, config_option, echo_data, load, make_console, run_async
from precoro_daemon.values.spreadsheet_cells import harmless


@click.group()
def files() -> None:
    """Check and list the attached files."""


@files.command()
@click.option(
    "--share",
    type=click.FloatRange(0.000001, 1),
    default=1.0,
    show_default=True,
    help="Of all files, how many to read; those first that were not read for the longest time.",
)
@config_option
@click.pass_obj
def verify(parent: Path | None, share: float, config: Path | None) -> None:
    """Read kept files again. The next run fetches what is damaged or missing; orphans are only shown."""
    settings = load(config or parent, spare=NO_CALL)
    if settings.fetch_attachments.directory is None:
        raise click.UsageError("[fetch_attachments] has no directory to keep files in")
    from precoro_daemon.app.runs import verify_attachments
    from precoro_daemon.cli import tables

    verdict = run_async(lambda: verify_attachments(settings, share))
    if wants_json():
        echo_data(tables.verdict_as_json(verdict))
    else:
        make_console().print(tables.verdict(verdict))
    sys.exit(0 if verdict.all_good else 3)


@files.command()
@click.option("--csv", "as_csv", is_flag=True, help="A table with a line of titles instead of JSON lines.")
@config_option
@click.pass_obj
def manifest(parent: Path | None, as_csv: bool, config: Path | None) -> None:
    """List all kept files: document, name, path or key, bytes, SHA-256, and when each was stored."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.files import read_manifest

    run_async(lambda: read_manifest(settings, _csv_line() if as_csv else _json_line))


def _json_line(fields: Mapping[str, int | str | None]) -> None:
    echo_data(json.dumps(fields))


def _csv_line() -> Callable[[Mapping[str, int | str | None]], None]:
    titles: list[str] = []

    def line(fields: Mapping[str, int | str | None]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not titles:
            titles.extend(fields)
            writer.writerow(titles)
        writer.writerow(_cell(value) for value in fields.values())
        echo_data(text.getvalue(), nl=False)

    return line


def _cell(value: int | str | None) -> int | str:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None else value
