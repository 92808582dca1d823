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
    both = {"credit_notes", "credit_note_lines", "invoices_and_credit_notes", "invoice_and_credit_note_lines"}
    assert len(lines) == len(DOCUMENTS)
    assert views == {
        *COLLECTIONS, *lines, *custom, *both, "attachments", "documents", "document_lines", "data_dictionary"
    }  # fmt: skip


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
SHOWN = [(1, 5, 1, 11, "A", "Bolt", "2.0", "1.250", "2.50"), (1, 5, 2, 12, None, None, None, None, None)]


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
    assert query(path, "SELECT line_id, data FROM receipt_lines") == [(12, LINES[1])]


@pytest.mark.asyncio
async def test_positions_count_within_their_document(path: Path) -> None:
    rows = [f'{{"id":{id_},"items":[{LINES[0]},{LINES[1]}]}}' for id_ in (2, 1)]
    await fill(path, "invoices", *rows)
    shown = query(path, "SELECT document_id, position FROM invoice_lines ORDER BY 1, 2")
    assert shown == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert query(path, "SELECT position FROM invoice_lines WHERE document_id = 2 ORDER BY 1") == [(1,), (2,)]


@pytest.mark.asyncio
async def test_credit_notes_are_no_invoices(path: Path) -> None:
    kinds = ("0", "1", "2", "5", '"1"', '"5"', "null", "[]")
    items = '"items":[{"id":7}]'
    await fill(path, "invoices", *(f'{{"id":{n},"logicType":{kind},{items}}}' for n, kind in enumerate(kinds)))
    await fill(path, "receipts", f'{{"id":9,"logicType":1,{items}}}')
    notes, others = {1, 3, 4, 5}, {0, 2, 6, 7}
    shown = {"credit_notes": notes, "invoices": others, "invoices_and_credit_notes": notes | others}
    lines = {"credit_note_lines": notes, "invoice_lines": others, "invoice_and_credit_note_lines": notes | others}
    for view, ids in shown.items():
        assert {id_ for (id_,) in query(path, f"SELECT id FROM {view}")} == ids
        assert columns(path, view) == columns(path, "invoices")
    for view, ids in lines.items():
        assert {id_ for (id_,) in query(path, f"SELECT document_id FROM {view}")} == ids
    assert query(path, "SELECT kind, count(*) FROM documents GROUP BY kind ORDER BY kind") == [
        ("credit note", 4), ("invoice", 4), ("receipt", 1)
    ]  # fmt: skip


MINOR = [
    ("EUR", "12.50", 1250),
    ("EUR", '"12.5"', 1250),
    ("EUR", "7", 700),
    ("EUR", '"-0.10"', -10),
    ("EUR", "-0.05", -5),
    ("EUR", "12.5000", 1250),
    ("EUR", "12.505", None),
    ("EUR", "999999999999999.99", 99999999999999999),
    ("EUR", "-999999999999999.99", -99999999999999999),
    ("EUR", "1000000000000000", None),
    ("EUR", "0.1000000000000000055511151231257827", None),
    ("EUR", '"n/a"', None),
    ("EUR", '"1.000,50"', None),
    ("EUR", '"+5"', None),
    ("EUR", '" 5"', None),
    ("EUR", '"5."', None),
    ("EUR", '"1.2.3"', None),
    ("EUR", '"1-2"', None),
    ("EUR", '"-"', None),
    ("EUR", '""', None),
    ("EUR", "null", None),
    ("EUR", "true", None),
    ("EUR", "[]", None),
    ("JPY", "1200", 1200),
    ("JPY", "1200.00", 1200),
    ("JPY", "1200.50", None),
    ("KWD", "1.250", 1250),
    ("KWD", "1.2505", None),
    ("", "3.40", 340),
]


@pytest.mark.asyncio
async def test_minor_units_are_the_same_amount_exactly_or_nothing(path: Path) -> None:
    rows = (f'{{"id":{n},"currency":"{code}","sum":{told}}}' for n, (code, told, _) in enumerate(MINOR))
    await fill(path, "invoices", *rows)
    shown = query(path, "SELECT sum_minor FROM invoices ORDER BY id")
    assert [minor for (minor,) in shown] == [minor for _, _, minor in MINOR]


