"""What a lap does with new payments of a ledger, timed from inside:
`python -m tests.bench.ledger_payments WHAT FOLDER COUNT`."""

from __future__ import annotations

import asyncio
import csv
import gc
import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.ledger_csv import csv_ledger
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import Record, read_record
from precoro_daemon.payments.intake import plan_ledger_payments
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.settings.ledger_csv import CsvLedger
from precoro_daemon.telemetry import set_up

_TABLES = ("ledger_payments", "intents", "journal")
_ROWS_A_COMMIT = 200
_SUPPLIERS = 200
_COLUMNS = {"key": "Key", "invoice": "Bill", "amount": "Sum", "paid_on": "Day", "currency": "Cur", "supplier": "Who"}


def _invoice(number: int) -> dict[str, object]:
    return {
        "id": number,
        "idn": number + 20_000,
        "status": 2,
        "logicType": 0,
        "externalId": f"BILL-{number:06d}",
        "invoiceNumber": f"INV/{number:06d}",
        "issueDate": "2026-01-01T00:00:00+00:00",
        "sum": f"{number % 9_000 + 1}.{number % 100:02d}",
        "sumPaid": "0.00",
        "currency": "EUR",
        "supplier": {"id": number % _SUPPLIERS + 1, "name": f"Supplier {number % _SUPPLIERS + 1}"},
        "note": "As much text as an invoice has in a list, which is about two kilobytes. " * 20,
    }


def _record(row: dict[str, object]) -> Record:
    record = read_record(json.dumps(row).encode())
    assert isinstance(record, Record)
    return record


async def fill(folder: Path, count: int) -> float:
    """Invoices that can be paid in the mirror, and a payment for each in a file of the ledger."""
    async with SqliteState(folder / "state.db", "company").open() as store:
        await store.journal.prepare()

        invoices = [_record(_invoice(number)) for number in range(1, count + 1)]
        await store.mirror.commit_pages(Scan("invoices", "whole"), [Page(1, invoices, total=count)])
        suppliers = [_record({"id": number, "externalId": f"S-{number}"}) for number in range(1, _SUPPLIERS + 1)]
        await store.mirror.commit_pages(Scan("suppliers", "whole"), [Page(1, suppliers, total=_SUPPLIERS)])
    (folder / "exports").mkdir()
    export = folder / "exports" / "bank.csv"
    with export.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS.values())
        for row in map(_invoice, range(1, count + 1)):
            who = row["supplier"]["name"]  # type: ignore[index]
            writer.writerow([f"P-{row['id']}", row["externalId"], row["sum"], "2026-01-31", "EUR", who])
    os.utime(export, (0, 0))  # nobody writes it any more
    return 0.0


async def plan(folder: Path, count: int) -> float:
    """The CPU seconds."""
    set_up("info", "json", secrets=["a secret of twenty characters"], stream=sys.stderr)
    given = CsvLedger(in_directory=folder / "exports", columns=_COLUMNS)
    async with SqliteState(folder / "state.db", "company").open() as store:
        gc.freeze()  # as the program does before it runs
        access = LedgerAccess(csv_ledger("bank", given), store.ledger_payments, RealClock(), "company", "external_id")
        began = time.process_time()
        await access.read()
        await plan_ledger_payments(access, Recorder(store.journal, RealClock()))
        took = time.process_time() - began
        assert len(await store.journal.in_state(Direction.TO_PRECORO, State.PLANNED)) == count
    return took


async def insert(planned: Path, empty: Path) -> float:
    """The rows that `plan` wrote, into the same tables of an empty state: plain, as durable, as many a commit."""
    async with SqliteState(empty, "company").open():
        pass
    with closing(sqlite3.connect(planned)) as source:
        rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in _TABLES}
    with closing(sqlite3.connect(empty, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        began = time.process_time()
        for table, some in rows.items():
            statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(some[0]))})"
            for start in range(0, len(some), _ROWS_A_COMMIT):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, some[start : start + _ROWS_A_COMMIT])
                connection.execute("COMMIT")
        return time.process_time() - began


async def measure(what: str, folder: Path, count: int) -> float:
    if what == "insert":
        return await insert(folder / "state.db", folder / "empty.db")
    return await (fill if what == "fill" else plan)(folder, count)


if __name__ == "__main__":
    print(json.dumps({"seconds": asyncio.run(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))}))
