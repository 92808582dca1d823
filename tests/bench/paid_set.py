"""What is measured of the paid set, timed from inside: `python -m tests.bench.paid_set WHAT FILE COUNT`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from precoro_daemon.adapters.state.sqlite.state import SqliteState

_PAGE = 50_000


async def compare(path: Path, *, fresh: bool) -> float:
    """What a lap of export_payments does to find what is new, and what has left."""
    async with SqliteState(path, "company").open() as store:
        began = time.perf_counter()
        after: int | None = 0
        changed = 0
        while after is not None:
            after, some = await store.paid_set.compare(after, known=False)
            changed += some
        left = await store.paid_set.leave(0.0)
        took = time.perf_counter() - began
        assert left == 0
        assert (changed > 0) is fresh
    return took


async def fill(path: Path, count: int) -> float:
    async with SqliteState(path, "company").open() as store:
        await store.journal.prepare()

        def work(session: Any) -> None:
            rows = ((number * 3, number) for number in range(1, count + 1))
            session.connection.executemany(
                "INSERT INTO records (collection, id, idn, status, version, wanted, first_seen_at, changed_at, data)"
                " VALUES ('invoices', ?, ?, 5, randomblob(16), 1, 0, 0, '{}')",
                rows,
            )

        await store.mirror._transactions.write(work)
    return 0.0


def forget(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM paid_invoices")


def insert(path: Path, count: int) -> float:
    """Plain and durable: the same kind of file, the same commits."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE ids (id INTEGER PRIMARY KEY)")
        began = time.perf_counter()
        for start in range(1, count + 1, _PAGE):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO ids VALUES (?)", ((number * 3,) for number in range(start, start + _PAGE))
            )
            connection.execute("COMMIT")
        return time.perf_counter() - began


if __name__ == "__main__":
    what, file, many = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if what == "fill":
        seconds = asyncio.run(fill(file, many))
    elif what == "insert":
        seconds = insert(file, many)
    else:
        if what == "new":
            forget(file)
        seconds = asyncio.run(compare(file, fresh=what == "new"))
    print(json.dumps({"seconds": seconds}))
