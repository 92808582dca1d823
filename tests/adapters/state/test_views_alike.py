"""The views on PostgreSQL have the names, columns and rows that they have on SQLite, whatever Precoro sends."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from precoro_daemon.adapters.state.ports import State, Store
from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.view_columns import Kind
from precoro_daemon.adapters.state.views import described_views
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.documents import read_record
from tests.contracts.companies import founded, mirrored
from tests.contracts.listing import T0, listed

AMOUNTS = (
    "12.50", '"12.50"', "-0.10", "100", '"007.5"', '"+5"', '"5."', '".5"', '"1e3"', '"NaN"', '"Infinity"', '"n/a"',
    '" 5"', '"1.000,50"', "null", '""', "[]", "{}", "true", "999999999999999.99", "1000000000000000", "12.505",
    "0.1000000000000000055511151231257827", '"12.5000"', '"-"', '"1-2"', '"1.2.3"',
)  # fmt: skip
TIMES = (
    "2026-01-05T23:30:00-05:00", "2026-01-05T10:00:00+02:00", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00.250",
    "2026-01-05 10:00", "2026-01-05", "2026-02-30T10:00:00", "0000-00-00", "05.01.2026", "now", "infinity", "epoch",
    "2026-01-05T99:00:00", "2026-W02-1T10:00:00", "3026-01-05T10:00:00",
    "2026-01-05T10:00:00+0200", "",
)  # fmt: skip
REFERENCES = (
    '{"id":7,"name":"Åkesson"}', '{"id":"7","name":""}', '{"id":"x"}', '{"id":-1,"name":5}', "[]", '""', "null", "7",
    '{"id":5,"firstname":"Ada","lastname":"","email":"a@example.com"}', '{"id":6,"email":"b@example.com"}',
    '{"id":99999999999999999999,"name":"NUL \\u0000 and \\\\u0000"}',
)  # fmt: skip
LINES = (
    '[{"id":1,"sum":"1.50","quantity":2,"product":{"id":"9"}},null,{"id":"2","name":"x\\u0000y"},"x"]',
    '{"data":[{"id":3}]}', '{"11":{"id":11},"12":{"id":12}}', '{"data":{"11":{"id":11}}}', "[]", "null", '""', "7",
)  # fmt: skip
PAYMENTS = ('{"data":[{"payDate":"2026-01-05","status":8},{"payDate":"2026-01-04T01:00:00"},"x"]}', "[]", "null")
VALUES = (
    '{"data":[{"id":1,"value":"01.02.2026","documentCustomField":{"id":4,"name":"Day"}}]}',
    '[{"id":2,"value":[{"id":5,"name":"Red"},{"id":6}],"documentCustomField":{"id":"4"}},"x"]',
    '{"data":[{"id":3,"value":1.50,"documentCustomField":4},{"id":4,"value":null}]}',
    '{"data":[{"id":5,"value":[],"documentCustomField":{"id":"x"}},{"value":true,"documentCustomField":{"id":4}}]}',
    "[]",
)


def odd_invoice(number: int) -> str:
    """Every odd value comes in some of them, each beside others."""

    def pick(values: tuple[str, ...], shift: int = 0) -> str:
        return values[(number + shift) % len(values)]

    fields = {
        "id": str(number),
        "idn": ("5", '"6"', '"A-7"', "null")[number % 4],
        "status": ("2", '"4"', "8", "77")[number % 4],
        "logicType": ("0", '"1"', "5", "null", "[]")[number % 5],
        "currency": ('"EUR"', '"JPY"', '"KWD"', '""', "null", "[]")[number % 6],
        "sum": pick(AMOUNTS), "sumPaid": pick(AMOUNTS, 3), "sumInCompanyCurrency": pick(AMOUNTS, 5),
        "exchangeRate": pick(AMOUNTS, 7),
        "createDate": json.dumps(pick(TIMES)), "approvalDate": json.dumps(pick(TIMES, 4)),
        "requiredDate": json.dumps(pick(TIMES, 8)), "updateDate": json.dumps(pick(TIMES, 2)),
        "supplier": pick(REFERENCES), "creator": pick(REFERENCES, 3), "budget": pick(REFERENCES, 5),
        "lastApprover": pick(REFERENCES, 8), "items": pick(LINES), "payments": pick(PAYMENTS),
        "dataDocumentCustomFields": pick(VALUES),
    }  # fmt: skip
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"


async def fill(state: State) -> None:
    async with state.open() as store:
        company = founded(
            purchaseorders=6, invoices=12, receipts=4, expenses=6, suppliers=4, users=3, items=5, payments=9,
            expensePayments=4, contracts=2, documentcustomfields=3, itemcustomfields=2, budgets=1, taxes=1,
        )  # fmt: skip
        await mirrored(store, company, ["invoices", "purchase_orders", "expenses"])
        await _fill_oddly(store)


async def _fill_oddly(store: Store) -> None:
    odd = [odd_invoice(number) for number in range(1, 70)]
    rows = [read_record(row.encode()) for row in odd]
    await listed(store.mirror, *rows, collection="invoices", at=T0 + 9)
    paying = [
        f'{{"id":{number + 500},"invoice":{{"id":{number},"idn":"5"}},"sumPaid":{AMOUNTS[number % len(AMOUNTS)]},'
        f'"payDate":"{TIMES[number % len(TIMES)]}"}}'
        for number in range(1, 40)
    ]
    await listed(store.mirror, *(read_record(row.encode()) for row in paying), collection="payments", at=T0 + 9)
    for one in await store.mirror.due_details(["invoices"], before=T0 * 2, limit=1000):
        if one.id % 3 and one.id < 70:
            await store.mirror.save_detail(one, Detail(None, odd[one.id - 1]), at=T0)


def shown_by_sqlite(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def connected(url: str, schema: str) -> Iterator[psycopg.Connection[Any]]:
    """In another zone than UTC, which must change nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        connection.execute("SET TimeZone TO 'America/New_York'")
        yield connection


def same(kind: Kind, value: Any) -> Any:
    """A value in the form in which those of two engines are equal."""
    if value is None:
        return None
    if kind is Kind.DECIMAL:
        readable = re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", str(value))
        return Decimal(str(value)) if readable else None
    if kind is Kind.JSON:
        return json.dumps(_whole(json.loads(value, parse_float=Decimal)), sort_keys=True, default=str)
    if kind is Kind.BOOLEAN:
        return bool(value)
    return str(value).replace("\0", "\ufffd").partition("\ufffd")[0]  # SQLite's functions end a text there


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


@pytest.mark.asyncio
async def test_both_engines_show_the_same_rows(tmp_path: Path, state_database: str) -> None:
    path, schema = tmp_path / "state.db", "alike"
    await fill(SqliteState(path, "company"))
    await fill(PostgresState(Server(state_database), schema, "company"))
    with connected(state_database, schema) as connection:
        for view, columns in described_views().items():
            names = ", ".join(f'"{column.name}"' for column in columns)
            query = f'SELECT {names} FROM "{view}"'
            shown = [
                sorted(
                    (
                        tuple(same(column.kind, value) for column, value in zip(columns, row, strict=True))
                        for row in rows
                    ),
                    key=repr,
                )
                for rows in (shown_by_sqlite(path, query), connection.execute(query.encode()).fetchall())
            ]
            for one, other in zip(*shown, strict=True):
                differing = {
                    column.name: (here, there)
                    for column, here, there in zip(columns, one, other, strict=True)
                    if here != there
                }
                assert differing == {}, (view, one)
            if view in ("invoices", "credit_notes", "payments", "invoice_lines", "document_custom_values"):
                assert len(shown[0]) > 5, view
