"""The SQL of the manual and of the README, asked of a sandbox company's mirror: it runs, and its sums are right.

The queries run in plain SQLite, without the functions that its shell adds. The right answers are reckoned from the
company itself, in whole cents.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.rows import Row
from tests.contracts.companies import founded, mirrored
from tests.docs.generate import MANUAL, ROOT

COUNTS = {"purchaseorders": 60, "invoices": 120, "suppliers": 9, "users": 5, "items": 20, "payments": 200}
APPROVED, PARTLY_PAID, CANCELED, CLOSED = 2, 4, 8, 11

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def company() -> Company:
    return founded(**COUNTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("queries") / "state.db"
    async with SqliteState(path, "company").open() as store:
        await mirrored(store, company, ["purchase_orders"])
    return path


def queries() -> Iterator[tuple[str, str]]:
    """Every query in the manual, under the question that it answers."""
    for page in (ROOT / "README.md", MANUAL / "data.md"):
        for block in re.findall(r"^```sql\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            for question, query in re.findall(r"^-- ([^\n]*)\n(.*?;)$", block, re.MULTILINE | re.DOTALL):
                yield f"{page.stem}: {question}", query


Sums = dict[tuple[Any, ...], tuple[int | None, int]]
"""The sum of each group in minor units, and how many rows are too fine for it."""


def owed(company: Company) -> Sums:
    return _summed(
        (_supplier(row), row.currency, row.total - row.paid, row.currency)
        for row in company["invoices"]
        if row.status in (APPROVED, PARTLY_PAID) and row.logic not in (1, 5)
    )


def ordered(company: Company) -> Sums:
    return _summed(
        (_month(row.approved), row.currency, row.total, row.currency)
        for row in company["purchaseorders"]
        if row.status in (APPROVED, CLOSED) and _month(row.approved) >= "2026"
    )


def paid(company: Company) -> Sums:
    return _summed(
        (company.entries.fields(row)["payDate"][:7], _supplier(row), row.currency, row.total, row.currency)
        for row in company["payments"]
        if row.status != CANCELED
    )


def _summed(rows: Iterable[tuple[Any, ...]]) -> Sums:
    """Each row is its group, its cents and its currency."""
    sums: Sums = {}
    for *group, cents, currency in rows:
        total, finer = sums.get(tuple(group), (None, 0))
        if currency == "JPY" and cents % 100:
            sums[tuple(group)] = total, finer + 1
        else:
            sums[tuple(group)] = (total or 0) + (cents // 100 if currency == "JPY" else cents), finer
    return sums


def _supplier(row: Row) -> str | None:
    return row.supplier.name if row.supplier else None


def _month(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m") if seconds else ""


SUMS = {
    "What do we owe, by supplier and currency?": owed,
    "What did we order this year, by month of approval?": ordered,
    "What was paid to whom, by month?": paid,
}


def ask(database: Path, query: str) -> Rows:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.asyncio(loop_scope="module")
async def test_sums_are_those_of_the_company(database: Path, company: Company) -> None:
    told = [(name, query) for name, query in queries() if name.partition(": ")[2] in SUMS]
    assert len(told) == 5, "three questions in the manual, two of them in the README too"
    for name, query in told:
        right = SUMS[name.partition(": ")[2]](company)
        assert len(right) > 3, name
        assert {tuple(group): (total, finer) for *group, total, finer in ask(database, query)} == right, name


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("query", [pytest.param(query, id=name) for name, query in queries()])
async def test_every_query_of_the_manual_runs(database: Path, query: str) -> None:
    ask(database, query)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_company_has_credit_notes_that_a_wrong_sum_would_count(database: Path) -> None:
    [(count,)] = ask(database, "SELECT count(*) FROM credit_notes WHERE open_minor > 0")
    assert count > 0
