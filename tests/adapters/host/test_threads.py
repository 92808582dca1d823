"""Work on a thread of its own: in order, to its end, and what is done when nothing is left to do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import anyio
import anyio.to_thread
import pytest

from precoro_daemon.adapters.host.threads import WorkThreads, run_to_end


@pytest.fixture
def thread() -> Iterator[WorkThreads]:
    made = WorkThreads("worker")
    yield made
    made.shutdown()


@pytest.mark.asyncio
async def test_what_comes_of_it_is_handed_back_and_a_failure_ends_nothing(thread: WorkThreads) -> None:
    assert await run_to_end(thread, lambda: threading.current_thread().name) == "worker"
    with pytest.raises(ZeroDivisionError):
        await run_to_end(thread, lambda: 1 // 0)
    assert await run_to_end(thread, lambda: 7) == 7


@pytest.mark.asyncio
async def test_one_thing_is_done_after_the_other_in_the_order_of_asking(thread: WorkThreads) -> None:
    done: list[int] = []
    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(run_to_end, thread, lambda number=number: done.append(number))
    assert done == list(range(20))


@pytest.mark.asyncio
@pytest.mark.parametrize("by", ["a scope", "the task"])
async def test_a_cancelled_caller_is_let_go_only_when_the_work_has_ended(thread: WorkThreads, by: str) -> None:
    begun, may_end = threading.Event(), threading.Event()
    ended: list[str] = []

    def work() -> None:
        begun.set()
        may_end.wait(30)
        ended.append("work")

    async def call() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            try:
                await run_to_end(thread, work)
            finally:
                ended.append("call")

    scopes: list[anyio.CancelScope] = []
    task = asyncio.ensure_future(call())
    await anyio.to_thread.run_sync(begun.wait)
    if by == "a scope":
        scopes[0].cancel()
    else:
        task.cancel()
    await anyio.sleep(0.01)
    assert ended == []
    may_end.set()
    await asyncio.wait([task])
    assert ended == ["work", "call"]


@pytest.mark.asyncio
async def test_it_is_told_when_it_has_nothing_to_do_and_then_works_on() -> None:
    idle = threading.Event()
    thread = WorkThreads("worker", idle=idle.set)
    assert await anyio.to_thread.run_sync(lambda: idle.wait(30))
    assert await run_to_end(thread, lambda: 7) == 7
    thread.shutdown()


@pytest.mark.asyncio
async def test_as_many_things_are_done_at_a_time_as_there_may_be_threads() -> None:
    threads = WorkThreads("worker", most=3)
    together = threading.Barrier(3)
    at_work: list[int] = []
    most: list[int] = []

    def work() -> None:
        at_work.append(1)
        most.append(len(at_work))
        together.wait(30)
        at_work.pop()

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(run_to_end, threads, work)
    assert max(most) == 3
    threads.shutdown()
