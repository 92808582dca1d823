"""Writes that wait for another one: one commit for all, and each caller hears of its own alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import anyio
import anyio.to_thread
import pytest

from precoro_daemon.adapters.state.joined_writes import JoinedWrites
from precoro_daemon.adapters.state.session import Session
from precoro_daemon.adapters.state.sqlite.session import SqliteSession, in_transaction

pytestmark = pytest.mark.asyncio

Work = Callable[[Session], Any]

PATIENCE = 60.0
"""Longer than any of these tests."""


class Book:
    """Rows in the order in which they were written, and how many commits brought them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        self._connection = connection
        self._fails = False
        self._one = anyio.CapacityLimiter(1)
        self.commits = 0
        self.joined = JoinedWrites(self._commit)

    async def _commit(self, work: Work) -> Any:
        return await anyio.to_thread.run_sync(self._in_transaction, work, limiter=self._one)

    def _in_transaction(self, work: Work) -> Any:
        def carry_out(session: Session) -> Any:
            result = work(session)
            if self._fails:
                raise OSError("no space left")
            return result

        result = in_transaction(SqliteSession(self._connection), carry_out)
        self.commits += 1
        return result

    def fill_disk(self) -> None:
        self._fails = True

    async def keys(self) -> list[str]:
        def read() -> list[str]:
            return [key for (key,) in self._connection.execute("SELECT key FROM meta ORDER BY rowid")]

        return await anyio.to_thread.run_sync(read, limiter=self._one)

    async def write(self, key: str, patience: float = 0.0) -> str:
        def work(session: Session) -> str:
            session.run("meta.write", (key, ""))
            if key.startswith("bad"):
                raise ValueError(key)
            return key

        return await self.joined.write(work, patience)


@pytest.fixture
def book() -> Iterator[Book]:
    with closing(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)) as connection:
        yield Book(connection)


async def test_who_waits_is_carried_out_with_the_next_write_and_before_it(book: Book) -> None:
    said: list[str] = []

    async def wait(key: str) -> None:
        said.append(await book.write(key, PATIENCE))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, "first")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(wait, "second")
        await anyio.wait_all_tasks_blocked()
        assert (await book.keys(), said) == ([], [])
        assert await book.write("next") == "next"
        assert await book.keys() == ["first", "second", "next"]
        assert book.commits == 1
    assert sorted(said) == ["first", "second"]


async def test_where_no_other_write_comes_patience_ends_and_all_go_together(book: Book) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(book.write, "patient", PATIENCE)
        await anyio.wait_all_tasks_blocked()
        assert await book.write("less patient", 0.01) == "less patient"
    assert await book.keys() == ["patient", "less patient"]
    assert book.commits == 1


async def test_many_do_not_wait_for_another_one(book: Book) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(16):
            tasks.start_soon(book.write, str(number), PATIENCE)
    assert await book.keys() == [str(number) for number in range(16)]
    assert book.commits == 2


async def test_one_that_fails_takes_nothing_of_the_others_back(book: Book) -> None:
    failed: list[str] = []

    async def fail() -> None:
        try:
            await book.write("bad", PATIENCE)
        except ValueError as error:
            failed.append(str(error))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(book.write, "good", PATIENCE)
        tasks.start_soon(fail)
        await anyio.wait_all_tasks_blocked()
        assert await book.write("next") == "next"
    assert sorted(await book.keys()) == ["good", "next"]
    assert failed == ["bad"]


async def test_who_waited_is_kept_though_the_next_write_fails(book: Book) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(book.write, "good", PATIENCE)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ValueError, match="bad next"):
            await book.write("bad next")
    assert await book.keys() == ["good"]


async def test_everybody_hears_that_nothing_can_be_written(book: Book) -> None:
    heard: list[str] = []

    async def write(key: str, patience: float) -> None:
        try:
            await book.write(key, patience)
        except OSError as error:
            heard.append(f"{key}: {error}")

    book.fill_disk()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write, "waiting", PATIENCE)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(write, "next", 0.0)
    assert sorted(heard) == ["next: no space left", "waiting: no space left"]
    assert await book.keys() == []


async def test_what_a_cancelled_caller_waited_for_is_done_when_it_goes_on(book: Book) -> None:
    with anyio.move_on_after(0.01) as patience:
        await book.write("answer", PATIENCE)
    assert patience.cancelled_caught
    assert await book.keys() == ["answer"]


async def test_a_cancelled_write_still_tells_those_it_took_along(book: Book) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(book.write, "answer", PATIENCE)
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await book.write("next")
    assert await book.keys() == ["answer", "next"]
    assert book.commits == 1
