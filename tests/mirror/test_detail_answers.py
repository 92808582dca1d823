"""A document that several want is asked for once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import NotFound
from precoro_daemon.mirror.details import DetailAnswers
from precoro_daemon.mirror.ports.mirror import Due
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import read_record

pytestmark = pytest.mark.asyncio

ANSWER = Detail(1, '{"id": 1, "idn": 7}')


@asynccontextmanager
async def answers(folder: Path) -> AsyncIterator[tuple[DetailAnswers, Due, Store]]:
    """And one invoice that lacks its detail."""
    async with SqliteState(folder / "state.db", "a company").open() as store:
        row = read_record(json.dumps({"id": 1, "idn": 7, "status": 5}).encode())
        await store.mirror.commit_pages(Scan("invoices", "whole"), [Page(1, [row], total=1, server_time=0.0)])
        [due] = await store.mirror.due_details(["invoices"], before=1.0, limit=9)
        yield DetailAnswers(store.mirror, RealClock()), due, store


async def never() -> Detail:
    """A call that waits for its turn."""
    await anyio.sleep_forever()
    raise AssertionError


class Asking:
    """One who waits, and what came of it."""

    def __init__(self, answers: DetailAnswers, due: Due, since: float | None = None) -> None:
        self.answers, self.due, self.since = answers, due, since
        self.is_over = False
        self.answer: Detail | None = None

    async def wait(self) -> None:
        self.answer = await self.answers.ask(self.due, never, since=self.since)
        self.is_over = True


async def test_whoever_still_waits_is_let_go_once_an_answer_to_another_is_saved(tmp_path: Path) -> None:
    async with answers(tmp_path) as (shared, due, store), anyio.create_task_group() as tasks:
        waiting = [Asking(shared, due) for _ in range(3)]
        for one in waiting:
            tasks.start_soon(one.wait)
        await anyio.wait_all_tasks_blocked()
        await shared.save(due, ANSWER, asked_at=5.0)
        with anyio.fail_after(30):
            while not all(one.is_over for one in waiting):
                await anyio.lowlevel.checkpoint()
        assert [one.answer for one in waiting] == [None] * 3
        assert await store.mirror.due_details(["invoices"], before=1.0, limit=9) == []


@pytest.mark.parametrize(
    ("version", "since", "served"),
    [
        (b"as it was listed", None, True),
        (b"as it was before", None, False),
        (b"as it was before", 5.0, True),
        (b"as it was listed", 6.0, False),
    ],
)
async def test_an_answer_serves_who_wants_that_version_or_nothing_newer(
    tmp_path: Path, version: bytes, since: float | None, *, served: bool
) -> None:
    """A payment may show in the detail though the list's row is as it was: who heard of one wants a newer answer."""
    async with answers(tmp_path) as (shared, due, _), anyio.create_task_group() as tasks:
        one = Asking(shared, replace(due, version=version), since)
        tasks.start_soon(one.wait)
        await anyio.wait_all_tasks_blocked()
        await shared.save(replace(due, version=b"as it was listed"), ANSWER, asked_at=5.0)
        await anyio.wait_all_tasks_blocked()
        assert one.is_over is served
        tasks.cancel_scope.cancel()


async def test_another_document_and_a_failure_let_nobody_go(tmp_path: Path) -> None:
    async with answers(tmp_path) as (shared, due, _), anyio.create_task_group() as tasks:
        one = Asking(shared, replace(due, idn=8))
        tasks.start_soon(one.wait)
        await anyio.wait_all_tasks_blocked()

        async def fail() -> Detail:
            raise NotFound("it is not there")

        with pytest.raises(NotFound):
            await shared.ask(replace(due, idn=8), fail)
        await shared.save(due, ANSWER, asked_at=5.0)
        await anyio.wait_all_tasks_blocked()
        assert not one.is_over
        tasks.cancel_scope.cancel()


async def test_who_asks_gets_its_own_answer(tmp_path: Path) -> None:
    async with answers(tmp_path) as (shared, due, _):

        async def answer() -> Detail:
            return ANSWER

        assert await shared.ask(due, answer) is ANSWER
