"""The sql ledger where books and configuration are not what they should be."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precoro_daemon.adapters.databases.database import Address, Database, open_database
from precoro_daemon.adapters.databases.postgres import PostgresDatabase
from precoro_daemon.adapters.databases.thread import OneThread
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.adapters.ledgers.sql import SqlLedger, SqlStatements
from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.values.sql_statements import parse
from tests.contracts.ledgers.books import entry, found, permitted, read_all
from tests.contracts.ledgers.databases import INSERT, DatabaseBooks, postgres_books, sqlite_books

pytestmark = pytest.mark.asyncio

ADD = "INSERT INTO payments (bill, amount, currency, paid_on, changed) VALUES (?, ?, ?, ?, ?)"
ROW = "id AS key, bill AS invoice, amount, currency, paid_on, changed AS position"


@asynccontextmanager
async def lite(directory: Path, **changed: str) -> AsyncIterator[DatabaseBooks]:
    async with sqlite_books(directory) as books:
        assert isinstance(books, DatabaseBooks)
        for name, value in changed.items():
            setattr(books, name, value)
        yield books


async def reason(books: DatabaseBooks, kind: type[Exception] = LedgerMisfit) -> str:
    async with books.open() as ledger:
        with pytest.raises(kind) as refusal:
            await read_all(ledger)
    return str(refusal.value)


async def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path):
    async with lite(
        tmp_path, read="SELECT id AS key, bill, amount, paid_on, :position AS position FROM payments"
    ) as books:
        await books.pay("901", Decimal(1))
        assert await reason(books) == (
            "read: the query gives no invoice; it gives key, bill, amount, paid_on, position, and needs key, invoice,"
            " amount, paid_on, position, and may have currency, supplier, supplier_id, ours"
        )


async def test_a_driver_that_is_missing_fails_the_call_and_not_the_ledger(tmp_path: Path):
    async with lite(tmp_path) as books:
        await books.pay("901", Decimal(1))
        tried: list[str] = []

        def load() -> Database:
            tried.append("")
            if len(tried) < 3:
                raise ModuleNotFoundError("No module named 'driver'")
            return open_database("sqlite", books.address)

        statements = SqlStatements("books", parse(books.read, "sqlite"), None, None, start="0", timeout=3.0)
        async with SqlLedger(statements, load, RowReader()) as ledger:
            for _ in range(2):
                with pytest.raises(LedgerMisfit, match="driver of its database cannot be loaded: No module named"):
                    await read_all(ledger)
            assert [one.invoice for one in (await read_all(ledger)).payments] == ["901"]
        assert len(tried) == 3, "it is loaded once"


async def test_a_float_in_the_books_is_put_aside_with_the_remedy(tmp_path: Path):
    query = f"SELECT {ROW} FROM payments WHERE changed > :position ORDER BY changed"
    async with lite(tmp_path, read=query.replace("amount", "CAST(amount AS REAL) AS amount")) as books:
        await books.pay("901", Decimal("0.10"))
        async with books.open() as ledger:
            found = await read_all(ledger)
    assert found.payments == []
    assert "0.1 comes as a binary float" in found.unreadable[0].reason


async def test_rows_that_come_in_the_wrong_order(tmp_path: Path):
    async with lite(
        tmp_path, read=f"SELECT {ROW} FROM payments WHERE changed > :position ORDER BY -changed"
    ) as books:
        await books.pay("901", Decimal(1))
        await books.pay("901", Decimal(2))
        assert await reason(books) == "read: position 1 comes after 2; end the query with ORDER BY position"


@pytest.mark.parametrize("position", ["NULL", "1.5", "''"])
async def test_positions_nothing_can_go_on_from(tmp_path: Path, position: str):
    query = f"SELECT {ROW.replace('changed', position)} FROM payments WHERE :position = :position"
    async with lite(tmp_path, read=query) as books:
        await books.pay("901", Decimal(1))
        assert (await reason(books)).startswith("position: ")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"read": "SELECT * FROM no_such_table WHERE :position"}, "no such table: no_such_table"),
        ({"read": f"SELECT {ROW}, nix FROM payments WHERE :position"}, "no such column: nix"),
        ({"read": "SELECT FROM :position"}, "syntax error"),
        ({"read": "DELETE FROM payments WHERE changed = :position"}, "readonly"),
    ],
)
async def test_queries_that_do_not_fit(tmp_path: Path, changed: dict[str, str], told: str):
    async with lite(tmp_path, **changed) as books:
        text = await reason(books)
        assert told in text
        assert "the configuration and the database do not fit" in text


async def test_an_insert_that_find_does_not_see_leaves_nothing(tmp_path: Path):
    insert = "INSERT INTO payments (bill, precoro_key) VALUES (:key, 'another')"
    async with lite(tmp_path, insert=insert) as books, books.open() as ledger:
        with pytest.raises(LedgerMisfit, match="`find` does not see the key"):
            await ledger.create(entry(), permitted)
        assert await books.created() == []
        assert await ledger.find("another") is None


async def test_a_payment_the_books_refuse_stops_no_other(tmp_path: Path):
    async with lite(tmp_path) as books, books.open() as ledger:
        await books.ask("CREATE TRIGGER closed BEFORE INSERT ON payments WHEN NEW.bill = 'closed' BEGIN"
                        " SELECT RAISE(ABORT, 'that year is closed'); END")  # fmt: skip
        with pytest.raises(PermanentError, match="refuses payment k1: that year is closed"):
            await ledger.create(entry("k1", invoice_external_id="closed"), permitted)
        assert await ledger.create(entry("k2"), permitted)
        assert [key for key, _, _ in await books.created()] == ["k2"]


async def test_two_payments_under_one_key_are_not_taken_for_one(tmp_path: Path):
    async with sqlite_books(tmp_path, unique=False) as books, books.open() as ledger:
        assert isinstance(books, DatabaseBooks)
        await ledger.create(entry("k"), permitted)
        await books.ask("INSERT INTO payments (precoro_key) VALUES ('k')")
        with pytest.raises(PermanentError, match="2 payments under the key k"):
            await ledger.create(entry("k"), permitted)


async def test_a_locked_file_is_busy_and_nothing_was_written(tmp_path: Path):
    async with lite(tmp_path) as books, books.open() as ledger:
        books.address = Address(books.address.database, timeout=0.4)
        with closing(sqlite3.connect(books.address.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            async with books.open() as hasty:
                with pytest.raises(TemporaryError, match="locked"):
                    await hasty.create(entry(), permitted)
        assert await ledger.create(entry(), permitted)
        assert len(await books.created()) == 1


@dataclass
class Seconds:
    """Seconds that have passed, as real ones and as a test says."""

    said: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.said


def lock(books: DatabaseBooks, stack: ExitStack) -> None:
    """Another program works on the table, and takes its time."""
    if books.dialect == "sqlite":
        other = stack.enter_context(
            closing(sqlite3.connect(books.address.database, isolation_level=None, check_same_thread=False))
        )
        other.execute("BEGIN EXCLUSIVE")
    else:
        held = stack.enter_context(closing(PostgresDatabase(books.address).open_plain()))
        held.execute("BEGIN; LOCK TABLE payments")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_a_payment_waits_for_a_lock_no_longer_than_its_permit_is_good(
    tmp_path: Path, postgres: str, dialect: str
):
    """What was permitted may have been forbidden since: the kill switch, another worker."""
    opened = lite(tmp_path) if dialect == "sqlite" else postgres_books(postgres)
    async with opened as books:
        assert isinstance(books, DatabaseBooks)
        books.address, elapsed = replace(books.address, timeout=60.0), Seconds()
        with ExitStack() as stack:

            async def permit(_: str) -> None:
                await anyio.to_thread.run_sync(lock, books, stack)
                elapsed.said = 4.5

            async with books.open(elapsed) as ledger:
                began = time.monotonic()
                with pytest.raises(TemporaryError):
                    await ledger.create(entry(), permit)
                assert time.monotonic() - began < 20
                await anyio.to_thread.run_sync(stack.close)
                assert await books.created() == []
                assert await ledger.create(entry(), permitted)


@dataclass
class SlowDatabase:
    """A database whose every statement takes that many seconds."""

    inner: Database
    takes: float
    elapsed: Seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def connect(self, *, read_only: bool) -> Any:
        return SlowConnection(self, self.inner.connect(read_only=read_only))


@dataclass
class SlowConnection:
    database: SlowDatabase
    inner: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def run(self, statement: Any, values: Any) -> Any:
        self.database.elapsed.said += self.database.takes
        return self.inner.run(statement, values)


@pytest.mark.parametrize("takes", [1.0, 2.0])
async def test_what_took_longer_than_its_permit_is_good_is_not_committed(tmp_path: Path, takes: float):
    """It searches, inserts and searches again."""
    async with lite(tmp_path) as books:
        elapsed = Seconds()
        slow = SlowDatabase(open_database("sqlite", books.address), takes, elapsed)
        async with books.open(elapsed, lambda: slow) as ledger:
            if takes > 5 / 3:
                with pytest.raises(TemporaryError, match="nothing was recorded"):
                    await ledger.create(entry(), permitted)
            else:
                assert await ledger.create(entry(), permitted)
        assert len(await books.created()) == (takes < 5 / 3)


async def test_rows_of_one_position_are_all_read_wherever_the_reading_stops(tmp_path: Path):
    """1,200 rows of one moment come in three pieces, and more of that moment later."""
    async with lite(tmp_path) as books, books.open() as ledger:
        many = [("901", "1", "EUR", "2026-01-31", 5 if number else 4) for number in range(1200)]
        with closing(sqlite3.connect(books.address.database)) as connection, connection:
            connection.executemany(ADD, many)
        first = await read_all(ledger, stop_after=2)
        rest = await read_all(ledger, first.position)
        assert len(first.amounts | rest.amounts) == 1200
        await books.ask(
            "INSERT INTO payments (bill, amount, currency, paid_on, changed) VALUES (?, ?, ?, ?, ?)", *many[1]
        )
        assert "1201" in (await read_all(ledger, rest.position)).amounts


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 4), min_size=1, max_size=12).map(sorted), st.integers(0, 13), st.booleans())
async def test_wherever_reading_goes_on_nothing_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, positions: list[int], cut: int, at_or_after: bool
):
    """With > as with >=, whatever the ties, if rows are added behind the ones that were read."""
    query = f"SELECT {ROW} FROM payments WHERE changed {'>=' if at_or_after else '>'} :position ORDER BY changed"
    async with lite(tmp_path_factory.mktemp("ties"), read=query) as books, books.open() as ledger:
        for position in positions[:cut]:
            await books.ask(ADD, "9", "1", "EUR", "2026-01-31", position)
        first = await read_all(ledger)
        for position in positions[cut:]:
            await books.ask(ADD, "9", "1", "EUR", "2026-01-31", position)
        second = await read_all(ledger, first.position)
        assert len(first.amounts | second.amounts) == len(positions)


async def test_what_the_server_refuses(postgres: str):
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        where = books.address
        books.address = Address("nowhere", where.host, where.port, "postgres", "x", verify=False, timeout=2.0)
        assert 'database "nowhere" does not exist' in await reason(books)
        books.address = where
        books.insert = "INSERT INTO payments (bill, precoro_key, amount) VALUES (:key, :key, 'much')"
        async with books.open() as ledger:
            with pytest.raises(PermanentError, match="invalid input syntax for type numeric"):
                await ledger.create(entry(), permitted)
            assert await ledger.find(entry().key) is None


async def test_a_database_that_must_prove_itself_and_cannot(postgres: str):
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        where = books.address
        books.address = Address("postgres", where.host, where.port, "postgres", "x", verify=True, timeout=2.0)
        async with books.open() as ledger:
            with pytest.raises((LedgerMisfit, TemporaryError), match=r"SSL|certificate"):
                await ledger.find("k")


@pytest.mark.parametrize("moment", ["connected", "asked"])
async def test_a_silent_server_is_left_after_the_deadline(postgres: str, moment: str):
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        assert books.wire
        where = books.address
        books.address = Address("postgres", where.host, where.port, "postgres", "x", verify=False, timeout=0.3)
        async with books.open() as ledger:
            if moment == "asked":
                await ledger.find("k")
            books.wire.silent = True
            began = time.monotonic()
            with pytest.raises((TemporaryError, DoubtfulError)):
                await ledger.create(entry(), permitted)
            assert time.monotonic() - began < 15
            books.wire.silent = False
            assert await ledger.create(entry(), permitted)
        assert len(await books.created()) == 1


async def test_a_connection_that_was_dropped_while_idle_is_made_anew(postgres: str):
    async with postgres_books(postgres) as books, books.open() as ledger:
        assert isinstance(books, DatabaseBooks)
        await ledger.create(entry("k1"), permitted)
        await books.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'precoro-daemon'"
        )
        assert await ledger.create(entry("k2"), permitted)


async def test_positions_and_amounts_of_real_types(postgres: str):
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        await books.ask(
            "CREATE TABLE IF NOT EXISTS typed (id uuid DEFAULT gen_random_uuid(), at timestamptz, v numeric)"
        )
        await books.ask("DELETE FROM typed")
        await books.ask("INSERT INTO typed (at, v) VALUES ('2026-01-01 10:00:00.123456+02', 0.30), ('2026-02-01', 1)")
        books.read = (
            "SELECT id AS key, 'i' AS invoice, v AS amount, at AS paid_on, at AS position FROM typed"
            " WHERE at > coalesce(nullif(:position, '0'), '1970-01-01')::timestamptz ORDER BY at"
        )
        async with books.open() as ledger:
            whole = await read_all(ledger)
            assert [str(payment.amount) for payment in whole.payments] == ["0.30", "1"]
            assert whole.position is not None
            assert len((await read_all(ledger, whole.position)).payments) == 1


async def test_a_thread_that_is_cancelled_is_severed_and_waited_for():
    ours, theirs = socket.socketpair()
    ended: list[str] = []

    def work() -> None:
        with contextlib.closing(ours):
            ours.recv(1)
            ended.append("severed")

    async with OneThread("t", theirs.close, 30.0) as thread:
        began = time.monotonic()
        with anyio.move_on_after(0.05):
            await thread.run(work)
        assert time.monotonic() - began < 25, "it does not wait out the deadline"
    assert ended == ["severed"]


async def test_a_thread_serves_one_after_the_other():
    running: list[int] = []

    def work(number: int) -> Callable[[], None]:
        def one() -> None:
            running.append(number)
            time.sleep(0.02)
            assert running[-1] == number

        return one

    async with OneThread("t", lambda: None, 30.0) as thread, anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(thread.run, work(number))
    assert sorted(running) == [0, 1, 2]


ODD = """
CREATE TABLE odd (id INT PRIMARY KEY, bill TEXT, amount NUMERIC, currency TEXT, paid_on DATE, changed TIMESTAMPTZ);
INSERT INTO odd VALUES
    (1, '16', 409.62, 'EUR', '2026-01-28', '2026-01-28 10:00+00'),
    (2, '10', 1851.34, 'EUR', '20226-01-28', '2026-01-28 11:00+00'),
    (3, '11', 12.00, 'EUR', 'infinity', '2026-01-28 11:00+00'),
    (4, '12', 12.00, 'EUR', '0044-03-15 BC', '2026-01-28 11:30+00'),
    (5, '13', 'NaN', 'EUR', '2026-01-28', '2026-01-28 11:40+00'),
    (6, '6', 506.87, 'EUR', '2026-01-28', '2026-01-28 12:00+00'),
    (7, '7', 1.00, 'EUR', '2026-01-28', 'infinity')"""


async def test_one_bad_value_costs_its_row_alone(postgres: str):
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        await books.ask("DROP TABLE IF EXISTS odd")
        for statement in ODD.split(";"):
            await books.ask(statement)
        books.read = (
            "SELECT id AS key, bill AS invoice, amount, currency, paid_on, changed AS position FROM odd"
            " WHERE changed > to_timestamp(0) + :position::text::interval ORDER BY changed"
        )
        async with books.open() as ledger:
            whole = await read_all(ledger)
    assert [payment.key for payment in whole.payments] == ["1", "6"]
    odd = {one.key: one.reason for one in whole.unreadable}
    assert set(odd) == {"2", "3", "4", "5", "7"}
    assert "20226-01-28" in odd["2"]
    assert "infinity" in odd["3"]
    assert "BC" in odd["4"]
    assert odd["7"] == "position: 'infinity' is no time to go on from"
    assert whole.position is not None
    assert "infinity" not in whole.position


async def test_a_session_runs_in_utc_and_keeps_nothing(postgres: str):
    """A pooler gives each transaction another session, and whatever is set in one would stay there for others."""
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        await books.ask("ALTER DATABASE postgres SET TimeZone = 'Europe/Berlin'")
        try:
            books.find = "SELECT current_setting('TimeZone') WHERE :key <> ''"
            async with books.open() as ledger:
                assert await found(ledger, "k") == "UTC"
        finally:
            await books.ask("ALTER DATABASE postgres RESET TimeZone")


async def test_what_was_committed_late_is_read(tmp_path: Path):
    """It took its number before others did, and was committed after they had been read."""
    async with lite(tmp_path) as books:
        row = ("901", "1", "EUR", "2026-01-31")
        for changed in (1, 3, 4):
            await books.ask(ADD, *row, changed)
        async with books.open() as ledger:
            first = await read_all(ledger)
        await books.ask(ADD, *row, 2)
        for overlap, late in ((0.0, 0), (600.0, 1)):
            books.overlap = overlap
            async with books.open() as ledger:
                again = await read_all(ledger, first.position)
            assert len({one.key for one in again.payments} - {one.key for one in first.payments}) == late


async def test_what_is_found_is_told_with_what_was_recorded(tmp_path: Path):
    async with lite(tmp_path) as books:
        books.find = "SELECT id, amount, currency, paid_on FROM payments WHERE precoro_key = :key"
        async with books.open() as ledger:
            receipt = await ledger.create(entry(), permitted)
    assert (receipt.amount, receipt.currency, receipt.paid_on) == (Decimal("12.50"), "EUR", entry().paid_on)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_log_that_cannot_be_read_is_named_with_the_remedy(tmp_path: Path):
    async with lite(tmp_path) as books:
        await books.ask("PRAGMA journal_mode = WAL")
        await anyio.Path(tmp_path).chmod(0o555)
        try:
            assert "needs the right to write in" in await reason(books)
        finally:
            await anyio.Path(tmp_path).chmod(0o755)


async def test_the_right_to_record_is_looked_at_and_nothing_is_written(postgres: str):
    async with postgres_books(postgres) as books:
        assert isinstance(books, DatabaseBooks)
        async with books.open() as ledger:
            assert [(one.what, one.fault) for one in await ledger.probe()] == [("can record payments", "")]
        await books.ask("DROP ROLE IF EXISTS reader")
        await books.ask("CREATE ROLE reader LOGIN")
        await books.ask("GRANT SELECT ON payments TO reader")
        where = books.address
        books.address = Address("postgres", where.host, where.port, "reader", "x", verify=False, timeout=2.0)
        async with books.open() as ledger:
            [probe] = await ledger.probe()
        assert "permission denied" in probe.fault
        assert "grant the right to insert" in probe.fault
        assert await books.ask("SELECT count(*) FROM payments") == [(0,)]
        await books.ask("DROP OWNED BY reader")


@pytest.mark.parametrize(
    ("insert", "fault"),
    [
        (INSERT, ""),
        (INSERT.replace("(bill,", "(no_such,"), "no column named no_such"),
        (INSERT.replace("INTO payments", "INTO nowhere"), "no such table"),
    ],
)
async def test_an_insert_that_does_not_fit_is_found_without_running_it(tmp_path: Path, insert: str, fault: str):
    async with lite(tmp_path, insert=insert) as books:
        async with books.open() as ledger:
            [probe] = await ledger.probe()
        assert fault in probe.fault
        assert bool(fault) == bool(probe.fault)
        assert await books.ask("SELECT count(*) FROM payments") == [(0,)]
