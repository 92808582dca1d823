"""One connection on one thread: nothing of it gets out."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.store import open_store
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.errors import StoreUnusable

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_state_that_was_removed_or_replaced_is_not_used_until_it_is_back(
    tmp_path: Path, *, replaced: bool
) -> None:
    path, away = tmp_path / "state.db", tmp_path / "away.db"
    async with open_store(path, identity="company") as store:
        await store.budget_book.charge(1.0, b"12345678")
        await anyio.Path(path).rename(away)
        if replaced:
            await anyio.Path(path).write_bytes(await anyio.Path(away).read_bytes())
        for work in (store.journal.switch, lambda: store.budget_book.charge(2.0, b"12345678")):
            with pytest.raises(StoreUnusable, match="was removed or replaced while in use"):
                await work()
        await anyio.Path(away).replace(path)
        await store.budget_book.charge(3.0, b"12345678")
        assert [at for at, _ in await store.budget_book.load(0.0)] == [1.0, 3.0]


async def test_a_cursor_may_not_leave_the_thread(tmp_path: Path) -> None:
    """Forgotten by another thread it would reset a statement that is in use: "bad parameter or other API misuse"."""
    with ThreadPoolExecutor(1) as executor:
        path = tmp_path / "a.db"
        connection = executor.submit(sqlite3.connect, path, isolation_level=None).result()
        transactions = Transactions(executor, connection, path)
        with pytest.raises(TypeError, match="cursor"):
            await transactions.read(lambda connection: connection.execute("SELECT 1"))
        with pytest.raises(TypeError, match="cursor"):
            await transactions.write(lambda connection: connection.execute("SELECT 1"))
        await transactions.execute("CREATE TABLE t (a)", ())
        await transactions.execute_each("INSERT INTO t VALUES (?)", [(1,), (2,)])
        assert await transactions.read(lambda connection: connection.execute("SELECT a FROM t").fetchall()) == [
            (1,),
            (2,),
        ]
        executor.submit(connection.close).result()
