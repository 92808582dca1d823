"""blocking work on a dedicated thread, with a hard deadline"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import anyio

T = TypeVar("T")

_CUT_AGAIN_S = 0.2
"""Seconds between attempts to sever running work: at first there may be no connection to sever."""


class OneThread:
    """Runs functions one after the other.

    On cancellation or at the deadline the running function is severed. The caller waits until it has ended, so no
    work
    continues unobserved.
    """

    def __init__(self, name: str, sever: Callable[[], None], deadline: float) -> None:
        self._name = name
        self._sever = sever
        self._deadline = deadline

    async def __aenter__(self) -> Self:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        # A caller that waits for the thread must neither lose time by it nor sever what runs for another.
        self._turn = anyio.Lock()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=False)

    async def run(self, work: Callable[[], T]) -> T:
        """Returns or raises what `work` does, even if it was severed at the deadline."""
        async with self._turn:
            future = asyncio.get_running_loop().run_in_executor(self._executor, work)
            try:
                await asyncio.wait([future], timeout=self._deadline)
            finally:
                if not future.done():
                    await self._cut(future)
            return future.result()

    async def _cut(self, future: asyncio.Future[T]) -> None:
        interrupted = False
        with anyio.CancelScope(shield=True):
            while not future.done():
                self._sever()
                try:
                    await asyncio.wait([future], timeout=_CUT_AGAIN_S)
                except asyncio.CancelledError:
                    # anyio's shield does not stop `task.cancel()`, which asyncio.run uses on an interrupt.
                    interrupted = True
        future.exception()  # asked for, or asyncio reports it as forgotten
        if interrupted:
            raise asyncio.CancelledError
