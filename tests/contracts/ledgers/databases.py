"""Books in databases: one table, whose kind of key the test chooses."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from precoro_daemon.adapters.databases.database import Address, Database, open_database
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.adapters.ledgers.sql import SqlLedger, SqlStatements
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.values.sql_statements import Dialect, parse
from precoro_daemon.writes.sending import real_seconds
from tests.contracts.ledgers.books import Books, Created
from tests.contracts.ledgers.servers import CutWire, cut_wire, mysql_query, postgres_query

PASSWORD = "the-p4ssword-of-the-b00ks"
READ = """
    SELECT id AS key, bill AS invoice, amount, currency, paid_on, changed AS position, precoro_key AS ours, vendor AS
    supplier FROM payments -- it's all; 100% of :them
    WHERE changed > :position ORDER BY changed"""
INSERT = """
    INSERT INTO payments (bill, amount, currency, paid_on, changed, precoro_key, vendor)
    VALUES (:invoice_external_id, :amount, :currency, :paid_on, (SELECT * FROM (SELECT coalesce(max(changed), 0) + 1
    FROM payments) AS p), :key, :supplier_name)"""
FIND = "SELECT id FROM payments WHERE precoro_key = :key"

COLUMNS = "bill TEXT, amount {amount}, currency TEXT, paid_on DATE, changed BIGINT, precoro_key VARCHAR(100) {unique}"
TABLES = {
    "sqlite": "CREATE TABLE payments (id INTEGER PRIMARY KEY, vendor TEXT, " + COLUMNS + ")",
    "postgresql": "CREATE TABLE payments (id BIGSERIAL PRIMARY KEY, vendor TEXT, " + COLUMNS + ")",
    "mysql": "CREATE TABLE payments (id BIGINT AUTO_INCREMENT PRIMARY KEY, vendor TEXT, "
    + COLUMNS
    + ") ENGINE=InnoDB",
}
AMOUNT = {"sqlite": "TEXT", "postgresql": "NUMERIC(38, 9)", "mysql": "DECIMAL(38, 9)"}

Query = Callable[..., list[tuple[Any, ...]]]


@dataclass
class DatabaseBooks:
    """Implements `Books`."""

    dialect: Dialect
    address: Address
    query: Query
    wire: CutWire | None = None
    read: str = READ
    insert: str = INSERT
    find: str = FIND
    overlap: float = 0.0
    takes = True
    reads = True

    def __post_init__(self) -> None:
        self._changes = itertools.count(1)

    def open(
        self, elapsed: Callable[[], float] = real_seconds, database: Callable[[], Database] | None = None
    ) -> AbstractAsyncContextManager[Ledger]:
        # `key` is a word of MySQL's own.
        read = self.read.replace("AS key", "AS `key`") if self.dialect == "mysql" else self.read
        texts = {"read": read, "insert": self.insert, "find": self.find}
        statements = {name: parse(text, self.dialect) for name, text in texts.items()}
        given = {"start": "0", "timeout": self.address.timeout, "overlap": self.overlap, "secrets": (PASSWORD,)}
        books = SqlStatements("books", **given, **statements)
        database = database or partial(open_database, self.dialect, self.address)
        return SqlLedger(books, database, RowReader(secrets=(PASSWORD,)), elapsed)

    async def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        mark = "?" if self.dialect == "sqlite" else "%s"
        return await anyio.to_thread.run_sync(lambda: self.query(sql.replace("?", mark), values))

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31), currency: str = "EUR") -> str:
        await self.ask(
            "INSERT INTO payments (bill, amount, currency, paid_on, changed) VALUES (?, ?, ?, ?, ?)",
            invoice, f"{amount:f}", currency, day.isoformat(), next(self._changes),
        )  # fmt: skip
        return str((await self.ask("SELECT max(id) FROM payments"))[0][0])

    async def change(self, key: str, amount: Decimal) -> None:
        await self.ask(
            "UPDATE payments SET amount = ?, changed = ? WHERE id = ?", f"{amount:f}", next(self._changes), key
        )

    async def spoil(self) -> None:
        await self.pay("901", Decimal(1), currency="EURO")

    async def created(self) -> list[Created]:
        rows = await self.ask("SELECT precoro_key, amount, paid_on FROM payments WHERE precoro_key IS NOT NULL")
        return [(key, Decimal(amount), date.fromisoformat(str(day))) for key, amount, day in rows]

    async def lose_next_answer(self) -> None:
        assert self.wire
        self.wire.cut_at = b"COMMIT"

    async def vanish(self) -> None:
        if self.dialect == "sqlite":
            await anyio.Path(self.address.database).rename(f"{self.address.database}.away")
        else:
            self.address = Address(**(_fields(self.address) | {"port": 1}))


def _fields(address: Address) -> dict[str, Any]:
    return {name: getattr(address, name) for name in Address.__slots__}


def table(dialect: str, *, unique: bool) -> str:
    return TABLES[dialect].format(amount=AMOUNT[dialect], unique="UNIQUE" if unique else "")


@asynccontextmanager
async def sqlite_books(directory: Path, *, unique: bool = True) -> AsyncIterator[Books]:
    path = directory / "books.db"

    def query(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    query(table("sqlite", unique=unique))
    yield DatabaseBooks("sqlite", Address(str(path), timeout=3.0), query)


@asynccontextmanager
async def postgres_books(socket_directory: str, *, unique: bool = True) -> AsyncIterator[Books]:
    def query(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return postgres_query(socket_directory, "postgres", sql, values)

    query("DROP TABLE IF EXISTS payments")
    query(table("postgresql", unique=unique))
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(cut_wire(Path(socket_directory) / ".s.PGSQL.5432"))
        address = Address("postgres", "127.0.0.1", wire.port, "postgres", PASSWORD, verify=False, timeout=3.0)
        yield DatabaseBooks("postgresql", address, query, wire)


@asynccontextmanager
async def mysql_books(socket_path: str, *, unique: bool = True) -> AsyncIterator[Books]:
    def query(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return mysql_query(socket_path, "books", sql, values)

    mysql_query(socket_path, None, "CREATE DATABASE IF NOT EXISTS books")
    mysql_query(socket_path, None, f"CREATE USER IF NOT EXISTS daemon@localhost IDENTIFIED BY '{PASSWORD}'")
    mysql_query(socket_path, None, "GRANT ALL ON books.* TO daemon@localhost")
    query("DROP TABLE IF EXISTS payments")
    query(table("mysql", unique=unique))
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(cut_wire(Path(socket_path)))
        address = Address("books", "127.0.0.1", wire.port, "daemon", PASSWORD, verify=False, timeout=3.0)
        yield DatabaseBooks("mysql", address, query, wire)
