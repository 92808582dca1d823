"""the csv ledger as the configuration describes it"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from precoro_daemon.adapters.ledgers.cells import Writing
from precoro_daemon.adapters.ledgers.csv import CsvLedger, Inbox
from precoro_daemon.adapters.ledgers.exports import Format
from precoro_daemon.adapters.ledgers.outbox import Outbox
from precoro_daemon.adapters.ledgers.row_kinds import Direction, RowKinds
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.settings import ledger_csv as given_csv
from precoro_daemon.values.text_patterns import compile_pattern

_OF_FOLDERS_ALONE = {"in_directory", "in_pattern", "settle", "out_directory", "out_done", "out_group", "out_columns"}


def csv_ledger(name: str, given: given_csv.CsvLedger) -> CsvLedger:
    form, reader = form_and_reader(given)
    inbox = None
    if given.in_directory:
        inbox = Inbox(given.in_directory, given.in_pattern, given.settle, form, fingerprint_of_reading(given))
    return CsvLedger(name, inbox, _outbox(name, given), reader)


def form_and_reader(given: given_csv.CsvLedger) -> tuple[Format, RowReader]:
    writing = Writing(given.decimal_mark, given.grouping, given.day_format, given.negate)
    pattern = compile_pattern(given.invoice_pattern) if given.invoice_pattern else None
    reader = RowReader(writing, currency=given.currency, ours_prefix=given.ours_prefix, invoice_pattern=pattern)
    return _format(given), reader


def _format(given: given_csv.CsvLedger) -> Format:
    columns = dict(given.columns)
    column = columns.pop("direction", "")
    direction = Direction(column, given.paid_out, given.come_in) if column else None
    kinds = RowKinds(given.only, given.void, given.skip, direction)
    return Format(columns, given.encoding, given.delimiter, kinds, given.format)


def fingerprint_of_reading(given: given_csv.CsvLedger) -> str:
    """Of every setting that may make something else of a row."""
    said = given.model_dump_json(exclude=_OF_FOLDERS_ALONE)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _outbox(name: str, given: given_csv.CsvLedger) -> Outbox | None:
    if given.out_directory is None:
        return None
    options: dict[str, Any] = {
        # A byte order mark is for people who open a file in Excel; programs stumble over it.
        "encoding": "utf-8" if given.encoding == "utf-8-sig" else given.encoding,
        "delimiter": given.delimiter,
        "decimal_mark": given.decimal_mark,
        "day_format": given.day_format,
        "group": given.out_group,
    }
    return Outbox(name, given.out_directory, given.out_done, given.out_columns, **options)
