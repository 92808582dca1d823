"""Tables as files: every digit is there, no cell is a formula, and a file is whole or not there."""

from __future__ import annotations

import csv
import errno
import gc
import io
import itertools
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from precoro_daemon.adapters.exports.excel import ExcelBook
from precoro_daemon.adapters.exports.lines import write_csv, write_jsonl
from precoro_daemon.adapters.exports.parquet import write_parquet
from precoro_daemon.adapters.exports.whole_file import whole_file
from precoro_daemon.errors import FolderUnusable
from precoro_daemon.exports.ports.tables import RowBatch, Table, TableColumn
from precoro_daemon.values.spreadsheet_cells import harmless
from tests.cli.test_hostile_text import BAD

KINDS = ("integer", "text", "decimal", "boolean", "date", "timestamp", "json")
TABLE = Table("things", tuple(TableColumn(f"a_{kind}", kind, f"the {kind}") for kind in KINDS))
FINE = "12345678901234567890.123456789012345678"
ROWS: list[tuple[Any, ...]] = [
    (1, "Åkesson & Söner", "188.010", True, "2026-01-31", "2026-01-31T08:00:00", b'{"a":1.50,\n"b":"x\\ny"}'),
    (2, None, None, None, None, None, None),
    (3, "=cmd|' /C calc'!A0", FINE, False, "2026-02-28", "2026-02-28T23:59:59", b"[]"),
    (4, BAD, "n/a", False, "never", "2026-13-01T00:00:00", b"{}"),
    (2**60, "-1+2", "1e3", True, "2026-01-01", "2026-01-01T00:00:00", b'"x"'),
    (6, 7, "-0.1000000000000000055511151231257827", None, None, None, None),
]


def batches(*, size: int = 4) -> Iterator[RowBatch]:
    """None of them too, as where a filter leaves nothing of some rows."""
    for start in range(0, len(ROWS), size):
        yield list(zip(*ROWS[start : start + size], strict=True))
        yield [[]] * len(KINDS)


def written(write: Any) -> bytes:
    file = io.BytesIO()
    assert write(file, TABLE, batches()) == len(ROWS)
    return file.getvalue()


def test_csv_has_every_digit_and_no_formula() -> None:
    titles, *rows = csv.reader(io.StringIO(written(write_csv).decode(), newline=""))
    assert titles == [f"a_{kind}" for kind in KINDS if kind != "json"]
    assert rows[0] == ["1", "Åkesson & Söner", "188.010", "true", "2026-01-31", "2026-01-31T08:00:00"]
    assert rows[1] == ["2", "", "", "", "", ""]
    assert [row[1] for row in rows[2:]] == ["'=cmd|' /C calc'!A0", BAD, "'-1+2", "7"]
    assert [row[2] for row in rows] == [row[2] or "" for row in ROWS]


def test_json_lines_are_one_a_row_with_the_json_as_it_came() -> None:
    lines = written(write_jsonl).splitlines()
    first, *_ = rows = [json.loads(line, parse_float=Decimal) for line in lines]
    assert [list(row) for row in rows] == [[f"a_{kind}" for kind in KINDS]] * len(ROWS)
    assert first["a_json"] == {"a": Decimal("1.50"), "b": "x\ny"}
    assert b"1.50" in lines[0]
    assert [row["a_decimal"] for row in rows] == [row[2] for row in ROWS]
    assert [row["a_text"] for row in rows] == [row[1] for row in ROWS]


