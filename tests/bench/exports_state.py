"""`python -m tests.bench.exports_state CONFIG STATE`: fills a state with documents, most of them copies of others."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from precoro_daemon.app.state import state_of
from precoro_daemon.settings import load
from tests.bench.exports import DOCUMENTS
from tests.contracts.companies import founded, mirrored

_FOUNDED = 10_000
"""Made by the sandbox."""

_COLUMNS = "status, updated_at, external_id, version, wanted, first_seen_at, changed_at, detail_version, data"
_APART = 10_000_000
"""Between the ids of a document and of its copy."""


async def fill(config: Path) -> None:
    async with state_of(load(config, os.environ)).open() as store:
        await mirrored(store, founded(invoices=_FOUNDED, suppliers=100, users=20))


def copy(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for number in range(1, DOCUMENTS // _FOUNDED):
            connection.execute(
                f"INSERT INTO records (collection, id, idn, {_COLUMNS})"
                f" SELECT collection, id + ?, idn, {_COLUMNS} FROM records"
                " WHERE collection = 'invoices' AND id < ?",
                (number * _APART, _APART),
            )


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
    copy(Path(sys.argv[2]))
