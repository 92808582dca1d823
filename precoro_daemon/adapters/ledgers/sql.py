"""the sql ledger: payments in a database, by the statements of the configuration"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio

from precoro_daemon.adapters.databases.database import Connection, Database, Fault, OddValue, Stream
from precoro_daemon.adapters.databases.thread import OneThread
from precoro_daemon.adapters.ledgers.cells import CellError, read_amount, read_currency, read_day, read_name
from precoro_daemon.adapters.ledgers.positions import Positions, position_text, reach_back
from precoro_daemon.adapters.ledgers.rows import PAYMENT_COLUMNS, ROWS_A_BATCH, RowReader
from precoro_daemon.adapters.ledgers.sql_rows import Order, check_columns, odd_position
from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    LedgerMisfit,
    PermanentError,
    SeveralFound,
    TemporaryError,
)
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.entries import named
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, UnreadableRow
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.telemetry import excerpt
from precoro_daemon.values.sql_statements import Statement
from precoro_daemon.writes.permit import PERMIT_GOOD_FOR_S, Permit, TimedPermit
from precoro_daemon.writes.sending import real_seconds

T = TypeVar("T")

_CUT_GRACE_S = 2.0
"""Seconds after a statement's own time limit until its connection is cut."""


@dataclass(frozen=True, slots=True)
class SqlStatements:
    """The statements for the database, and the ledger's name.

    start  the position before the first row
    """

    name: str
    read: Statement | None
    insert: Statement | None
    find: Statement | None
    start: str
    timeout: float
    overlap: float = 0.0
    secrets: Sequence[str] = ()


_MADE_UP = Entry(
    key="00000000-0000-0000-0000-000000000000",
    amount=Decimal("0.01"),
    currency="EUR",
    paid_on=date(2000, 1, 1),
    payment_id=0,
    invoice_id=0,
    invoice_idn="0",
    invoice_number="0",
    invoice_external_id="0",
    supplier_id=0,
    supplier_name="0",
)


