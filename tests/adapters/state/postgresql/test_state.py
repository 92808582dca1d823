"""The state on PostgreSQL beside its contract: who holds it, what is refused and how that is said, what fences it."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from precoro_daemon.adapters.state.postgresql.fleet_session import LEASE_STATEMENTS
from precoro_daemon.adapters.state.postgresql.schema import VERSION
from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.postgresql.values import POSTGRES_STATEMENTS
from precoro_daemon.errors import StoreEnrolled, StoreHeld, StoreUnavailable, StoreUnusable
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import Record, read_record
from tests.adapters.state.postgresql.probe import PostgresBackend, ran
from tests.adapters.state.test_moving import in_thread

KEY = b"12345678"


@pytest.fixture
def backend(state_database: str) -> PostgresBackend:
    return PostgresBackend(state_database)


def test_no_statement_has_words_left_that_the_engine_does_not_know() -> None:
    for name, text in POSTGRES_STATEMENTS.items():
        assert "@" not in text, name
        assert "INDEXED BY" not in text, name


@pytest.mark.asyncio
async def test_who_holds_it_is_named(backend: PostgresBackend) -> None:
    async with backend.open():
        with pytest.raises(StoreHeld, match=r"held by precoro-daemon, process \d+ on \S+, since .* UTC\. Stop it"):
            async with backend.open():
                raise AssertionError
    async with backend.open():
        pass


@pytest.mark.asyncio
async def test_one_of_a_fleet_is_told_from_one_that_somebody_holds_at_the_moment(backend: PostgresBackend) -> None:
    """Such as another command, which has just begun to look."""
    async with backend.open():
        backend.change(LEASE_STATEMENTS["make"])
        backend.change("INSERT INTO precoro_fleet.companies (name, schema) VALUES ('acme', 'company')")
        try:
            with pytest.raises(StoreEnrolled, match="as the company acme"):
                async with backend.open():
                    raise AssertionError
        finally:
            backend.change("DROP SCHEMA precoro_fleet CASCADE")


@pytest.mark.asyncio
async def test_who_lost_the_lock_unnoticed_writes_nothing_once_another_has_it(backend: PostgresBackend) -> None:
    async with backend.open() as store:
        await store.budget_book.charge(1.0, KEY)
        backend.change("UPDATE meta SET value = (value::bigint + 1)::text WHERE key = 'holder'")
        with pytest.raises(StoreHeld, match="was opened by another process since"):
            await store.budget_book.charge(2.0, KEY)
        with pytest.raises(StoreHeld):
            await store.attachments.note_with_attachments("invoices", [1])
    assert backend.query("SELECT at FROM calls") == [(1.0,)]


@pytest.mark.asyncio
async def test_who_lost_the_connection_that_holds_it_stops_at_once(backend: PostgresBackend) -> None:
    async with backend.open() as store:
        backend.change(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        await asyncio.sleep(0.2)
        with pytest.raises(StoreUnavailable, match=r"The connection that holds the state .* was lost"):
            await store.budget_book.charge(1.0, KEY)
    async with backend.open() as store:
        await store.budget_book.charge(1.0, KEY)


@pytest.mark.asyncio
async def test_connections_that_the_server_closed_meanwhile_are_made_anew_unnoticed(backend: PostgresBackend) -> None:
    async with backend.open() as store:
        await store.budget_book.charge(1.0, KEY)
        backend.change(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'precoro%' "
            "AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
        )
        await store.budget_book.charge(2.0, KEY)
    assert backend.query("SELECT at FROM calls ORDER BY at") == [(1.0,), (2.0,)]


def test_who_keeps_the_state_in_a_file_loads_no_driver(tmp_path: Path) -> None:
    program = (
        "import sys, asyncio, precoro_daemon.app.process, precoro_daemon.cli, precoro_daemon.app.moving\n"
        "from precoro_daemon.adapters.state.sqlite.state import SqliteState\n"
        f"SqliteState(__import__('pathlib').Path({str(tmp_path / 'state.db')!r}), 'company').exists()\n"
        "print([name for name in sys.modules if name.startswith('psycopg')])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


@pytest.mark.asyncio
async def test_nothing_is_done_by_leave_of_a_transaction_whose_end_is_not_known(backend: PostgresBackend) -> None:
    async with backend.open() as store:
        transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
        done = []

        def work(session: Any) -> None:
            session.run("budget_book.charge_call", (1.0, KEY, None))
            pid = session.connection.info.backend_pid
            with psycopg.connect(backend.url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

        with pytest.raises(StoreUnavailable, match=r"The connection to the state .* was lost in the middle"):
            await transactions.write(work, then=done.append)
        assert done == []
        assert backend.query("SELECT count(*) FROM calls") == [(0,)]
        await store.budget_book.charge(2.0, KEY)


@pytest.mark.asyncio
async def test_a_page_takes_three_messages_and_a_charge_one(backend: PostgresBackend, tmp_path: Path) -> None:
    """Each waits for the server, and on a loaded machine for a turn of both processes. The page is one of several, in
    the middle or all alone; the first begins the scan by one more, the last asks what was missed by one more."""
    async with backend.open() as store:
        transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
        with (tmp_path / "trace").open("wb") as trace:
            await transactions.write(lambda session: _traced(session, trace.fileno()))
            sent = [_queries(tmp_path / "trace")]
            pages = [Page(number, _rows(number), total=6, total_pages=3, server_time=1e9) for number in (1, 2, 3)]
            scan = Scan("invoices", "whole")
            for page in pages:
                scan = (await store.mirror.commit_pages(scan, [page])).scan
                sent.append(_queries(tmp_path / "trace"))
            whole = Page(1, _rows(1), total=2, total_pages=1, server_time=1e9)
            assert (await store.mirror.commit_pages(Scan("suppliers", "whole"), [whole])).closed
            sent.append(_queries(tmp_path / "trace"))
            await store.budget_book.charge(1.0, KEY, None, {"lesson": 1.0})
            sent.append(_queries(tmp_path / "trace"))
            await store.mirror.standing("invoices")
            sent.append(_queries(tmp_path / "trace"))
    each = [after - before for before, after in pairwise(sent)]
    assert each == [4, 3, 4, 3, 1, 1]


@pytest.mark.asyncio
async def test_what_is_wrong_with_a_write_that_waited_is_not_the_next_ones(backend: PostgresBackend) -> None:
    """It is found out only where it is sent: before the next one is begun, not with it."""
    async with backend.open() as store:
        transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]

        async def fail() -> None:
            with pytest.raises(StoreUnusable, match="null value"):
                await transactions.write(lambda session: session.put("meta.write", ("key", None)), patience=60)

        failing = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await store.budget_book.charge(1.0, KEY)
        await failing
    assert backend.query("SELECT at FROM calls") == [(1.0,)]


def _traced(session: Any, file: int) -> None:
    session.connection.pgconn.trace(file)


def _queries(trace: Path) -> int:
    lines = trace.read_text().splitlines()
    return sum(line.split("\t")[1:2] == ["F"] and "Query" in line.split("\t")[3] for line in lines)


def _rows(page: int) -> list[Record]:
    return [read_record(json.dumps({"id": 2 * page + place, "idn": 1}).encode()) for place in range(2)]


class _Fence:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.deposed = False

    def check(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        self._ask("write", cursor, beginning)

    def check_permit(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        self._ask("permit", cursor, beginning)

    def _ask(self, what: str, cursor: psycopg.Cursor[Any], beginning: bytes) -> None:
        if beginning:
            cursor.execute(beginning)
        assert cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        self.asked.append(what)
        if self.deposed:
            raise StoreHeld("worker b has the company")


@pytest.mark.asyncio
async def test_a_fence_is_asked_in_each_transaction_that_writes(backend: PostgresBackend) -> None:
    fence = _Fence()
    async with PostgresState(Server(backend.url), backend.schema, "company", fence=fence).open() as store:
        fence.asked.clear()
        await store.budget_book.load(0.0)
        assert fence.asked == []
        await store.budget_book.charge(1.0, KEY)
        transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
        await transactions.write(lambda _: None, then=lambda _: None)
        assert fence.asked == ["write", "permit"]
        fence.deposed = True
        with pytest.raises(StoreHeld, match="worker b"):
            await store.budget_book.charge(2.0, KEY)
    assert backend.query("SELECT at FROM calls") == [(1.0,)]


@pytest.mark.asyncio
async def test_another_companys_a_newer_one_and_a_foreign_one_are_refused(backend: PostgresBackend) -> None:
    async with backend.open():
        pass
    with pytest.raises(StoreUnusable, match="holds the data of another company"):
        async with backend.state("another").open():
            raise AssertionError
    backend.change("UPDATE meta SET value = '99' WHERE key = 'version'")
    try:
        with pytest.raises(StoreUnusable, match=r"written by a newer version .*\(its schema is 99"):
            backend.state().demand()
    finally:
        backend.change(f"UPDATE meta SET value = '{VERSION}' WHERE key = 'version'")
    backend.change("CREATE SCHEMA foreign_one; CREATE TABLE foreign_one.things (id int)")
    foreign = PostgresState(Server(backend.url), "foreign_one", "company")
    with pytest.raises(StoreUnusable, match="has tables of another program"):
        foreign.demand()
    backend.change("DROP SCHEMA foreign_one CASCADE")


def test_what_keeps_the_server_from_being_used_is_said(backend: PostgresBackend) -> None:
    def refused(kind: type[StoreUnusable], words: str, url: str) -> None:
        with pytest.raises(kind, match=words):
            PostgresState(Server(url), "company", "company").exists()

    refused(StoreUnavailable, "cannot be reached", "postgresql://me@127.0.0.1:1/states")
    refused(StoreUnusable, "no such database", backend.url.replace("/states", "/nothing"))
    refused(StoreUnusable, "refuses user or password", backend.url.replace("postgres@", "nobody@"))


@pytest.mark.asyncio
async def test_no_rights_and_a_server_that_only_reads_are_said(backend: PostgresBackend) -> None:
    backend.change("CREATE ROLE guest LOGIN")
    guest = PostgresState(Server(backend.url.replace("postgres@", "guest@")), "guests", "company")
    with pytest.raises(StoreUnusable, match="lacks a right: permission denied for database"):
        async with guest.open():
            raise AssertionError
    backend.change(
        "ALTER ROLE guest SET default_transaction_read_only = on; GRANT CREATE ON DATABASE states TO guest"
    )
    with pytest.raises(StoreUnavailable, match="cannot be written: cannot execute CREATE SCHEMA in a read-only"):
        async with guest.open():
            raise AssertionError
    backend.change("REVOKE CREATE ON DATABASE states FROM guest; DROP ROLE guest")


@pytest.mark.asyncio
async def test_a_row_of_a_ledger_may_be_longer_than_an_index_takes(backend: PostgresBackend) -> None:
    long = secrets.token_hex(20_000)
    async with backend.open() as store:
        transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
        for key in ("first", "second"):
            await transactions.run_many("ledger_payments.note_row", [("bank", long, key), ("bank", long + key, key)])
        assert [
            await transactions.value("ledger_payments.key_of_row", ("bank", long + end)) for end in ("", "second")
        ] == ["first", "second"]


@pytest.mark.asyncio
async def test_the_commands_for_backups_are_right_to_the_letter(backend: PostgresBackend, tmp_path: Path) -> None:
    copy = tmp_path / "the copy.dump"
    async with backend.open() as store:
        await store.journal.arm(1.0)
        await store.budget_book.charge(1.0, KEY)
    with pytest.raises(StoreUnusable) as said:
        backend.state().back_up(copy, replace=False)
    await in_thread(run_commands, str(said.value))
    async with backend.open() as store:
        await store.budget_book.charge(2.0, KEY)
    with pytest.raises(StoreUnusable) as said:
        backend.state().restore(copy)
    await in_thread(run_commands, str(said.value))
    backend.change(
        "INSERT INTO company.calls (at, key_hash, lane) SELECT at, key_hash, lane FROM company_before.calls "
        "EXCEPT SELECT at, key_hash, lane FROM company.calls"
    )
    async with backend.open() as store:
        assert not (await store.journal.switch()).armed
        assert len(await store.budget_book.load(0.0)) == 2
    backend.change("DROP SCHEMA company_before CASCADE")


def run_commands(said: str) -> None:
    for command in re.findall(r"(?:pg_dump|pg_restore|psql) .*", said):
        program, *arguments = shlex.split(command)
        ran(program, *arguments)


@pytest.mark.asyncio
async def test_a_changed_schema_is_said(backend: PostgresBackend) -> None:
    async with backend.open() as store:
        backend.change("ALTER TABLE laps RENAME COLUMN good_at TO bad_at")
        try:
            with pytest.raises(StoreUnusable, match=r"tables of the state .* are not as this program made them"):
                await store.lap_book.load()
        finally:
            backend.change("ALTER TABLE laps RENAME COLUMN bad_at TO good_at")


@pytest.mark.asyncio
async def test_json_is_kept_as_it_came_and_can_be_read_as_jsonb(backend: PostgresBackend) -> None:
    async with backend.open():
        raws = ('{"a":"x\\u0000y"}', '{"a":"\\\\u0000"}', '{"a":1e400000}', '{"a":"\\u0000\\u0000"}')
        for id_, raw in enumerate(raws):
            backend.change(
                "INSERT INTO details (collection, id, fetched_at, data) "
                f"VALUES ('invoices', {id_}, 0, $raw${raw}$raw$)"
            )
        assert backend.query("SELECT data, doc ->> 'a' FROM details ORDER BY id") == [
            ('{"a":"x\\u0000y"}', "x\ufffdy"),
            ('{"a":"\\\\u0000"}', "\\u0000"),
            ('{"a":1e400000}', None),
            ('{"a":"\\u0000\\u0000"}', "\ufffd\ufffd"),
        ]
