"""tables in a PostgreSQL database, with their position beside them"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from precoro_daemon.adapters.databases.database import Fault
from precoro_daemon.adapters.databases.postgres import PostgresDatabase
from precoro_daemon.adapters.exports.readable import plain_date, plain_number, plain_time
from precoro_daemon.adapters.host.threads import run_to_end
from precoro_daemon.errors import DaemonError, PermanentError, TemporaryError
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.exports.ports.warehouse import TableChange
from precoro_daemon.exports.rules.standings import Standing

T = TypeVar("T")

_STANDINGS = "_exports"
"""The table of positions, in the schema of the exported tables."""

_TABLE_COMMENT = "filled by precoro-daemon, export {}"
"""The comment that marks our tables. Tables without it are never written to."""

_TYPES = {
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
    "json": "json",
}
_READ_AS: dict[str, Callable[[Any], Any]] = {
    "integer": lambda value: value,
    "boolean": lambda value: value,
    "decimal": plain_number,
    "date": plain_date,
    "timestamp": plain_time,
    "json": lambda value: None if value is None else value.decode(),
}


@dataclass(frozen=True, slots=True)
class Named:
    """export   its name
    schema   the schema of its tables
    company  the company's hash
    """

    export: str
    schema: str
    company: str


class PostgresTables:
    """Implements `exports.ports.Warehouse` on one connection, on one thread."""

    def __init__(self, database: PostgresDatabase, executor: ThreadPoolExecutor, named: Named) -> None:
        self._database = database
        self._executor = executor
        self._named = named
        self._connection: psycopg.Connection[Any] | None = None

    async def connect(self) -> None:
        await self._run(self._connect)

    async def try_out(self, tables: Sequence[Table]) -> None:
        """Checks, instead of `connect`, that these tables could be created and written.

        Every statement is rolled back; no row is read, locked or written.
        """
        await self._run(self._try_out, tables)

    async def close(self) -> None:
        await run_to_end(self._executor, self._close)

    @property
    def is_encrypted(self) -> bool:
        return self._connection is not None and self._connection.pgconn.ssl_in_use

    async def standing(self) -> Standing | None:
        return await self._run(self._read_standing)

    async def holds(self, tables: Sequence[Table]) -> bool:
        def work() -> bool:
            return all(self._columns(table).issuperset(one.name for one in table.columns) for table in tables)

        return await self._run(work)

    async def fill(
        self,
        standing: Standing,
        tables: Sequence[Table],
        rows: Callable[[Table], AsyncIterator[Sequence[Cells]]],
        *,
        before: Standing | None,
    ) -> int:
        written = 0
        async with self._transaction(standing, before):
            for table in tables:
                await self._run(self._empty, table)
                async for some in rows(table):
                    await self._run(self._copy, table, some)
                    written += len(some)
        return written

    async def apply(self, standing: Standing, changes: AsyncIterator[TableChange], *, before: Standing) -> int:
        written = 0
        async with self._transaction(standing, before):
            async for change in changes:
                await self._run(self._replace, change)
                written += len(change.records)
        return written

    @asynccontextmanager
    async def _transaction(self, standing: Standing, before: Standing | None) -> AsyncIterator[None]:
        await self._run(self._begin, before)
        try:
            yield
            await self._run(self._commit, standing)
        except BaseException:
            await run_to_end(self._executor, self._roll_back)
            raise

    async def _run(self, work: Callable[..., T], *given: Any) -> T:
        def explained() -> T:
            with self._explained():
                return work(*given)

        return await run_to_end(self._executor, explained)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            fault = self._database.meaning(error)
            kind = TemporaryError if fault in (Fault.AWAY, Fault.BUSY) else PermanentError
            raise self._failure(kind, str(error).strip().splitlines()[0]) from None

    def _failure(self, kind: type[DaemonError], text: str) -> DaemonError:
        return kind(f"the database {self._database.address.database} (schema {self._named.schema}): {text}")

    def _connect(self) -> None:
        self._connection = self._database.open_plain()
        self._execute("SET TimeZone TO 'UTC'")
        self._make_room()

    def _try_out(self, tables: Sequence[Table]) -> None:
        self._connection = self._database.open_plain()
        self._execute("BEGIN")
        try:
            patience = sql.Literal(int(self._database.address.timeout * 1000))  # an export may be making them now
            self._execute(sql.SQL("SET LOCAL lock_timeout = {}").format(patience))
            self._make_room()
            self._read_standing()
            self._try_writing(_STANDINGS)
            for table in tables:
                if there := self._columns(table):
                    self._refuse_others(table)
                    self._refuse_narrow(table, there)
                    self._try_writing(table.name)
                else:
                    self._make(table)
        finally:
            self._roll_back()

    def _try_writing(self, name: str) -> None:
        """Runs statements that touch no row: PostgreSQL checks the privileges first."""
        table = sql.Identifier(self._named.schema, name)
        self._execute(sql.SQL("DELETE FROM {} WHERE false").format(table))
        self._execute(sql.SQL("INSERT INTO {0} SELECT * FROM {0} WHERE false").format(table))

    def _make_room(self) -> None:
        """Creates the schema and the table of positions."""
        space = sql.Identifier(self._named.schema)
        if not self._value("SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", self._named.schema):
            self._execute(sql.SQL("CREATE SCHEMA {}").format(space))
        make = "CREATE TABLE IF NOT EXISTS {} (export text PRIMARY KEY, company text, position bigint, columns text)"
        self._execute(sql.SQL(make).format(sql.Identifier(self._named.schema, _STANDINGS)))

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()

    def _read_standing(self, *, lock: bool = False) -> Standing | None:
        query = sql.SQL("SELECT company, position, columns FROM {} WHERE export = %s{}").format(
            sql.Identifier(self._named.schema, _STANDINGS), sql.SQL(" FOR UPDATE" if lock else "")
        )
        row = self._execute(query, (self._named.export,)).fetchone()
        if row is None:
            return None
        if row[0] != self._named.company:
            raise self._failure(PermanentError, "its tables are filled by another company; give each its own schema")
        return Standing(int(row[1]), str(row[2]))

    def _begin(self, before: Standing | None) -> None:
        self._execute("BEGIN")
        try:
            self._demand(before)
        except BaseException:
            self._roll_back()
            raise

    def _demand(self, before: Standing | None) -> None:
        if self._read_standing(lock=True) != before:
            raise self._failure(TemporaryError, "somebody else filled its tables meanwhile")

    def _commit(self, standing: Standing) -> None:
        write = sql.SQL(
            "INSERT INTO {} (export, company, position, columns) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (export) DO UPDATE SET position = excluded.position, columns = excluded.columns"
        ).format(sql.Identifier(self._named.schema, _STANDINGS))
        named = self._named
        self._execute(write, (named.export, named.company, standing.position, standing.schema))
        self._execute("COMMIT")

    def _roll_back(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")

    def _empty(self, table: Table) -> None:
        """Creates the table or its missing columns, and deletes its rows."""
        there = self._columns(table)
        if not there:
            self._make(table)
            return
        self._refuse_others(table)
        for column in table.columns:
            if column.name not in there:
                added = _definition(column.name, column.kind)
                self._execute(sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(self._table(table), added))
        self._execute(sql.SQL("DELETE FROM {}").format(self._table(table)))

    def _make(self, table: Table) -> None:
        columns = [_definition(column.name, column.kind) for column in table.columns]
        self._execute(sql.SQL("CREATE TABLE {} ({})").format(self._table(table), sql.SQL(", ").join(columns)))
        self._execute(_key_of(table, self._table(table)))
        comment = sql.Literal(_TABLE_COMMENT.format(self._named.export))
        self._execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(self._table(table), comment))

    def _refuse_others(self, table: Table) -> None:
        comment = self._value("SELECT obj_description(to_regclass(%s))", self._shown(table))
        if comment != _TABLE_COMMENT.format(self._named.export):
            raise self._failure(PermanentError, f"the table {table.name} is not of this export; nothing was written")

    def _refuse_narrow(self, table: Table, there: Collection[str]) -> None:
        """Raises PermanentError if the table lacks columns and is not ours to alter."""
        owned = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(%s)"
        if any(column.name not in there for column in table.columns) and not self._value(owned, self._shown(table)):
            raise self._failure(
                PermanentError, f"the table {table.name} lacks columns, and only its owner may add them"
            )

    def _columns(self, table: Table) -> set[str]:
        query = (
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
        )
        return {name for (name,) in self._execute(query, (self._shown(table),)).fetchall()}

    def _replace(self, change: TableChange) -> None:
        """Replaces the rows of these records."""
        table = change.table
        delete = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(self._table(table), sql.Identifier(table.key))
        for collection, some in groupby(sorted(change.records), key=lambda record: record[0]):
            ids = [id_ for _, id_ in some]
            if len(table.collections) > 1:
                self._execute(delete + sql.SQL(" AND collection = %s"), (ids, collection))
            else:
                self._execute(delete, (ids,))
        self._copy(table, chain.from_iterable(change.rows.values()))

    def _copy(self, table: Table, rows: Iterable[Cells]) -> None:
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(self._table(table), names)
        readable: list[Callable[[Any], Any]] = [_READ_AS.get(column.kind, _text) for column in table.columns]
        assert self._connection is not None, "it is connected first"
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            for cells in rows:
                copy.write_row([read(cell) for read, cell in zip(readable, cells, strict=True)])

    def _table(self, table: Table) -> sql.Identifier:
        return sql.Identifier(self._named.schema, table.name)

    def _shown(self, table: Table) -> str:
        return self._table(table).as_string(None)

    def _value(self, query: str, *values: object) -> Any:
        row = self._execute(query, values).fetchone()
        assert row is not None, "it gives one row"
        return row[0]

    def _execute(
        self, query: str | sql.SQL | sql.Composed, values: Sequence[object] | None = None
    ) -> psycopg.Cursor[Any]:
        assert self._connection is not None, "it is connected first"
        return self._connection.execute(query.encode() if isinstance(query, str) else query, values)


def _key_of(table: Table, name: sql.Identifier) -> sql.Composed:
    """Returns the statement that creates the index on a record's rows."""
    if table.unique:
        columns = sql.SQL(", ").join(map(sql.Identifier, table.unique))
        return sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(name, columns)
    return sql.SQL("CREATE INDEX ON {} ({})").format(name, sql.Identifier(table.key))


def _definition(name: str, kind: str) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_TYPES.get(kind, "text")))


def _text(value: Any) -> str | None:
    """Returns the text without U+0000, which PostgreSQL cannot store."""
    return None if value is None else str(value).replace("\0", "\ufffd")


@asynccontextmanager
async def open_tables(database: PostgresDatabase, named: Named) -> AsyncIterator[PostgresTables]:
    """Raises TemporaryError, PermanentError."""
    async with _closing_at_end(database, named) as tables:
        await tables.connect()
        yield tables


async def try_tables(database: PostgresDatabase, named: Named, tables: Sequence[Table]) -> bool:
    """Checks that an export could create and fill these tables, and returns whether the connection is encrypted.

    Leaves nothing behind. Raises TemporaryError, PermanentError.
    """
    async with _closing_at_end(database, named) as there:
        await there.try_out(tables)
        return there.is_encrypted


@asynccontextmanager
async def _closing_at_end(database: PostgresDatabase, named: Named) -> AsyncIterator[PostgresTables]:
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
    tables = PostgresTables(database, executor, named)
    try:
        yield tables
    finally:
        await tables.close()
        executor.shutdown(wait=False)
