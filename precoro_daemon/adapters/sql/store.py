"""opens the state store: everything the program remembers, on one file"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from precoro_daemon.adapters.sql.attachments import SqlAttachmentBook
from precoro_daemon.adapters.sql.budget_book import SqlBudgetBook
from precoro_daemon.adapters.sql.catalogue import SqlCatalogue
from precoro_daemon.adapters.sql.claims import SqlClaims
from precoro_daemon.adapters.sql.custom_fields import SqlCustomFields
from precoro_daemon.adapters.sql.deliveries import SqlDeliveries
from precoro_daemon.adapters.sql.journal import SqlJournal
from precoro_daemon.adapters.sql.lap_book import SqlLapBook
from precoro_daemon.adapters.sql.mirror import SqlMirror
from precoro_daemon.adapters.sql.opening import is_current, open_read_only, open_writable
from precoro_daemon.adapters.sql.paid_set import SqlPaidSet
from precoro_daemon.adapters.sql.transactions import Transactions, inode_of
from precoro_daemon.adapters.sql.witness import Witness
from precoro_daemon.adapters.threads import run_to_end


@dataclass(frozen=True, slots=True)
class Store:
    mirror: SqlMirror
    budget_book: SqlBudgetBook
    attachments: SqlAttachmentBook
    custom_fields: SqlCustomFields
    journal: SqlJournal
    claims: SqlClaims
    paid_set: SqlPaidSet
    lap_book: SqlLapBook
    deliveries: SqlDeliveries
    catalogue: SqlCatalogue


def build_store(transactions: Transactions, witness: Witness) -> Store:
    return Store(
        SqlMirror(transactions),
        SqlBudgetBook(transactions),
        SqlAttachmentBook(transactions),
        SqlCustomFields(transactions),
        SqlJournal(transactions, witness),
        SqlClaims(transactions),
        SqlPaidSet(transactions),
        SqlLapBook(transactions),
        SqlDeliveries(transactions),
        SqlCatalogue(transactions),
    )


@asynccontextmanager
async def open_store(path: Path, *, identity: str) -> AsyncIterator[Store]:
    """The state in `path`, made if there is none, held against every other process until the context ends.

    `identity` names the company and user whose data it keeps, as a hash. Raises StoreHeld, and StoreUnusable for a
    file that is not ours to write; such a file is left untouched. Whatever is done with a state that was removed or
    replaced meanwhile raises StoreUnusable too.
    """
    async with _on_a_thread(path, lambda resources: open_writable(path, identity, resources)) as store:
        yield store


@asynccontextmanager
async def open_to_look(path: Path, *, identity: str) -> AsyncIterator[Store]:
    """For reading only, beside whoever holds it; one of an older version is brought up to date first. Raises
    StoreHeld, StoreUnusable."""

    def connect(resources: ExitStack) -> sqlite3.Connection:
        with ExitStack() as reading:
            connection = reading.enter_context(closing(open_read_only(path, identity)))
            if is_current(connection):
                resources.push(reading.pop_all())
                return connection
        return open_writable(path, identity, resources)

    async with _on_a_thread(path, connect) as store:
        yield store


@asynccontextmanager
async def _on_a_thread(path: Path, connect: Callable[[ExitStack], sqlite3.Connection]) -> AsyncIterator[Store]:
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
    resources = ExitStack()
    try:
        connection = await run_to_end(executor, lambda: connect(resources))
        inode = await run_to_end(executor, lambda: inode_of(path))
        transactions = Transactions(executor, connection, path, inode)
        yield build_store(transactions, Witness(path))
    finally:
        # A connection belongs to its thread, so it is closed there; then nothing is left to wait for.
        await run_to_end(executor, resources.close)
        executor.shutdown(wait=False)
