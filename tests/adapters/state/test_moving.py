"""A company's state goes from a file to PostgreSQL and back: whole, held, and never into two that both go on."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import anyio
import psycopg
import pytest

from precoro_daemon.adapters.state.moving import COUNTED, ENGINES_OWN, Moved, move
from precoro_daemon.adapters.state.postgresql.moving import PostgresEnd
from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.sqlite.backup import back_up
from precoro_daemon.adapters.state.sqlite.moving import SqliteEnd
from precoro_daemon.adapters.state.sqlite.restoring import restore
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreHeld, StoreUnusable
from tests.system.forked import Child

T = TypeVar("T")

pytestmark = pytest.mark.asyncio

SCHEMA = "moved_company"
ODD = 'say "é" \u2028 \\ \t\n\r {} \U0001f4b6 \x01'


@pytest.fixture
def server(state_database: str) -> Iterator[Server]:
    def clear() -> None:
        with psycopg.connect(state_database, autocommit=True) as connection:
            for (name,) in connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'moved_company%'"
            ).fetchall():
                connection.execute(f"DROP SCHEMA {name} CASCADE".encode())

    clear()
    yield Server(state_database)
    clear()


def postgres(server: Server) -> PostgresState:
    return PostgresState(server, SCHEMA, "company")


def there(server: Server) -> PostgresEnd:
    return PostgresEnd(server, SCHEMA, "company")


async def moved(source: Any, target: Any, *, armed: bool = False, replace_zeros: bool = False) -> Moved:
    return await in_thread(move, source, target, armed=armed, replace_zeros=replace_zeros)


async def in_thread(work: Callable[..., T], *arguments: object, **named: object) -> T:
    return await anyio.to_thread.run_sync(lambda: work(*arguments, **named))


VALUES = {"INTEGER": 2**53 + 1, "REAL": 0.1 + 0.2, "TEXT": ODD, "BLOB": b"\0\xff\\x"}
BOOLEANS = {"wanted", "drifted", "absent", "referenced", "latest", "sole", "enabled", "takes_back", "mentioned"}
BOOLEANS |= {"dismissed", "doubted", "marked", "reported", "seen", "due"}
FIXED = {"direction": "to_precoro", "state": "planned", "scan": 5, "plan": 5}


def cell(table: str, column: str, kind: str, number: int) -> object:
    if column in FIXED and table != "item_writes":
        return FIXED[column]
    if column == "intent" or (table, column) == ("intents", "id"):
        return f"intent {number}"
    if column == "gone_at" and number:
        return None
    if column in BOOLEANS:
        return number % 2
    if column in ("idn", "invoice_idn", "remote_idn") and table != "deliveries":
        return (f"INV\0-{number}", number, number + 0.5, None)[number % 4]
    if column in ("number", "plan", "scan"):
        return 5 + number
    value = VALUES[kind]
    return value - number if isinstance(value, int | float) else value[: -1 - number] if number % 2 else value


async def every_table(path: Path) -> None:
    """Some rows in each."""
    async with SqliteState(path, "company").open() as store:
        await store.budget_book.charge(time.time(), b"12345678")
        await store.journal.arm(1.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            if table == "meta" or table in COUNTED:
                continue
            columns = [row[1:3] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for number in range(3):
                row = [cell(table, name, kind or "TEXT", number) for name, kind in columns]
                if table == "field_options":
                    row[2] = f"option {number}"
                marks = ", ".join("?" * len(row))
                connection.execute(f'INSERT OR IGNORE INTO "{table}" VALUES ({marks})', row)
        connection.execute("INSERT INTO meta VALUES ('lessons', ?)", (ODD,))


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables}
    found["meta"] = [row for row in found["meta"] if row[0] not in ENGINES_OWN]
    found["journal"] = [row for row in found["journal"] if row[3] not in ("disarm", "arm")]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


async def test_there_and_back_every_value_of_every_table_is_the_same(tmp_path: Path, server: Server) -> None:
    first, last = tmp_path / "first.db", tmp_path / "last.db"
    await every_table(first)
    before = await in_thread(content, first)
    assert {name for name, rows in before.items() if not rows} == set()
    done = await moved(SqliteEnd(first, "company"), there(server))
    assert done.rows.keys() == before.keys() - COUNTED
    assert {name: done.rows[name] for name in done.rows if name != "journal"} == {
        name: len(rows) for name, rows in before.items() if name not in ("journal", *COUNTED)
    }
    await moved(there(server), SqliteEnd(last, "company"))
    assert await in_thread(content, last) == before
    with closing(sqlite3.connect(last)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_the_former_state_says_where_it_went_and_the_new_one_goes_on(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open() as store:
        for number in range(3):
            await store.budget_book.charge(float(number), b"12345678")
        await store.journal.arm(1.0)
    copy = tmp_path / "before.db"
    await in_thread(back_up, path, copy, identity="company", replace=False)
    await moved(SqliteEnd(path, "company"), there(server))
    with pytest.raises(StoreUnusable, match="was moved to"):
        await in_thread(back_up, path, tmp_path / "copy.db", identity="company", replace=False)
    with pytest.raises(StoreUnusable, match="A backup that came here would forget its calls"):
        await in_thread(restore, copy, path, identity="company")
    with pytest.raises(StoreUnusable, match=rf"{path} was moved to .*schema {SCHEMA}.* on \d.*state\.url"):
        async with SqliteState(path, "company").open():
            raise AssertionError
    with pytest.raises(StoreUnusable, match="was moved to"):
        await moved(SqliteEnd(path, "company"), there(server))
    assert "state.db.armed" not in await in_thread(os.listdir, tmp_path)
    async with postgres(server).open() as store:
        switch = await store.journal.switch()
        assert (switch.armed, "was moved here from" in switch.reason) == (False, True)
        await store.budget_book.charge(3.0, b"12345678")
        assert len(await store.budget_book.load(0.0)) == 4, "no call is forgotten"
    back = await moved(there(server), SqliteEnd(path, "company"))
    assert back.former is not None
    with pytest.raises(StoreUnusable, match=f"was moved to {path}"):
        await in_thread(postgres(server).demand)
    async with SqliteState(path, "company").open() as store:
        assert len(await store.budget_book.load(0.0)) == 4
    again = await moved(SqliteEnd(path, "company"), there(server))
    assert again.former is not None
    assert again.former.startswith(f"schema {SCHEMA}_before_")


@pytest.mark.parametrize("armed", [True, False])
async def test_payments_stay_armed_only_where_that_is_asked_for(
    tmp_path: Path, server: Server, *, armed: bool
) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open() as store:
        await store.journal.arm(1.0)
    done = await moved(SqliteEnd(path, "company"), there(server), armed=armed)
    assert done.switch == ("armed" if armed else "disarmed")
    async with postgres(server).open() as store:
        assert (await store.journal.switch()).armed is armed
    await moved(there(server), SqliteEnd(tmp_path / "back.db", "company"), armed=True)
    async with SqliteState(tmp_path / "back.db", "company").open() as store:
        assert (await store.journal.switch()).armed is armed, "what was not armed does not get armed"


async def test_what_is_in_use_taken_or_missing_is_refused_and_nothing_changes(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "state.db"
    with pytest.raises(StoreUnusable, match="There is no state"):
        await moved(SqliteEnd(path, "company"), there(server))
    with pytest.raises(StoreUnusable, match="There is no state"):
        await moved(there(server), SqliteEnd(path, "company"))
    async with SqliteState(path, "company").open():
        with pytest.raises(StoreHeld, match="is held by process"):
            await moved(SqliteEnd(path, "company"), there(server))
    with pytest.raises(StoreUnusable, match="another company"):
        await moved(SqliteEnd(path, "stranger"), there(server))
    async with postgres(server).open():
        with pytest.raises(StoreUnusable, match=r"There is a state in .* already"):
            await moved(SqliteEnd(path, "company"), there(server))
        with pytest.raises(StoreHeld, match="is held by precoro-daemon"):
            await moved(there(server), SqliteEnd(tmp_path / "other.db", "company"))
    with pytest.raises(StoreUnusable, match=r"There is a state in .* already"):
        await moved(there(server), SqliteEnd(path, "company"))
    await in_thread(SqliteState(path, "company").demand)
    await in_thread(postgres(server).demand)


async def test_what_postgresql_cannot_hold_is_said_before_anything_is_written(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open():
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO positions VALUES ('a', ?), ('b', ?)", ("x\0y", "plain"))
    with pytest.raises(
        StoreUnusable, match=r"cannot hold values of .*: positions\.value \(1\)\. Move with --replace"
    ):
        await moved(SqliteEnd(path, "company"), there(server))
    assert not await in_thread(postgres(server).exists)
    await in_thread(SqliteState(path, "company").demand)
    await moved(SqliteEnd(path, "company"), there(server), replace_zeros=True)
    with psycopg.connect(server.address) as connection:
        found = connection.execute(f"SELECT value FROM {SCHEMA}.positions ORDER BY name".encode()).fetchall()
    assert found == [("x\ufffdy",), ("plain",)]


async def test_what_a_fleet_serves_is_not_moved(tmp_path: Path, server: Server) -> None:
    async with postgres(server).open():
        pass
    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA precoro_fleet")
        connection.execute("CREATE TABLE precoro_fleet.companies (name text, schema text, holder text, epoch bigint)")
        connection.execute("INSERT INTO precoro_fleet.companies VALUES ('acme', %s, 'w1', 1)", (SCHEMA,))
        try:
            with pytest.raises(StoreHeld, match="is served by a fleet as acme"):
                await moved(there(server), SqliteEnd(tmp_path / "back.db", "company"))
            connection.execute("UPDATE precoro_fleet.companies SET holder = NULL")
            await moved(there(server), SqliteEnd(tmp_path / "back.db", "company"))
        finally:
            connection.execute("DROP SCHEMA precoro_fleet CASCADE")


def killed_after(lines: int, path: Path, server: Server, way: str) -> int:
    """How many lines were run, or fewer than none if it was killed before its end."""
    process = Child("tests.adapters.state.moving_killed", str(lines), str(path), server.address, way)
    said = process.stdout.read()
    assert process.wait() in (0, -signal.SIGKILL), said
    return int(said or -1)


def is_usable(state: SqliteState | PostgresState) -> bool:
    try:
        state.demand()
    except StoreUnusable:
        return False
    return True


BEFORE_THE_END = (400, 33, 14)
"""Lines of the move: while rows are copied, and around each of the last two commits."""


@pytest.mark.parametrize("way", ["there", "back"])
async def test_killed_at_any_line_one_of_both_is_whole_and_the_other_refused(
    tmp_path: Path, server: Server, way: str
) -> None:
    """Between the marks of both ends neither is used, and the same command ends the move."""
    seen, whole = set(), 0
    for before_the_end in (-(10**9), *BEFORE_THE_END):
        path = tmp_path / f"{before_the_end}.db"
        file, schema = SqliteEnd(path, "company"), there(server)
        await in_thread(fresh, server)
        await began(path)
        if way == "back":
            await moved(file, schema, armed=True)
        whole = max(whole, await in_thread(killed_after, whole - before_the_end, path, server, way))
        places = (SqliteState(path, "company"), postgres(server))
        source, target = places if way == "there" else reversed(places)
        usable = (await in_thread(is_usable, source), await in_thread(is_usable, target))
        seen.add(usable)
        if not usable[1]:
            await (moved(file, schema, armed=True) if way == "there" else moved(schema, file, armed=True))
        async with target.open() as store:
            assert len(await store.budget_book.load(0.0)) == 1
            assert (await store.journal.switch()).armed
        assert not await in_thread(is_usable, source)
    assert seen == {(True, False), (False, False), (False, True)}


BEFORE_THE_END = (400, 33, 14)
"""Lines of the move: while rows are copied, and around each of the last two commits."""


async def began(path: Path) -> None:
    async with SqliteState(path, "company").open() as store:
        await store.budget_book.charge(1.0, b"12345678")
        await store.journal.arm(1.0)


def fresh(server: Server) -> None:
    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
