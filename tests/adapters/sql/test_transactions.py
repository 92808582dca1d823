"""One connection on one thread: nothing of it gets out."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from precoro_daemon.adapters.sql.transactions import Transactions

pytestmark = pytest.mark.asyncio


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
