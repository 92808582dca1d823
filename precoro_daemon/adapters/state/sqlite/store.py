"""opens the state store: everything the program remembers, on one file"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from precoro_daemon.adapters.host.threads import run_to_end
from precoro_daemon.adapters.state.sqlite.attachments import SqlAttachmentBook
from precoro_daemon.adapters.state.sqlite.budget_book import SqlBudgetBook
from precoro_daemon.adapters.state.sqlite.catalogue import SqlCatalogue
from precoro_daemon.adapters.state.sqlite.change_log import SqlChangeLog
from precoro_daemon.adapters.state.sqlite.custom_fields import SqlCustomFields
from precoro_daemon.adapters.state.sqlite.deliveries import SqlDeliveries
from precoro_daemon.adapters.state.sqlite.journal import SqlJournal
from precoro_daemon.adapters.state.sqlite.lap_book import SqlLapBook
from precoro_daemon.adapters.state.sqlite.ledger_payments import SqlLedgerPayments
from precoro_daemon.adapters.state.sqlite.mirror import SqlMirror
from precoro_daemon.adapters.state.sqlite.opening import is_current, open_read_only, open_writable
from precoro_daemon.adapters.state.sqlite.paid_set import SqlPaidSet
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.sqlite.transactions import Transactions, inode_of


@dataclass(frozen=True, slots=True)
class Store:
    mirror: SqlMirror
    change_log: SqlChangeLog
    budget_book: SqlBudgetBook
    attachments: SqlAttachmentBook
    custom_fields: SqlCustomFields
    journal: SqlJournal
    ledger_payments: SqlLedgerPayments
    paid_set: SqlPaidSet
    lap_book: SqlLapBook
    deliveries: SqlDeliveries
    catalogue: SqlCatalogue


def build_store(transactions: Transactions, restore_guard: RestoreGuard) -> Store:
    return Store(
        SqlMirror(transactions),
        SqlChangeLog(transactions),
        SqlBudgetBook(transactions),
        SqlAttachmentBook(transactions),
        SqlCustomFields(transactions),
        SqlJournal(transactions, restore_guard),
        SqlLedgerPayments(transactions),
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
        yield build_store(transactions, RestoreGuard(path))
    finally:
        # A connection belongs to its thread, so it is closed there; then nothing is left to wait for.
        await run_to_end(executor, resources.close)
        executor.shutdown(wait=False)