@pytest.mark.asyncio
async def test_what_is_open_is_what_can_be_paid_less_what_was(path: Path) -> None:
    rows = {
        '"status":2,"sum":"10.00","sumPaid":"0.00"': ("10.00", 1000),
        '"status":4,"sum":10.00,"sumPaid":"12.05"': ("-2.05", -205),
        '"status":"4","sum":"0.30","sumPaid":0.1': ("0.20", 20),
        '"status":2,"sum":"10.00"': ("10.00", 1000),
        '"status":2,"sum":"10.00","sumPaid":"?"': (None, None),
        '"status":2,"sum":"10.00","sumPaid":[]': ("10.00", 1000),
        '"status":2,"currency":"JPY","sum":"1000","sumPaid":"1.00"': ("999", 999),
        '"status":2,"currency":"KWD","sum":"1.5"': ("1.500", 1500),
        '"status":5,"sum":"10.00","sumPaid":"10.00"': (None, None),
        '"status":8,"sum":"10.00"': (None, None),
        '"sum":"10.00"': (None, None),
    }
    await fill(path, "expenses", *(f'{{"id":{n},{fields}}}' for n, fields in enumerate(rows)))
    assert query(path, "SELECT open_sum, open_minor FROM expenses ORDER BY id") == list(rows.values())


@pytest.mark.asyncio
async def test_days_and_times_are_those_of_the_calendar(path: Path) -> None:
    times = {
        "2026-01-05T23:30:00-05:00": ("2026-01-06T04:30:00", "2026-01-05"),
        "2026-01-05T10:00:00+02:00": ("2026-01-05T08:00:00", "2026-01-05"),
        "2026-01-05T10:00:00Z": ("2026-01-05T10:00:00", "2026-01-05"),
        "2026-01-05T10:00:00.500": ("2026-01-05T10:00:00", "2026-01-05"),
        "2026-01-05": ("2026-01-05T00:00:00", "2026-01-05"),
        "2026-02-30T10:00:00": (None, None),
        "0000-00-00": (None, None),
        "05.01.2026": (None, None),
        "now": (None, None),
        "2026-01-05T99:00:00": (None, "2026-01-05"),
        "": (None, None),
    }
    rows = (f'{{"id":{n},"approvalDate":"{text}","requiredDate":"{text}"}}' for n, text in enumerate(times))
    await fill(path, "invoices", *rows, '{"id":99,"approvalDate":[],"requiredDate":{"date":1}}')
    shown = query(path, "SELECT approved_at, due_date FROM invoices ORDER BY id")
    assert shown == [*times.values(), (None, None)]


@pytest.mark.asyncio
async def test_records_name_each_other_by_name_and_plain_id(path: Path) -> None:
    person = '{"id":"5","firstname":"Ada","lastname":"Lovelace","email":"ada@example.com"}'
    await fill(
        path,
        "invoices",
        f'{{"id":1,"supplier":{{"id":"7","name":"Åkesson"}},"creator":{person},"legalEntity":[],"location":"",'
        '"budget":{"id":3,"name":"IT"},"purchaseOrder":{"id":"40","idn":4},"parentData":{"id":2}}',
        '{"id":2,"supplier":{"id":"x"},"creator":{"id":6,"email":"b@example.com"},"purchaseOrder":[]}',
    )
    assert query(
        path,
        "SELECT supplier, supplier_id, requester, requester_id, legal_entity, legal_entity_id, location, budget,"
        " budget_id, purchase_order_id, split_of_id FROM invoices ORDER BY id",
    ) == [
        ("Åkesson", 7, "Ada Lovelace", 5, None, None, None, "IT", 3, 40, 2),
        (None, None, "b@example.com", 6, None, None, None, None, None, None, None),
    ]
    await fill(path, "users", '{"id":5,"firstname":"Ada","lastname":"Lovelace"}', '{"id":6,"email":"b@example.com"}')
    joined = "SELECT i.id, u.name FROM invoices AS i JOIN users AS u ON u.id = i.requester_id ORDER BY 1"
    assert query(path, joined) == [(1, "Ada Lovelace"), (2, "b@example.com")]