def test_parquet_has_a_type_for_each_kind(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    path.write_bytes(written(write_parquet))
    first, empty, fine, odd, large, finer = pq.read_table(path).to_pylist()
    moment = datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert list(first.values()) == [
        1, "Åkesson & Söner", Decimal("188.01"), True, date(2026, 1, 31), moment, ROWS[0][-1].decode()
    ]  # fmt: skip
    assert list(empty.values()) == [2, *[None] * 6]
    assert fine["a_decimal"] == Decimal(FINE)
    assert fine["a_text"] == ROWS[2][1]
    assert list(odd.values()) == [4, BAD, None, False, None, None, "{}"]
    assert (large["a_integer"], large["a_decimal"]) == (2**60, Decimal(1000))
    assert (finer["a_decimal"], finer["a_text"]) == (None, "7"), "finer than the type: only the JSON has it"


def test_duckdb_adds_it_up_exactly(tmp_path: Path) -> None:
    path = tmp_path / "sums.parquet"
    rows = [(n, None, "0.10", None, None, None, b"x" * 5_000_000) for n in range(10)]  # several row groups
    with path.open("wb") as file:
        assert write_parquet(file, TABLE, (list(zip(row, strict=True)) for row in rows)) == 10
    assert pq.ParquetFile(path).num_row_groups == 10
    [(total, kind)] = duckdb.sql(f"SELECT sum(a_decimal), any_value(typeof(a_decimal)) FROM '{path}'").fetchall()
    assert (total, kind) == (Decimal(1), "DECIMAL(38,18)")
    [(said,)] = duckdb.sql(f"SELECT typeof(a_timestamp) FROM '{path}' LIMIT 1").fetchall()
    assert said == "TIMESTAMP WITH TIME ZONE"


def test_excel_has_numbers_days_and_texts_and_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "things.xlsx"
    with ExcelBook() as book, whole_file(path) as file:
        assert book.add(TABLE, batches()) == len(ROWS)
        assert book.add(Table("none", TABLE.columns), iter(())) == 0
        book.save(file)
    read = openpyxl.load_workbook(path)
    assert read.sheetnames == ["things", "none"]
    titles, first, _, formula, odd, _, finer = (list(row) for row in read["things"].iter_rows())
    assert [cell.value for cell in titles] == [f"a_{kind}" for kind in KINDS if kind != "json"]
    assert [cell.value for cell in first[:4]] == [1, "Åkesson & Söner", 188.01, True]
    assert [cell.value.isoformat() for cell in first[4:]] == ["2026-01-31T00:00:00", "2026-01-31T08:00:00"]
    assert (formula[1].value, formula[1].data_type, formula[2].value) == (ROWS[2][1], "s", FINE)
    assert odd[1].value == BAD.replace("\x00", "\ufffd").replace("\x07", "\ufffd").replace("\x1b", "\ufffd").replace(
        "\r\n", "\n"
    )
    assert finer[2].value == ROWS[5][2], "more digits than Excel has: as text"


class Full(io.BytesIO):
    """A disk that takes a few bytes."""

    def write(self, block: Any, /) -> int:
        if self.tell() + len(block) > 3_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(block)


@pytest.mark.parametrize("full", ["what it is written into", "where sheets are put together"])
def test_a_full_disk_is_told_once_and_nothing_of_excel_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    """What the library does when it is collected would print its error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if full == "what it is written into":
        with pytest.raises(OSError, match="No space left"):
            write_book(1, Full())
    else:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            with pytest.raises(
                FolderUnusable, match=f"{tmp_path}, where sheets are put together, .*: file too large"
            ):
                write_book(2_000, io.BytesIO())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def write_book(times: int, file: IO[bytes]) -> None:
    with ExcelBook() as book:
        book.add(TABLE, itertools.chain.from_iterable(itertools.repeat(list(batches()), times)))
        book.save(file)


def failing() -> Iterator[RowBatch]:
    yield next(batches())
    raise OSError(28, "No space left on device")


def test_a_file_is_whole_or_as_it_was_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text("as it was")
    with pytest.raises(FolderUnusable, match="no space left"), whole_file(path) as file:
        write_csv(file, TABLE, failing())
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]
    os.umask(old := os.umask(0))
    with whole_file(path) as file:
        write_csv(file, TABLE, batches())
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert old == os.umask(old)


def test_a_link_in_its_place_leads_nowhere(tmp_path: Path) -> None:
    foreign, path = tmp_path / "foreign", tmp_path / "things.csv"
    foreign.write_text("not ours")
    path.symlink_to(foreign)
    (tmp_path / f".things.csv.{os.getpid()}.part").symlink_to(foreign)
    with whole_file(path) as file:
        write_csv(file, TABLE, batches())
    assert foreign.read_text() == "not ours"
    assert not path.is_symlink()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    expected = r"missing/things\.csv cannot be written: no such file"
    with pytest.raises(FolderUnusable, match=expected), whole_file(tmp_path / "missing" / "things.csv"):
        pass


def test_csv_is_written_as_the_standard_library_writes_it() -> None:
    """Whatever stands in the cells, and whether a column has a cell to be made harmless or not."""
    signs = ["", "a", '"', ",", "\n", "\r\n", "'", "=", "-", "+", "@", "\t", "1", "\0", "\u00e9", "\uff1d", " "]
    texts = [f"{one}{other}x{one}" for one in signs for other in signs]
    table = Table("texts", tuple(TableColumn(name, "text", "") for name in ("of_all", "of_few", "of_none")))
    rows = [(text, few, None) for text, few in zip(texts, itertools.cycle([None, "b", 7]), strict=False)]
    expected, file = io.StringIO(), io.BytesIO()
    writer = csv.writer(expected, lineterminator="\n")
    writer.writerow(["of_all", "of_few", "of_none"])
    writer.writerows((harmless(text), few, none) for text, few, none in rows)
    assert write_csv(file, table, [list(zip(*rows, strict=True))]) == len(rows)
    assert file.getvalue().decode() == expected.getvalue()


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    """As /dev/null is none, and /dev/stdout is a link to whatever that is at present."""
    place = tmp_path / "out.csv"
    os.mkfifo(place)
    for path in (place, Path("/dev/there-is-no-such-device")):
        with pytest.raises(FolderUnusable, match="is no place for a file"), whole_file(path) as file:
            file.write(b"new")
    assert place.is_fifo()
