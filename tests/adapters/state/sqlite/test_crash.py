"""Real processes: a second instance is refused, and a kill -9 in the midst of commits leaves whole commits."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreHeld
from tests.contracts.counting import miscounted
from tests.system.forked import Child


def start_writer(path: Path) -> Child:
    process = Child("tests.adapters.state.sqlite.committing", str(path))
    assert process.stdout.readline() == "open\n"
    return process


def end(process: Child) -> None:
    process.kill()
    process.wait()


@pytest.mark.asyncio
async def test_a_second_instance_is_told_who_holds_the_state(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    process = start_writer(path)
    try:
        with pytest.raises(StoreHeld, match=rf"held by process {process.pid} on \S+ since 20\d\d-") as caught:
            async with SqliteState(path, "company").open():
                pass
        assert caught.value.exit_code == 7
    finally:
        end(process)
    async with SqliteState(path, "company").open() as store:
        assert (await store.mirror.cursor("invoices")).collection == "invoices"


@pytest.mark.asyncio
async def test_one_process_opens_a_state_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open() as store:
        with pytest.raises(StoreHeld, match=f"process {os.getpid()} "):
            async with SqliteState(path, "company").open():
                pass
        await store.budget_book.charge(1.0, b"")


@pytest.mark.asyncio
async def test_a_cancelled_opening_lets_go_of_the_state(tmp_path: Path) -> None:
    """At whatever step it is cancelled, and whoever cancels: an interrupted asyncio.run, or a scope around it."""
    path = tmp_path / "state.db"

    async def use() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            async with SqliteState(path, "company").open() as store:
                await store.budget_book.charge(1.0, b"")

    scopes: list[anyio.CancelScope] = []
    for steps in range(6):
        for cancel in (lambda task: task.cancel(), lambda _: scopes[-1].cancel()):
            task = asyncio.create_task(use())
            for _ in range(1 + steps):
                await asyncio.sleep(0.001 * steps)
            cancel(task)
            await asyncio.wait([task])
            async with SqliteState(path, "company").open() as store:
                assert await store.budget_book.load_closed() == {}


@pytest.mark.asyncio
async def test_kill_in_the_midst_of_commits(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    pause = random.Random(7)
    for _ in range(6):
        process = start_writer(path)
        time.sleep(pause.uniform(0.01, 0.4))  # noqa: ASYNC251 - the writer is another process
        end(process)
        async with SqliteState(path, "company").open() as store:
            scan = (await store.mirror.standing("invoices")).whole
        check_whole_commits(path, next_page=scan.next_page if scan else None)


def check_whole_commits(path: Path, next_page: int | None) -> None:
    """Each page of 50 rows is there with its rows, its change rows and its progress, or not at all."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        pages = "SELECT DISTINCT id / 50, count(*), count(DISTINCT data ->> '$.run') FROM records GROUP BY id / 50"
        assert {row[1:] for row in connection.execute(pages)} <= {(50, 1)}
        assert connection.execute(
            "SELECT count(*) FROM records WHERE version IS NOT "
            "(SELECT version FROM changes WHERE changes.id = records.id ORDER BY seq DESC LIMIT 1)"
        ).fetchone() == (0,)
        assert miscounted(connection.execute) == []
        assert connection.execute("SELECT count(*) % 50 FROM changes").fetchone() == (0,)
        seen = connection.execute("SELECT count(*) FROM scan_rows").fetchone()[0]
        assert seen == (0 if next_page is None else 50 * (next_page - 1))