class SqlLedger:
    """Implements `Ledger` on one connection and one thread. Connects at the first call.

    A payment is recorded exactly once, whatever the table's definition. One transaction searches for the key and
    inserts the row, and the database lets no two of these transactions overlap (SERIALIZABLE; SQLite: IMMEDIATE).
    If the answer to the commit is lost, the next create finds the row, or waits for the transaction that is still
    running. A unique column for the key is a second safeguard: it also works against programs that do not search
    first, and in tables without transactions (MyISAM).
    """

    def __init__(
        self,
        statements: SqlStatements,
        open_database: Callable[[], Database],
        reader: RowReader,
        elapsed: Callable[[], float] = real_seconds,
    ) -> None:
        self._given = statements
        self._open_database = open_database
        self._opened: Database | None = None
        self._reader = reader
        self._stack = AsyncExitStack()
        self._connection: Connection | None = None
        self._active: Connection | None = None
        self._elapsed = elapsed

    async def __aenter__(self) -> Self:
        self._thread = await self._stack.enter_async_context(
            OneThread("ledger", self._sever, self._given.timeout + _CUT_GRACE_S)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._thread.run(self._forget)
        await self._stack.aclose()

    @property
    def _database(self) -> Database:
        """The database, opened by the first call, on its thread. If a driver is missing, each call tries again."""
        if self._opened is None:
            try:
                self._opened = self._open_database()
            except (ImportError, OSError) as error:
                said = f"ledger {self.name}: the driver of its database cannot be loaded: {error}"
                raise LedgerMisfit(f"{said}; install precoro-daemon anew, or that driver") from None
        return self._opened

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        return self._opened.errors if self._opened else ()

    @property
    def name(self) -> str:
        return self._given.name

    @property
    def capabilities(self) -> Capabilities:
        given = self._given
        return Capabilities(
            reads=given.read is not None,
            create="idempotent" if given.insert else "none",
            lookup="key" if given.find else "none",
        )

    @asynccontextmanager
    async def recorded(self, position: str | None) -> AsyncIterator[AsyncIterator[LedgerBatch]]:
        """Reads on a separate read-only connection, so that no query of the configuration can change the ledger."""
        start = self._given.start if position is None else position
        asked = start if position is None else reach_back(start, self._given.overlap)
        opened: list[Connection] = []
        try:
            stream = await self._thread.run(lambda: self._open(asked, opened))
            async with aclosing(self._batches(stream, opened[0], start)) as batches:
                yield batches
        finally:
            with anyio.CancelScope(shield=True):
                await self._thread.run(lambda: _close(opened))

    def _open(self, start: str, opened: list[Connection]) -> Stream:
        assert self._given.read
        self._active = None
        with_position = {"position": start}
        try:
            opened.append(self._database.connect(read_only=True))
            self._active = opened[0]
            stream = opened[0].stream(self._given.read, with_position)
        except self._errors as error:
            raise self._explain(error, "read") from None
        check_columns(stream.columns)
        return stream

    async def _batches(self, stream: Stream, connection: Connection, start: str) -> AsyncGenerator[LedgerBatch, None]:
        positions = Positions(start)
        order = Order(text_too=self._database.orders_text_by_code)
        columns = [column.lower() for column in stream.columns]
        while rows := await self._thread.run(lambda: self._fetch(stream, connection)):
            payments: list[LedgerPayment] = []
            unreadable: list[UnreadableRow] = []
            for values in rows:
                row = dict(zip(columns, values, strict=True))
                if isinstance(row["position"], OddValue):
                    unreadable.append(self._reader.refuse(*odd_position(row)))
                    continue
                order.check(row["position"])
                positions.follow(position_text(row["position"]))
                cells = {name: row[name] for name in PAYMENT_COLUMNS if name in row}
                read = self._reader.read(cells, f"position {row['position']}")
                if isinstance(read, UnreadableRow):
                    unreadable.append(read)
                else:
                    payments.append(read)
                    unreadable = [earlier for earlier in unreadable if earlier.key != read.key]  # corrected since
            yield LedgerBatch(payments, unreadable, positions.safe)

    def _fetch(self, stream: Stream, connection: Connection) -> Sequence[Sequence[Any]]:
        self._active = connection
        try:
            return stream.fetch(ROWS_A_BATCH)
        except self._errors as error:
            raise self._explain(error, "read") from None

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        timed = TimedPermit(permit, self._elapsed)
        # Connecting, or reconnecting after an idle time, may take longer than a permit is valid.
        await self._thread.run(lambda: self._reading("insert", lambda _: None))
        await timed.obtain()
        return await self._thread.run(lambda: self._create(entry, timed))

    async def find(self, key: str) -> Receipt | None:
        return await self._thread.run(lambda: self._reading("find", lambda connection: self._find(connection, key)))

    async def bill(self, entry: Entry) -> Bill | None:
        raise NotImplementedError  # never called: the capabilities exclude it

    async def probe(self) -> Sequence[Probe]:
        insert = self._given.insert
        # EXPLAIN does not work for other statements, such as a procedure call.
        explainable = insert is not None and re.match(r"\s*(insert|with|replace)\b", insert.texts[0], re.IGNORECASE)
        return [await self._thread.run(self._explain_insert)] if explainable else []

    def _explain_insert(self) -> Probe:
        """Checks with EXPLAIN whether `insert` may run: EXPLAIN checks tables, columns and rights as the statement
        would, and executes nothing. Faults in the values are ignored, because the payment is made up.
        """
        assert self._given.insert
        what = "can record payments"
        explain = replace(
            self._given.insert, texts=(f"EXPLAIN {self._given.insert.texts[0]}", *self._given.insert.texts[1:])
        )
        try:
            self._begin().run(explain, self._values(_MADE_UP))
        except self._errors as error:
            fault = self._database.meaning(error)
            if fault is Fault.MISFIT:
                return Probe(what, f"{self._words(error)}; grant the right to insert, or mend `insert`")
            if fault in (Fault.AWAY, Fault.BUSY):
                raise self._explain(error, "insert") from None
        finally:
            self._undo()
        return Probe(what)

    def _create(self, entry: Entry, timed: TimedPermit) -> Receipt:
        try:
            connection = self._begin(timed)
            identity = self._find(connection, entry.key) or self._insert(connection, entry)
            self._refuse_late(timed)
        except self._errors as error:
            return self._settle(error, entry)
        except (ValueError, OverflowError) as error:
            # A text with half a surrogate pair, a number over 64 bits: the driver cannot write it.
            self._undo()
            raise PermanentError(f"ledger {self.name}: payment {entry.key} cannot be written: {error}") from None
        except Exception:
            self._undo()
            raise
        try:
            connection.commit()
        except self._errors as error:
            if self._database.meaning(error) in {Fault.AWAY, Fault.MISFIT}:
                self._forget()
                raise DoubtfulError(
                    f"the ledger may have payment {entry.key}: commit: {self._words(error)}"
                ) from None
            return self._settle(error, entry)
        return identity

    def _refuse_late(self, timed: TimedPermit) -> None:
        if not timed.lets_leave():
            said = f"the database took longer than the {PERMIT_GOOD_FOR_S:.0f} s for which a permit is good"
            raise TemporaryError(f"ledger {self.name}: insert: {said}; nothing was recorded")

    def _insert(self, connection: Connection, entry: Entry) -> Receipt:
        assert self._given.insert
        connection.run(self._given.insert, self._values(entry))
        identity = self._find(connection, entry.key)
        if identity is None:
            raise LedgerMisfit(
                f"ledger {self.name}: `insert` ran, but `find` does not see the key {entry.key} that it should have"
                " written; nothing was recorded"
            )
        return identity

    def _values(self, entry: Entry) -> dict[str, Any]:
        assert self._given.insert
        wanted = set(self._given.insert.names)
        return {name: value for name, value in named(asdict(entry)).items() if name in wanted}

    def _settle(self, error: Exception, entry: Entry) -> Receipt:
        """Handles a transaction that failed before its end and left nothing in the ledger. Returns the payment if it
        was already there; raises the error otherwise.
        """
        self._undo()
        if self._database.meaning(error) is not Fault.THERE:
            raise self._explain(error, "insert") from None
        identity = self._reading("find", lambda connection: self._find(connection, entry.key))
        if identity is None:
            raise PermanentError(f"ledger {self.name} refuses payment {entry.key}: {self._words(error)}") from None
        return identity

    def _find(self, connection: Connection, key: str) -> Receipt | None:
        assert self._given.find
        found = connection.run(self._given.find, {"key": key})
        if len(found) > 1:
            ids = [row[0] for row in found[:3]]
            raise SeveralFound(f"ledger {self.name} has {len(found)} payments under the key {key}: {ids}")
        try:
            return self._receipt(found[0]) if found else None
        except CellError as error:
            what = "`find` must give the payment's id, and may give its amount, currency and day"
            raise LedgerMisfit(f"ledger {self.name}: {what}; {error}") from None

    def _receipt(self, row: Sequence[Any]) -> Receipt:
        amount, currency, day, *_ = (*row[1:], None, None, None)
        return Receipt(
            read_name("find", row[0]),
            None if amount is None else read_amount(amount, self._reader.writing),
            read_currency(currency) or None,
            None if day is None else read_day(day, self._reader.writing),
        )

    def _reading(self, statement: str, work: Callable[[Connection], T]) -> T:
        try:
            return work(self._begin())
        except self._errors as error:
            raise self._explain(error, statement) from None
        finally:
            self._undo()

    def _begin(self, timed: TimedPermit | None = None) -> Connection:
        """Starts a transaction. With a permit, no statement waits for a lock longer than the permit is valid."""
        if self._connection:
            self._active = self._connection
            try:
                self._connection.begin(self._longest(timed))
            except self._errors as error:
                # Servers and firewalls drop idle connections; nothing was sent on this one yet.
                if self._database.meaning(error) is not Fault.AWAY:
                    raise
                self._forget()
            else:
                return self._connection
        self._active = None
        self._connection = self._active = self._database.connect(read_only=False)
        self._connection.begin(self._longest(timed))
        return self._connection

    def _longest(self, timed: TimedPermit | None) -> float:
        if timed is None:
            return self._given.timeout
        self._refuse_late(timed)
        return min(timed.left, self._given.timeout)

    def _undo(self) -> None:
        try:
            if self._connection:
                self._connection.rollback()
        except self._errors:
            self._forget()

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _sever(self) -> None:
        if active := self._active:
            active.sever()

    def _explain(self, error: Exception, statement: str) -> DaemonError:
        text = f"ledger {self.name}: {statement}: {self._words(error)}"
        match self._database.meaning(error):
            case Fault.AWAY:
                return TemporaryError(f"{text}; the database cannot be reached, or the connection was lost")
            case Fault.BUSY:
                return TemporaryError(f"{text}; the database is busy")
            case Fault.THERE | Fault.REFUSED:
                return PermanentError(text)
        return LedgerMisfit(f"{text}; the configuration and the database do not fit")

    def _words(self, error: Exception) -> str:
        return excerpt(str(error), self._given.secrets) or type(error).__name__


def _close(connections: Sequence[Connection]) -> None:
    for connection in connections:
        connection.close()
