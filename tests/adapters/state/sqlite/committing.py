"""Commits pages until it is killed: python committing.py STATE"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.mirror.rules.cursors import Page, Scan
from tests.contracts.listing import T0, record


async def main(path: Path) -> None:
    async with SqliteState(path, "company").open() as store:
        print("open", flush=True)
        for run in itertools.count():
            scan = Scan("invoices", "whole")
            for number in range(1, 21):
                rows = [record(number * 50 + i, run=run, padding="x" * 1000) for i in range(50)]
                page = Page(number, rows, total=1000, total_pages=20, server_time=T0 + run * 100 + number)
                scan = (await store.mirror.commit_pages(scan, [page])).scan
            await store.mirror.close_scan(scan, at=T0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
