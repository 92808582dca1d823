"""tables of the mirror as files, in one go, beside a service that may hold the state"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from precoro_daemon.adapters.exports.lines import write_csv, write_jsonl
from precoro_daemon.adapters.exports.parquet import demand_arrow, write_parquet
from precoro_daemon.adapters.exports.whole_file import whole_file
from precoro_daemon.adapters.state.view_rows import tables
from precoro_daemon.app.state import state_of
from precoro_daemon.exports.ports.tables import RowBatch, Table, Tables
from precoro_daemon.settings import Settings

_Write = Callable[[IO[bytes], Table, Iterable[RowBatch]], int]

_WRITERS: Mapping[str, _Write] = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}

FORMS = (*_WRITERS, "xlsx")


@dataclass(frozen=True, slots=True)
class Exported:
    """table: its name · place: None where it went into a stream that was given"""

    table: str
    rows: int
    place: Path | None


def table_names() -> Sequence[str]:
    """Of all that can be exported."""
    return tuple(tables())


def export_into_folder(settings: Settings, names: Sequence[str], form: str, folder: Path) -> Iterator[Exported]:
    """A file for each table, all of one moment. Blocking.

    Raises StoreUnusable, FolderUnusable, ConfigurationError.
    """
    with _opened(settings, form) as opened:
        for name in names:
            place = folder / f"{name}.{form}"
            with whole_file(place) as file:
                rows = _write(opened, [name], form, file)[name]
            yield Exported(name, rows, place)


def export_into_file(settings: Settings, names: Sequence[str], form: str, place: Path) -> Iterator[Exported]:
    """One table, or several as the sheets of an Excel file. Blocking; raises the same."""
    with _opened(settings, form) as opened, whole_file(place) as file:
        counts = _write(opened, names, form, file)
    for name, rows in counts.items():
        yield Exported(name, rows, place)


def export_into_stream(settings: Settings, name: str, form: str, stream: IO[bytes]) -> Exported:
    """One table, as it is read. Blocking; raises the same."""
    with _opened(settings, form) as opened:
        return Exported(name, _write(opened, [name], form, stream)[name], None)


@contextmanager
def _opened(settings: Settings, form: str) -> Iterator[Tables]:
    """What is missing is said before anything is read."""
    if form == "parquet":
        demand_arrow()
    with state_of(settings).open_tables() as opened:
        yield opened


def _write(opened: Tables, names: Sequence[str], form: str, file: IO[bytes]) -> Mapping[str, int]:
    """How many rows, by table."""
    if form in _WRITERS:
        [name] = names
        return {name: _WRITERS[form](file, tables()[name], opened.batches(tables()[name]))}
    from precoro_daemon.adapters.exports.excel import ExcelBook  # noqa: PLC0415 - other forms need none of it

    with ExcelBook() as book:
        counts = {name: book.add(tables()[name], opened.batches(tables()[name])) for name in names}
        book.save(file)
    return counts
