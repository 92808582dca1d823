"""blocking work on threads, always run to its end"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

import anyio

T = TypeVar("T")


async def run_to_end(executor: Executor, work: Callable[[], T]) -> T:
    """Run `work` on a thread of the executor; a cancelled caller is let go only when `work` has ended."""
    return await to_end(asyncio.get_running_loop().run_in_executor(executor, work))


async def to_end(work: Awaitable[T]) -> T:
    """Wait for it; a cancelled caller is let go only when it has ended."""
    future = asyncio.ensure_future(work)
    with anyio.CancelScope(shield=True):
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            # anyio's shield does not stop `task.cancel()`, which asyncio.run uses on an interrupt.
            await asyncio.wait([future])
            raise
    return future.result()
