"""Files of a bank whose rows have no keys, read again by other settings: what was paid is not paid a second time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from precoro_daemon.app.ledger_csv import csv_ledger
from precoro_daemon.payments.rules.states import State
from precoro_daemon.settings.ledger_csv import CsvLedger
from tests.payments.scene import Scene, payments, scene

pytestmark = pytest.mark.asyncio

COLUMNS = {"invoice": "Bill", "amount": "Sum", "paid_on": "Booked"}
HEADER = "No,Bill,Text,Sum,Net,Out,In,Way,Booked,Valued,Supplier,State\n"


def read_by(stage: Scene, folder: Path, **settings: Any) -> None:
    given = {"in_directory": folder, "settle": 1, "currency": "EUR", "columns": COLUMNS} | settings
    stage.ledger = csv_ledger("books", CsvLedger(**given))  # type: ignore[assignment]


def write(folder: Path, name: str, bill: object, **cells: str) -> None:
    row = {"No": "T-17",
           "Bill": str(bill), "Text": f"bill {bill}", "Sum": "100", "Net": "90", "Out": "100", "Way": "D",
           "Booked": "03.02.2025", "Valued": "05.02.2025", "State": "OK"} | cells  # fmt: skip
    titles = HEADER.strip().split(",")
    (folder / name).write_text(HEADER + ",".join(row.get(title, "") for title in titles) + "\n")
    os.utime(folder / name, (1_700_000_000, 1_700_000_000))  # nobody is writing it any more


GERMAN = {"day_format": "%d.%m.%Y"}

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the day of value": (GERMAN, {"columns": COLUMNS | {"paid_on": "Valued"}} | GERMAN),
    "month and day": ({"day_format": "%m.%d.%Y"}, GERMAN),
    "another amount": (GERMAN, {"columns": COLUMNS | {"amount": "Net"}} | GERMAN),
    "two amounts": (
        GERMAN,
        {"columns": {"invoice": "Bill", "debit": "Out", "credit": "In", "paid_on": "Valued"}} | GERMAN,
    ),
    "a direction": (GERMAN, {"columns": COLUMNS | {"direction": "Way", "paid_on": "Valued"}} | GERMAN),
    "a supplier": (GERMAN, {"columns": COLUMNS | {"supplier": "Supplier"}} | GERMAN),
    "a text": (
        GERMAN,
        {"columns": COLUMNS | {"invoice": "Text", "paid_on": "Valued"}, "invoice_pattern": "[0-9]+"} | GERMAN,
    ),
    "a state": (GERMAN, {"only": {"State": ["OK"]}, "columns": COLUMNS | {"paid_on": "Valued"}} | GERMAN),
    "no currency": (GERMAN, {"currency": ""} | GERMAN),
    "a key": (GERMAN, {"columns": COLUMNS | {"key": "No", "paid_on": "Valued"}} | GERMAN),
    "another key": (
        {"columns": COLUMNS | {"key": "No"}} | GERMAN,
        {"columns": COLUMNS | {"key": "Text", "paid_on": "Valued"}} | GERMAN,
    ),
    "no key": ({"columns": COLUMNS | {"key": "No"}} | GERMAN, {"columns": COLUMNS | {"paid_on": "Valued"}} | GERMAN),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_the_same_row_read_by_other_settings_is_paid_once(change: str, tmp_path: Path) -> None:
    before, after = CHANGES[change]
    stage = scene(currency="EUR")
    invoice = stage.invoice(total=50_000)
    write(tmp_path, "january.csv", invoice.idn)
    read_by(stage, tmp_path, **before)
    await stage.lap()
    assert payments(invoice) == [10_000]
    read_by(stage, tmp_path, **after)
    await stage.lap(400)
    await stage.lap(400)
    assert payments(invoice) == [10_000]
    assert len(stage.intents) == 1, "it is one payment"


async def test_a_later_file_with_the_same_row_is_known_by_what_it_says(tmp_path: Path) -> None:
    """The old file is gone, and the new one has the row with a cell more than before."""
    stage = scene()
    invoice = stage.invoice(total=50_000)
    write(tmp_path, "january.csv", invoice.idn)
    read_by(stage, tmp_path, **GERMAN)
    await stage.lap()
    read_by(stage, tmp_path, columns=COLUMNS | {"paid_on": "Valued"}, **GERMAN)
    await stage.lap(400)
    (tmp_path / "january.csv").unlink()
    write(tmp_path, "february.csv", invoice.idn, State="archived")
    await stage.lap(400)
    assert payments(invoice) == [10_000]
    rows = stage.database.execute("SELECT key FROM ledger_payments").fetchall()
    assert len(rows) == 1, "it is one payment, which waits for a person"


async def test_what_other_settings_make_of_a_payment_that_was_sent_is_told(tmp_path: Path) -> None:
    stage = scene()
    invoice = stage.invoice(total=50_000)
    write(tmp_path, "january.csv", invoice.idn)
    read_by(stage, tmp_path, **GERMAN)
    await stage.lap()
    read_by(stage, tmp_path, columns=COLUMNS | {"amount": "Net"}, **GERMAN)
    await stage.lap(400)
    assert stage.intent.state is State.REVIEW
    assert "changed in the ledger after it was sent" in stage.intent.reason


async def test_what_got_a_key_of_its_own_is_undone_and_held_by_it(tmp_path: Path) -> None:
    stage = scene(armed=False)
    invoice = stage.invoice(total=50_000)
    write(tmp_path, "january.csv", invoice.idn)
    read_by(stage, tmp_path, **GERMAN)
    await stage.lap()
    keyed: dict[str, Any] = {
        "columns": COLUMNS | {"key": "No"},
        "skip": {"State": ["VOID"]},
        "only": {"State": ["*"]},
    }
    read_by(stage, tmp_path, **keyed, **GERMAN)
    await stage.lap(400)
    assert stage.intent.state is State.PLANNED
    write(tmp_path, "february.csv", invoice.idn, Sum="a hundred")
    await stage.lap(400)
    assert stage.intent.state is State.REVIEW
    write(tmp_path, "march.csv", invoice.idn, State="VOID")
    await stage.lap(400)
    assert stage.intent.state is State.REJECTED


async def test_two_rows_that_say_the_same_in_two_years_are_two_payments(tmp_path: Path) -> None:
    stage = scene()
    invoice = stage.invoice(total=50_000)
    for year in ("2024", "2025"):
        write(tmp_path, f"{year}.csv", invoice.idn, Booked="03.02.")
    read_by(stage, tmp_path, day_format="%d.%m.")
    await stage.lap()
    await stage.lap(400)
    assert payments(invoice) == [10_000, 10_000]


async def test_rows_that_differ_are_payments_of_their_own(tmp_path: Path) -> None:
    stage = scene()
    invoice = stage.invoice(total=50_000)
    write(tmp_path, "january.csv", invoice.idn)
    write(tmp_path, "february.csv", invoice.idn, Booked="03.03.2025")
    read_by(stage, tmp_path, **GERMAN)
    await stage.lap()
    await stage.lap(400)
    assert payments(invoice) == [10_000, 10_000]
