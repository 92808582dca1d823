"""export: tables of the mirror as CSV, Excel, JSON lines or Parquet"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import NO_CALL, config_option, echo, echo_data, load

if TYPE_CHECKING:
    from precoro_daemon.settings import Settings

_EXPORT_FORMS = ("csv", "xlsx", "jsonl", "parquet")
_TO_STREAM = Path("-")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="COLLECTION...")
@click.option("--to", "form", type=click.Choice(_EXPORT_FORMS), required=True, help="The form of the files.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR|FILE|-",
    help="Where: a directory (by default this one) gets a file for each, - is the standard output.",
)
@config_option
@click.pass_obj
def export(parent: Path | None, config: Path | None, names: Sequence[str], form: str, out: Path) -> None:
    """Write collections of the mirror into files, all as of one moment, also while a service runs.

    COLLECTION is any view that people query: invoices, credit_notes, suppliers, invoice_lines, attachments, … Makes
    no call.
    """
    _refuse_unknown(names)
    settings = load(config or parent, spare=NO_CALL)
    names = tuple(dict.fromkeys(names))
    if out == _TO_STREAM:
        _export_into_stream(settings, names, form)
        return
    from precoro_daemon.app.exporting import export_into_file, export_into_folder

    if out.is_dir():
        written = export_into_folder(settings, names, form, out)
    elif len(names) > 1 and form != "xlsx":
        raise click.UsageError(f"--out {out}: several collections need a directory that is there, or --to xlsx")
    else:
        written = export_into_file(settings, names, form, out)
    if wants_json():
        rows = [{"collection": one.table, "path": str(one.place), "rows": one.rows} for one in written]
        echo_data(json.dumps({"files": rows}, indent=2))
    for one in written:
        echo(f"{one.place}: {one.rows:,} {one.table}")


def _refuse_unknown(names: Sequence[str]) -> None:
    from precoro_daemon.app.exporting import table_names

    if unknown := [name for name in names if name not in table_names()]:
        raise click.UsageError(f"{unknown[0]}: there is no such collection; there are {', '.join(table_names())}")


def _export_into_stream(settings: Settings, names: Sequence[str], form: str) -> None:
    if len(names) > 1:
        raise click.UsageError("--out -: one collection at a time goes to the standard output")
    from precoro_daemon.app.exporting import export_into_stream

    stream = _stream(form)
    export_into_stream(settings, names[0], form, stream)
    stream.flush()


def _stream(form: str) -> IO[bytes]:
    """Returns the stream to write to. On a terminal it makes control characters visible.

    Raises UsageError for a binary form on a terminal.
    """
    if not sys.stdout.isatty():
        return sys.stdout.buffer
    if form in ("xlsx", "parquet"):
        raise click.UsageError(f"--out -: {form} is nothing for a terminal; lead it elsewhere, or name a file")
    return Shown()


class Shown(io.BytesIO):
    """A stream that writes to the terminal on `flush`, with control characters made visible."""

    def flush(self) -> None:
        echo_data(self.getvalue().decode("utf-8", "replace"), nl=False)
        self.seek(0)
        self.truncate()
