"""The views, as a person reads them in a plain database shell."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS
from precoro_daemon.mirror.rules.documents import read_record
from tests.contracts.listing import T0, listed, record, scan

ALWAYS = {"id", "idn", "status", "updated_at", "external_id", "vanished_at", "data", "detail", "fetched_at"}


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def columns(path: Path, view: str) -> set[str]:
    return {name for (name,) in query(path, f"SELECT name FROM pragma_table_info('{view}')")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


async def fill(path: Path, collection: str, *rows: str) -> None:
    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, *(read_record(row.encode()) for row in rows), collection=collection)


async def detail(path: Path, raw: str, collection: str = "invoices") -> None:
    async with SqliteState(path, "company").open() as store:
        [due] = await store.mirror.due_details([collection], before=T0, limit=2)
        await store.mirror.save_detail(due, Detail(None, raw), at=T0)


@pytest.mark.asyncio
async def test_every_collection_has_its_view(path: Path) -> None:
    await fill(path, "invoices")
    for name in COLLECTIONS:
        assert columns(path, name) >= ALWAYS, name
        assert query(path, f"SELECT * FROM {name}") == []


@pytest.mark.asyncio
async def test_every_kind_of_document_has_a_view_of_its_lines(path: Path) -> None:
    await fill(path, "invoices")
    views = {name for (name,) in query(path, "SELECT name FROM sqlite_schema WHERE type = 'view'")}
    lines = {
        "purchase_order_lines", "invoice_lines", "receipt_lines", "expense_lines", "purchase_requisition_lines",
        "warehouse_request_lines", "request_for_proposal_lines",
    }  # fmt: skip
    custom = {
        "document_custom_values", "line_custom_values", "item_custom_values", "supplier_custom_values",
        "custom_fields", "custom_field_options", "custom_field_option_history",
    }  # fmt: skip
    assert len(lines) == len(DOCUMENTS)
    assert views == {*COLLECTIONS, *lines, *custom, "credit_notes", "attachments"}


@pytest.mark.asyncio
async def test_a_view_shows_the_wanted_rows_of_its_collection_only(path: Path) -> None:
    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, record(1), record(2, wanted=False), record(3))
        await listed(store.mirror, record(9), collection="receipts")
        census = await scan(store.mirror, [record(1)], at=T0 + 9)
        await store.mirror.close_scan(census.scan, [3], at=T0)
    assert query(path, "SELECT id, idn, vanished_at FROM invoices ORDER BY id") == [
        (1, 1001, None),
        (3, 1003, "2025-06-15T15:06:40"),
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("json_value", "shown"),
    [
        ("12.50", "12.50"),
        ('"12.50"', "12.50"),
        ("100", "100"),
        ("0", "0"),
        ("-0.10", "-0.10"),
        ("12345678901234567890123.4500", "12345678901234567890123.4500"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("null", None),
        ('""', None),
        ("[]", None),
        ("{}", None),
        ("true", None),
    ],
)
async def test_money_is_exact_text(path: Path, json_value: str, shown: str | None) -> None:
    await fill(path, "invoices", f'{{"id":1,"sum":{json_value}}}', '{"id":2}')
    assert query(path, "SELECT sum, sum_paid FROM invoices ORDER BY id") == [(shown, None), (None, None)]
    assert query(path, "SELECT typeof(sum) FROM invoices WHERE id = 1") == [("null" if shown is None else "text",)]


@pytest.mark.asyncio
async def test_columns_read_the_fields_of_the_row(path: Path) -> None:
    row = {"id": 1, "sum": "9.90", "netSum": 8.25, "sumPaid": 0, "currency": "USD", "invoiceNumber": 'A "1"\n\\'}
    await fill(path, "invoices", json.dumps(row))
    await fill(
        path, "items", '{"id":2,"sku":"007-1","name":"Schraube \\u201eM4\\u201c","price":0.0150,"currency":[]}'
    )
    assert query(path, "SELECT sum, net_sum, sum_paid, currency, invoice_number FROM invoices") == [
        ("9.90", "8.25", "0", "USD", 'A "1"\n\\')
    ]
    assert query(path, "SELECT sku, name, price, currency FROM items") == [("007-1", "Schraube „M4“", "0.0150", None)]


@pytest.mark.asyncio
async def test_a_document_shows_its_status_and_supplier_by_name(path: Path) -> None:
    await fill(
        path,
        "purchase_orders",
        '{"id": 1, "status": 2, "supplier": {"id": 7, "name": "Åkesson"}}',
        '{"id": 2, "status": "4", "supplier": []}',
        '{"id": 3, "status": 77, "supplier": ""}',
        '{"id": 4}',
    )
    shown = query(path, "SELECT status, status_name, supplier FROM purchase_orders ORDER BY id")
    assert shown == [(2, "approved", "Åkesson"), (4, "partly paid", None), (77, None, None), (None, None, None)]


@pytest.mark.asyncio
async def test_a_detail_shows_beside_its_row(path: Path) -> None:
    await fill(path, "invoices", '{"id":1,"idn":5}')
    await detail(path, '{"id":1,"items":[]}')
    assert query(path, "SELECT detail, fetched_at FROM invoices") == [('{"id":1,"items":[]}', "2025-06-15T15:06:40")]


LINES = '{"id":11,"sku":"A","name":"Bolt","quantity":"2.0","price":1.250,"sum":2.50}', '{"id":"12","quantity":null}'
SHOWN = [(1, 5, 1, 11, "A", "Bolt", "2.0", "1.250", "2.50"), (1, 5, 2, "12", None, None, None, None, None)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("items", "shown"),
    [
        (f'{{"data":[{LINES[0]},{LINES[1]}]}}', SHOWN),
        (f"[{LINES[0]},{LINES[1]}]", SHOWN),
        (f'{{"11":{LINES[0]},"12":{LINES[1]}}}', SHOWN),
        (f'{{"data":{{"11":{LINES[0]},"12":{LINES[1]}}}}}', SHOWN),
        (f'[null,"x",{LINES[0]}]', SHOWN[:1]),
        ("[]", []),
        ("{}", []),
        ('{"data":[]}', []),
        ("null", []),
        ('""', []),
        ("7", []),
    ],
)
async def test_lines_in_every_shape(path: Path, items: str, shown: list[tuple[Any, ...]]) -> None:
    await fill(path, "invoices", '{"id":1,"idn":5}')
    await detail(path, f'{{"id":1,"items":{items}}}')
    assert shown == query(
        path,
        "SELECT document_id, document_idn, position, line_id, sku, name, quantity, price, sum "
        "FROM invoice_lines ORDER BY document_id, position",
    )


@pytest.mark.asyncio
async def test_lines_come_from_the_detail_else_from_the_list(path: Path) -> None:
    await fill(path, "receipts", f'{{"id":1,"idn":5,"items":[{LINES[0]}]}}')
    assert query(path, "SELECT line_id, data FROM receipt_lines") == [(11, LINES[0])]
    await detail(path, f'{{"id":1,"items":[{LINES[1]}]}}', collection="receipts")
    assert query(path, "SELECT line_id, data FROM receipt_lines") == [("12", LINES[1])]


@pytest.mark.asyncio
async def test_positions_count_within_their_document(path: Path) -> None:
    rows = [f'{{"id":{id_},"items":[{LINES[0]},{LINES[1]}]}}' for id_ in (2, 1)]
    await fill(path, "invoices", *rows)
    shown = query(path, "SELECT document_id, position FROM invoice_lines ORDER BY 1, 2")
    assert shown == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert query(path, "SELECT position FROM invoice_lines WHERE document_id = 2 ORDER BY 1") == [(1,), (2,)]


@pytest.mark.asyncio
async def test_credit_notes_are_invoices_of_two_kinds(path: Path) -> None:
    kinds = ("0", "1", "2", "5", '"1"', '"5"', "null", "[]")
    await fill(path, "invoices", *(f'{{"id":{n},"logicType":{kind}}}' for n, kind in enumerate(kinds)))
    assert query(path, "SELECT id FROM credit_notes ORDER BY id") == [(1,), (3,), (4,), (5,)]
    assert columns(path, "credit_notes") == columns(path, "invoices")


@pytest.mark.asyncio
async def test_the_plain_shell_can_read_them(path: Path) -> None:
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("there is no sqlite3 shell here")
    await fill(path, "invoices", f'{{"id":1,"sum":1.10,"items":[{LINES[0]}]}}')
    sql = "SELECT sum FROM invoices; SELECT price FROM invoice_lines; SELECT count(*) FROM credit_notes;"
    done = await anyio.run_process([shell, "-readonly", str(path), sql])
    assert done.stdout.split() == [b"1.10", b"1.250", b"0"]


@pytest.mark.asyncio
async def test_views_are_made_anew_when_their_definition_changed(path: Path) -> None:
    await fill(path, "invoices", '{"id":1}')
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP VIEW invoices")
        connection.execute("CREATE VIEW outdated AS SELECT 1")
        connection.execute("UPDATE meta SET value = 'of an older version' WHERE key = 'views'")
        connection.commit()
    await fill(path, "receipts")
    assert query(path, "SELECT id FROM invoices") == [(1,)]
    assert query(path, "SELECT name FROM sqlite_schema WHERE name = 'outdated'") == []
