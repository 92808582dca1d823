"""sessions and sequential transactions on connections of a pool"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

import psycopg

from precoro_daemon.adapters.host.threads import run_to_end
from precoro_daemon.adapters.state.joined_writes import JoinedWrites
from precoro_daemon.adapters.state.postgresql.failures import explained
from precoro_daemon.adapters.state.postgresql.fence import Fence
from precoro_daemon.adapters.state.postgresql.values import (
    POSTGRES_STATEMENTS,
    as_json,
    cells,
    row_factory,
    with_rows,
)
from precoro_daemon.adapters.state.session import Asked, Row, Session, Values

T = TypeVar("T")

READ_ONLY = "SET TRANSACTION READ ONLY"

_STREAMED = 1_000
"""Rows in one message: some megabytes of documents."""

_BATCH = 500
"""Statements sent in one message: a few hundred KB."""

_COMMIT = b"COMMIT"


class Result(NamedTuple):
    written: int
    rows: Sequence[Row]


class PostgresSession:
    """Implements `Session` on a connection, inside a transaction.

    Values are inserted into statements by the client (psycopg.ClientCursor). So the start of a transaction, its
    fence,
    queued writes, and the statement whose result is needed go to the server in one message. Nothing depends on the
    server's
    session, which may be behind a PgBouncer that assigns each transaction another one.
    """

    def __init__(self, connection: psycopg.Connection[Any], beginning: str = "") -> None:
        """`beginning` is sent with the first statement. Without it the transaction is the caller's, and nothing is
        queued.
        """
        self.connection = connection
        self.cursor = psycopg.ClientCursor(connection, row_factory=row_factory)
        self._beginning = beginning.encode()
        self._put: list[bytes] = []
        self._waits = bool(beginning)

    def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        return self.send(self._text(statement, values))[0].rows

    def row(self, statement: str, values: Values = ()) -> Row | None:
        found = self.rows(statement, values)
        return found[0] if found else None

    def value(self, statement: str, values: Values = ()) -> Any:
        return self.rows(statement, values)[0][0]

    def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        return [one.rows for one in self.send(*self.texts(asked))]

    def run(self, statement: str, values: Values = ()) -> int:
        return self.send(self._text(statement, values))[0].written

    def run_many(self, statement: str, rows: Iterable[Values]) -> int:
        count = 0
        for batch in self._batches(statement, rows):
            count += sum(result.written for result in self.send(*batch))
        return count

    def put(self, statement: str, values: Values = ()) -> None:
        self._put.append(self._text(statement, values))
        self._let_wait()

    def put_many(self, statement: str, rows: Iterable[Values]) -> None:
        for batch in self._batches(statement, rows):
            self._put += batch
            self._let_wait()

    def flush(self) -> None:
        if self._put:
            self.send()

    def _let_wait(self) -> None:
        if not self._waits or len(self._put) >= _BATCH:
            self.send()

    def alone(self, *asked: Asked) -> Sequence[Result]:
        """Sends the only statements of the transaction, which ends in the same message."""
        return self.send(*self.texts(asked), _COMMIT)[:-1]

    def send(self, *texts: bytes) -> Sequence[Result]:
        """Sends the beginning, the queued statements and these, and returns the results of these."""
        parts, self._put = (*self._put, *texts), []
        beginning = self.take_beginning()
        self.cursor.execute(b"; ".join((beginning, *parts) if beginning else parts))
        return [self._result(count - len(texts)) for count in range(len(texts))]

    def take_beginning(self) -> bytes:
        """Returns the beginning, for a caller that sends it with another statement."""
        beginning, self._beginning = self._beginning, b""
        return beginning

    def end(self) -> None:
        """Commits, unless the transaction was never begun."""
        if self._put or not self._beginning:
            self.send(_COMMIT)

    def _result(self, place: int) -> Result:
        self.cursor.set_result(place)
        assert self.cursor.pgresult is not None, "it was sent"
        rows = self.cursor.fetchall() if self.cursor.pgresult.nfields else ()
        return Result(self.cursor.rowcount, rows)

    def texts(self, asked: Iterable[Asked]) -> Sequence[bytes]:
        return [self._text(statement, values) for statement, values in asked]

    def _text(self, statement: str, values: Values) -> bytes:
        return self.cursor.mogrify(POSTGRES_STATEMENTS[statement].encode(), cells(statement, values)).encode()

    def _batches(self, statement: str, rows: Iterable[Values]) -> Iterator[Sequence[bytes]]:
        if (many := f"many.{statement}") in POSTGRES_STATEMENTS:
            if given := list(rows):
                yield [with_rows(POSTGRES_STATEMENTS[many], as_json(statement, given))]
            return
        remaining = iter(rows)
        while batch := [self._text(statement, row) for row in islice(remaining, _BATCH)]:
            yield batch


class StreamedRows:
    """Implements `view_rows.Rows` inside a transaction: the server keeps the unread rows."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def named(self, statement: str, values: Mapping[str, Any]) -> Iterable[Row]:
        text = psycopg.ClientCursor(self._connection).mogrify(
            POSTGRES_STATEMENTS[statement].encode(), cells(statement, values)
        )
        return self.written(text)

    def written(self, text: str) -> Iterable[Row]:
        with psycopg.ServerCursor(self._connection, "export", row_factory=row_factory) as cursor:
            cursor.itersize = _STREAMED
            yield from cursor.execute(text.encode())


