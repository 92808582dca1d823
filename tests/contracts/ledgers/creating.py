"""A process that records payments until it is killed: python creating.py CONFIG FIRST"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import anyio

from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.settings import load
from tests.contracts.ledgers.books import entry, permitted
from tests.contracts.ledgers.configured import ACCESS


async def main(config: Path, first: int) -> None:
    settings = load(config, ACCESS)
    async with open_ledger(settings) as ledger:
        assert ledger
        for number in itertools.count(first):
            await ledger.create(entry(f"key-{number}"), permitted)
            print(number, flush=True)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
