"""blocking work on threads, always run to its end"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

import anyio

T = TypeVar("T")

_IDLE_AFTER_S = 2.0
"""Real seconds without work after which a thread is idle. A busy company's calls are closer together."""


class _Done(asyncio.Future[T]):
    """The result of a thread's work, which cannot be cancelled.

    A cancelled task that awaits it is interrupted when the work is done (asyncio/tasks.py, `cancel`). A shield does
    the same with a second future and one more step of the loop.
    """

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002 - the future's
        return False


class _WorkItem(NamedTuple):
    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class WorkThreads(Executor):
    """One thread, or up to `most`, that work for an event loop.

    A trip takes a third of the CPU time of one through concurrent.futures, whose futures also support waiting
    threads.
    These futures belong to the loop, and `run_in_executor` returns them unchanged (asyncio/futures.py,
    `wrap_future`).

    idle  called on a thread when it has had no work for a while
    """

    def __init__(self, name: str, most: int = 1, idle: Callable[[], object] = lambda: None) -> None:
        self._name = name
        self._most = most
        self._idle = idle
        self._items: SimpleQueue[_WorkItem | None] = SimpleQueue()
        self._threads = self._busy = 0
        self._start()

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def submit(self, work: Callable[[], T]) -> asyncio.Future[T]:  # type: ignore[override]
        loop = asyncio.get_running_loop()
        future: _Done[T] = _Done(loop=loop)
        self._busy += 1
        if self._threads < min(self._busy, self._most):
            self._start()
        self._items.put(_WorkItem(work, loop, future))
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - Executor's
        """Lets the threads end after their present work, without waiting for them."""
        for _ in range(self._threads):
            self._items.put(None)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            result, failure = None, None
            try:
                result = item.work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the one who waits
                failure = error
            item.loop.call_soon_threadsafe(self._settle, item.future, result, failure)
            del item, result, failure  # nothing of it is held until the next one comes

    def _next(self) -> _WorkItem | None:
        try:
            return self._items.get(timeout=_IDLE_AFTER_S)
        except Empty:
            self._idle()
            return self._items.get()

    def _settle(self, future: asyncio.Future[T], result: T, failure: BaseException | None) -> None:
        self._busy -= 1
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)
            future.exception()  # asked for: a caller that was cancelled does not


async def run_to_end(executor: Executor, work: Callable[[], T]) -> T:
    """Runs `work` on a thread of the executor. A cancelled caller waits until `work` has ended."""
    return await to_end(asyncio.get_running_loop().run_in_executor(executor, work))


async def to_end(work: Awaitable[T]) -> T:
    """Awaits it. A cancelled caller waits until it has ended."""
    future = asyncio.ensure_future(work)
    with anyio.CancelScope(shield=True):
        if isinstance(future, _Done):
            return await future
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            # anyio's shield does not stop `task.cancel()`, which asyncio.run uses on an interrupt.
            await asyncio.wait([future])
            raise
    return future.result()