class Connections(Protocol):
    """A pool."""

    def getconn(self) -> psycopg.Connection[Any]: ...

    def putconn(self, conn: psycopg.Connection[Any]) -> None: ...


class Holding(Protocol):
    """Keeps a state for the process that opened it."""

    def demand(self) -> None:
        """Raises StoreUnavailable if the state is known to be lost."""
        ...

    @property
    def guard(self) -> str:
        """Returns statements that make a writing transaction fail once another process holds the state."""
        ...


class PostgresTransactions:
    """Implements `Transactions` on one thread.

    If the answer to a COMMIT is lost, the outcome is unknown and StoreUnavailable is raised. Nothing that the
    transaction
    permits (`then`) is done, and the state is read again before anything else.
    """

    def __init__(
        self,
        executor: Executor,
        connections: Connections,
        where: str,
        beginning: str,
        *,
        holding: Holding | None = None,
        fence: Fence | None = None,
    ) -> None:
        """`beginning`: the statements that start a transaction."""
        self._executor = executor
        self._connections = connections
        self._where = where
        self._beginning = beginning
        self._holding = holding
        self._fence = fence
        self.session: PostgresSession | None = None
        self._joined = JoinedWrites(lambda work: run_to_end(executor, lambda: self._write(work, None)))

    async def write(
        self, work: Callable[[Session], T], *, then: Callable[[T], None] | None = None, patience: float = 0.0
    ) -> T:
        if then is not None:
            return await run_to_end(self._executor, lambda: self._write(work, then))
        return await self._joined.write(work, patience)

    async def read(self, work: Callable[[Session], T]) -> T:
        return await run_to_end(self._executor, lambda: self._read(work))

    async def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        [rows] = await self.each((statement, values))
        return rows

    async def row(self, statement: str, values: Values = ()) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def value(self, statement: str, values: Values = ()) -> Any:
        return (await self.rows(statement, values))[0][0]

    async def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        return await run_to_end(self._executor, lambda: self._read_alone(asked))

    async def run(self, statement: str, values: Values = ()) -> int:
        return await run_to_end(self._executor, lambda: self._run_alone(statement, values))

    async def run_many(self, statement: str, rows: Sequence[Values]) -> int:
        return await self.write(lambda session: session.run_many(statement, rows))

    def _read(self, work: Callable[[Session], T]) -> T:
        with self._opened(self._reading) as session:
            result = work(session)
            session.end()
            return result

    def _read_alone(self, asked: Sequence[Asked]) -> Sequence[Sequence[Row]]:
        with self._opened(self._reading) as session:
            return [one.rows for one in session.alone(*asked)]

    @property
    def _reading(self) -> str:
        return f"{self._beginning}; {READ_ONLY}"

    def _write(self, work: Callable[[Session], T], then: Callable[[T], None] | None) -> T:
        with self._opened(self._guarded()) as session:
            self._check(session, permit=then is not None)
            result = work(session)
            session.end()
        if then:
            then(result)
        return result

    def _run_alone(self, statement: str, values: Values) -> int:
        with self._opened(self._guarded()) as session:
            self._check(session, permit=False)
            [result] = session.alone((statement, values))
            return result.written

    def _guarded(self) -> str:
        if self._holding is None:
            return self._beginning
        self._holding.demand()
        return f"{self._beginning}; {self._holding.guard}"

    def _check(self, session: PostgresSession, *, permit: bool) -> None:
        if self._fence is None:
            return
        check = self._fence.check_permit if permit else self._fence.check
        check(session.cursor, session.take_beginning())

    @contextmanager
    def _opened(self, beginning: str) -> Iterator[PostgresSession]:
        with explained(self._where):
            connection = self._connections.getconn()
            try:
                self.session = PostgresSession(connection, beginning)
                yield self.session
            except BaseException:
                _take_back(connection)
                raise
            finally:
                self.session = None
                self._connections.putconn(connection)


def _take_back(connection: psycopg.Connection[Any]) -> None:
    """Rolls back, or closes the connection if it cannot, which makes the server roll back."""
    try:
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()
