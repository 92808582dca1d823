"""A process that is killed while it records payments: what it told of is there, and no payment is there twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from anyio import to_thread

from precoro_daemon.app.ledger import open_ledger
from tests.contracts.ledgers.books import Books, entry, found, made
from tests.contracts.ledgers.configured import configured, csv_books
from tests.contracts.ledgers.databases import FIND, INSERT, sqlite_books
from tests.system.forked import Child

SQL = """
[ledger]
kind = "sql"
name = "books"
[ledger.sql]
url = "sqlite:///{path}"
insert = '''{insert}'''
find = '''{find}'''
"""
CSV = """
[ledger]
kind = "csv"
name = "books"
[ledger.csv]
out_directory = "{path}"
"""


def run_and_kill(config: Path, first: int, lives: float) -> int:
    """The number of the last payment it told of."""
    process = Child("tests.contracts.ledgers.creating", str(config), str(first))
    told = [int(process.stdout.readline())]
    time.sleep(lives)
    process.kill()
    told += [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait()
    return told[-1]


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["sqlite", "csv"])
async def test_killed_at_any_moment(kind: str, tmp_path: Path):
    books = sqlite_books(tmp_path) if kind == "sqlite" else csv_books(tmp_path)
    async with books as opened:
        path = tmp_path / ("books.db" if kind == "sqlite" else "out")
        text = SQL.format(path=path, insert=INSERT, find=FIND) if kind == "sqlite" else CSV.format(path=path)
        last = await _killed_twice(opened, text, tmp_path)
        created = [key for key, _, _ in await opened.created()]
    assert sorted(created) == sorted(f"key-{number}" for number in range(last + 2))


async def _killed_twice(books: Books, text: str, directory: Path) -> int:
    settings = await to_thread.run_sync(configured, directory, text)
    dice = random.Random(7)
    last = -1
    for _ in range(2):
        # The one under way when the process was killed is tried again, as after a doubt.
        first = last + 1
        last = await to_thread.run_sync(run_and_kill, directory / "config.toml", first, dice.uniform(0.0, 0.1))
        there = {key for key, _, _ in await books.created()}
        assert there >= {f"key-{number}" for number in range(last + 1)}
    async with open_ledger(settings) as ledger:
        assert ledger
        there = await found(ledger, f"key-{last + 1}")
        assert await made(ledger, entry(f"key-{last + 1}")) == (there or await found(ledger, f"key-{last + 1}"))
    return last
