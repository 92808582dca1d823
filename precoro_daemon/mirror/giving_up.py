"""gives work up that takes so long that others should not wait for it"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from precoro_daemon.errors import DaemonError
from precoro_daemon.runtime.ports import Clock

T = TypeVar("T")


async def give_up_after(clock: Clock, seconds: float, work: Callable[[], Awaitable[T]]) -> T | None:
    """Returns the work's result, None if it takes longer than `seconds`; then nothing is left half done."""
    outcome: T | DaemonError | None = None

    async def give_up() -> None:
        await clock.sleep(seconds)
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(give_up, name="time limit")
        try:
            outcome = await work()
        except DaemonError as error:
            outcome = error
        group.cancel_scope.cancel()
    if isinstance(outcome, DaemonError):
        raise outcome
    return outcome
