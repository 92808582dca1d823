"""A bare aiohttp loop: ten pages in flight, parsed with orjson, and discarded or inserted into SQLite.

`python bare.py URL [FILE]`; the address carries no key, which is in the environment. Prints seconds and records.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable

import aiohttp
import orjson

IN_FLIGHT = 10
PER_PAGE = 200

Keep = Callable[[list[dict[str, object]]], None]


async def fetch_all(url: str, keep: Keep) -> int:
    headers = {
        "X-AUTH-TOKEN": os.environ["PRECORO_TOKEN"],
        "email": os.environ["PRECORO_EMAIL"],
        "User-Agent": "bare-loop/1",
    }
    count = 0
    async with aiohttp.ClientSession(url, headers=headers) as session:

        async def fetch(number: int) -> int:
            nonlocal count
            async with session.get(f"/invoices?page={number}&per_page={PER_PAGE}") as answer:
                body = orjson.loads(await answer.read())
            keep(body["data"])
            count += len(body["data"])
            return int(body["meta"]["pagination"]["total_pages"])

        numbers = iter(range(2, await fetch(1) + 1))

        async def work() -> None:
            for number in numbers:
                await fetch(number)

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return count


def recorder(path: str) -> Keep:
    """Durable like the mirror: WAL, synchronous=FULL, one commit a page."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE invoices (id INTEGER PRIMARY KEY, data TEXT NOT NULL)")

    def keep(rows: list[dict[str, object]]) -> None:
        with connection:
            connection.executemany(
                "INSERT OR REPLACE INTO invoices VALUES (?, ?)",
                [(row["id"], orjson.dumps(row).decode()) for row in rows],
            )

    return keep


if __name__ == "__main__":
    began = time.perf_counter()
    records = asyncio.run(fetch_all(sys.argv[1], recorder(sys.argv[2]) if sys.argv[2:] else lambda _: None))
    print(json.dumps({"seconds": time.perf_counter() - began, "records": records}))
