"""Wanted items in files and tables: read exactly, or refused in one sentence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from precoro_daemon.adapters.databases.database import Address, open_database
from precoro_daemon.adapters.sources.files import FileSource, Format, read_file, write_file
from precoro_daemon.adapters.sources.tables import TableSource
from precoro_daemon.errors import ConfigurationError, TemporaryError, WantedRefused
from precoro_daemon.values.sql_statements import Dialect, parse


def in_file(tmp_path: Path, content: bytes, **form: str) -> Path:
    path = tmp_path / "wanted"
    path.write_bytes(content)
    return path


def test_a_csv_with_everything_in_it(tmp_path: Path) -> None:
    path = in_file(tmp_path, '\ufeffsku; name \r\n1;"two\nlines"\r\n;\r\n2;"a;""b"""\r\n'.encode())
    sheet = read_file(path, Format(delimiter=";"))
    assert sheet.columns == ["sku", "name"]
    assert [(row.number, list(row.cells)) for row in sheet.rows] == [(2, ["1", "two\nlines"]), (4, ["2", 'a;"b"'])]


def test_a_csv_as_spreadsheets_write_it(tmp_path: Path) -> None:
    path = in_file(tmp_path, b'sep=;\r\nsku;name;\r\n="0016";Copy paper;\r\n="a""b";x;;\r\n')
    sheet = read_file(path, Format())
    assert sheet.columns == ["sku", "name"]
    assert [list(row.cells) for row in sheet.rows] == [["0016", "Copy paper"], ['a"b', "x"]]


def test_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["sku", "price", "name", None], [16, 446.89, "Paper"], [None], ["A", None, None]):
        sheet.append(row)
    book.create_sheet("empty")
    book.save(tmp_path / "wanted.xlsx")
    found = read_file(tmp_path / "wanted.xlsx", Format())
    assert found.columns == ["sku", "price", "name"]
    assert [(row.number, list(row.cells)) for row in found.rows] == [
        (2, [Decimal(16), Decimal("446.89"), "Paper"]),
        (4, ["A", None, None]),
    ]
    book["empty"].append(["sku"])
    book.save(tmp_path / "wanted.xlsx")
    with pytest.raises(WantedRefused, match=r"has rows in several sheets \(Sheet, empty\)"):
        read_file(tmp_path / "wanted.xlsx", Format())


def test_json_lines_keep_every_digit(tmp_path: Path) -> None:
    path = in_file(tmp_path, b'{"sku": "1", "price": 0.10}\n\n{"sku": "2", "name": "N"}\n')
    sheet = read_file(path, Format("jsonl", "utf-8"))
    assert sheet.columns == ["sku", "price", "name"]
    assert [(row.number, list(row.cells)) for row in sheet.rows] == [
        (1, ["1", Decimal("0.10"), None]),
        (3, ["2", None, "N"]),
    ]


@pytest.mark.parametrize(
    ("content", "form", "reason"),
    [
        (b"", Format(), "is empty; taken at its word, every item would be gone"),
        (b"\n\n", Format(), "is empty"),
        (b"sku\n\xe4\n", Format(), "line 2 is not utf-8-sig (byte e4)"),
        (b'sku\n"open\n', Format(), "is no CSV"),
        (b'{"sku": 1}\n{"sku"', Format("jsonl"), "line 2: is no JSON"),
        (b"[1]", Format("jsonl"), "line 1: is no JSON object"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, form: Format, reason: str) -> None:
    with pytest.raises(WantedRefused) as caught:
        read_file(in_file(tmp_path, content), form)
    assert reason in str(caught.value)


def test_a_name_leads_to_no_other_directory(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "{supplier}.csv", Format())
    assert source.path_for("../../etc/passwd") == tmp_path / ".._.._etc_passwd.csv"
    assert source.path_for("id:7") == tmp_path / "id_7.csv"
    with pytest.raises(WantedRefused, match="cannot be read: No such file"):
        read_file(source.path_for("7"), Format())


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_is_written_is_read_again(tmp_path: Path, kind: str) -> None:
    form = Format(kind)  # type: ignore[arg-type]
    rows = [["1", 'ä;\n"b"'], ["2", ""], ["=1+1", "'@x"], ["-1.5", "-x"]]
    write_file(tmp_path / "out", form, ["sku", "name"], rows)
    assert [list(row.cells) for row in read_file(tmp_path / "out", form).rows] == rows
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_file(tmp_path / "out", form, ["sku"], rows)


def test_no_cell_of_a_csv_file_that_is_written_is_a_formula(tmp_path: Path) -> None:
    write_file(tmp_path / "out", Format(), ["sku", "=name"], [["=1+1", "+49 30"], ["-1.5", "@x"]])
    lines = (tmp_path / "out").read_text("utf-8-sig").splitlines()
    assert lines == ["sku,'=name", "'=1+1,'+49 30", "-1.5,'@x"]


def table(path: Path, query: str, dialect: Dialect = "sqlite") -> TableSource:
    return TableSource(open_database(dialect, Address(str(path))), parse(query, dialect), 10.0)


@pytest.mark.asyncio
async def test_a_query_gives_rows_and_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "erp.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE articles (no TEXT, vendor TEXT, net TEXT)")
        connection.executemany("INSERT INTO articles VALUES (?, ?, ?)", [("1", "V-1", "0.10"), ("2", "V-2", "1")])
    async with table(path, "SELECT no AS sku, net AS price FROM articles WHERE vendor = :supplier") as source:
        sheet = await source.read("V-1")
        assert (sheet.columns, [tuple(row.cells) for row in sheet.rows]) == (["sku", "price"], [("1", "0.10")])
    async with table(path, "DELETE FROM articles RETURNING no AS sku") as source:
        with pytest.raises(ConfigurationError, match="readonly"):
            await source.read("V-1")
    async with table(path, "SELECT nought FROM articles") as source:
        with pytest.raises(ConfigurationError, match="no such column: nought"):
            await source.read("V-1")


@pytest.mark.asyncio
async def test_a_postgres_query_keeps_decimals(postgres: str) -> None:
    database = open_database("postgresql", Address("postgres", host=postgres, user="postgres", verify=False))
    query = parse("SELECT 'A' AS sku, 0.10::numeric AS price, :supplier::text AS supplier", "postgresql")
    async with TableSource(database, query, 10.0) as source:
        sheet = await source.read("V-1")
        assert list(sheet.rows[0].cells) == ["A", Decimal("0.10"), "V-1"]
    away = open_database("postgresql", Address("postgres", host="/nowhere", user="postgres", verify=False))
    async with TableSource(away, query, 10.0) as source:
        with pytest.raises(TemporaryError, match="cannot be reached"):
            await source.read("V-1")