@pytest.mark.asyncio
async def test_the_detail_says_who_approved_and_when_it_was_paid(path: Path) -> None:
    await fill(path, "invoices", '{"id":1,"idn":5}')
    await detail(
        path,
        '{"id":1,"lastApprover":{"id":8,"firstname":"Grace","lastname":""},"payments":{"data":['
        '{"payDate":"2026-01-05T00:00:00","status":2},{"payDate":"2026-02-05","status":8},"x",{"payDate":"2026-01-04"}]}}',
    )
    assert query(path, "SELECT approver, approver_id, last_paid_date FROM invoices") == [("Grace", 8, "2026-01-05")]


@pytest.mark.asyncio
async def test_a_payment_has_its_invoice_supplier_and_currency(path: Path) -> None:
    await fill(path, "invoices", '{"id":1,"idn":5,"currency":"KWD","supplier":{"id":7,"name":"Åkesson"}}')
    await fill(
        path,
        "payments",
        '{"id":11,"invoice":{"id":"1","idn":"5"},"sumPaid":"1.250","payDate":"2026-01-05T00:00:00","status":2}',
        '{"id":12,"invoice":{"id":1},"sumPaid":"1.25","currency":"EUR","supplier":{"id":9,"name":"B"},"prepayment":true}',
        '{"id":13,"invoice":[],"sumPaid":"1.25","status":8}',
    )
    sql = (
        "SELECT invoice_id, invoice_idn, supplier, supplier_id, currency, sum_paid, sum_paid_minor, pay_date,"
        " status_name, is_prepayment FROM payments ORDER BY id"
    )
    assert query(path, sql) == [
        (1, 5, "Åkesson", 7, "KWD", "1.250", 1250, "2026-01-05", "approved", None),
        (1, None, "B", 9, "EUR", "1.25", 125, None, None, 1),
        (None, None, None, None, None, "1.25", 125, None, "canceled", None),
    ]


@pytest.mark.asyncio
async def test_the_dictionary_has_every_column_in_its_order(path: Path) -> None:
    await fill(path, "invoices")
    views = [name for (name,) in query(path, "SELECT name FROM sqlite_schema WHERE type = 'view'")]
    told = query(path, 'SELECT "view", "column", type, meaning FROM data_dictionary')
    for view in views:
        names = [name for (name,) in query(path, f"SELECT name FROM pragma_table_info('{view}')")]
        assert [row[1] for row in told if row[0] == view] == names, view
    assert all(all(row) for row in told)


@pytest.mark.asyncio
async def test_lines_of_one_kind_are_looked_for_before_they_are_numbered(path: Path) -> None:
    await fill(path, "invoices")
    plan = query(path, "EXPLAIN QUERY PLAN SELECT count(*) FROM receipt_lines")
    assert any("SEARCH records" in step[3] and "collection=?" in step[3] for step in plan), plan


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
@pytest.mark.parametrize(
    "harm",
    [
        "DROP VIEW invoices",
        "DROP VIEW invoices; CREATE VIEW invoices AS SELECT 1 AS id",
        "DROP VIEW documents; CREATE VIEW outdated AS SELECT 1",
    ],
)
async def test_views_that_are_missing_or_changed_are_made_anew(path: Path, harm: str) -> None:
    await fill(path, "invoices", '{"id":1}')
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(harm)
    await fill(path, "receipts")
    assert query(path, "SELECT id FROM invoices") == [(1,)]
    assert query(path, "SELECT name FROM sqlite_schema WHERE name = 'outdated'") == []


@pytest.mark.asyncio
async def test_views_as_they_should_be_are_left_alone(path: Path) -> None:
    await fill(path, "invoices")
    before = query(path, "PRAGMA schema_version")
    await fill(path, "receipts")
    assert query(path, "PRAGMA schema_version") == before
