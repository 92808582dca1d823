"""What a state's commits take, timed from inside: `python -m tests.bench.state_process URL PAGES`.

Prints milliseconds of a page of 200 new rows of 2 KB and of one charge, and CPU milliseconds of this process a page.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles

from precoro_daemon.adapters.state.ports import State, Store
from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import Record, read_record
from precoro_daemon.quota.limits import Lane

_ROWS = 200
_CHARGES = 300
_FIELDS = {f"field{number}": "what a company says of it, " * 3 for number in range(22)}


def _record(number: int, change: int) -> Record:
    status = {"status": 5 + change, "updateDate": "2026-01-01T00:00:00+00:00"}
    row = read_record(json.dumps({"id": number, "idn": number, **status, **_FIELDS}).encode())
    row.wanted = True
    return row


async def _pages(store: Store, pages: int, change: int, part: int) -> list[float]:
    """Milliseconds of each; every `part`th row of them is new or changed."""
    scan, took = Scan("invoices", "whole"), []
    for number in range(1, pages + 1):
        first = (number - 1) * _ROWS
        rows = [_record(first + place, change if place % part == 0 else 0) for place in range(_ROWS)]
        page = Page(number, rows, total=pages * _ROWS, total_pages=pages, server_time=1_750_000_000.0 + number)

        async def commit(scan: Scan = scan, page: Page = page) -> Scan:
            return (await store.mirror.commit_pages(scan, [page])).scan

        scan = await _timed(commit, took)
    return took


async def _timed(work: Callable[[], Awaitable[Scan]], took: list[float]) -> Scan:
    began = time.perf_counter()
    try:
        return await work()
    finally:
        took.append(1000 * (time.perf_counter() - began))


async def _charges(store: Store) -> list[float]:
    took = []
    for number in range(_CHARGES):
        began = time.perf_counter()
        await store.budget_book.charge(1_750_000_000.0 + number, b"12345678", Lane.LISTS)
        took.append(1000 * (time.perf_counter() - began))
    return took


async def _measure(url: str, pages: int) -> dict[str, float]:
    on_server = url.startswith("postgresql")
    state: State = PostgresState(Server(url), "bench", "bench") if on_server else SqliteState(Path(url), "bench")
    async with state.open() as store:
        await _charges(store)
        began = time.process_time()
        made = await _pages(store, pages, 0, 1)
        cpu = time.process_time() - began
        changed = await _pages(store, pages, 1, 10)
        charged = await _charges(store)
    return {
        "new": median(made), "new_p95": quantiles(made, n=20)[-1], "changed": median(changed),
        "charge": median(charged), "cpu": 1000 * cpu / pages,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1], int(sys.argv[2])))))
