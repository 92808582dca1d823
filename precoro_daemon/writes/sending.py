"""one write under a permit: every way out after the permit leaves a record"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from precoro_daemon.writes.outcome import Outcome
from precoro_daemon.writes.permit import Permit

Begun = TypeVar("Begun")
T = TypeVar("T")


async def write_once(
    begin: Callable[[str], Awaitable[Begun]],
    send: Callable[[Permit], Awaitable[Outcome[T]]],
    lose: Callable[[Begun, str], Awaitable[object]],
) -> tuple[Begun, Outcome[T]]:
    """Send one write, and return what `begin` made durable together with the outcome.

    begin  the permit: checks for the last time, and makes durable that the write is being sent
    send   sends once, and calls the permit before the first byte leaves
    lose   records that the outcome is unknown. It runs even while the task is cancelled

    Raises what `begin` raises, and what `send` raises before it calls the permit. A crash in between leaves what
    `begin` made durable, which the next process takes for an unknown outcome.
    """
    begun: Begun | None = None

    async def permit(body: str) -> None:
        nonlocal begun
        begun = await begin(body)

    try:
        outcome = await send(permit)
    except anyio.get_cancelled_exc_class():
        if begun is not None:
            with anyio.CancelScope(shield=True):
                await lose(begun, "cancelled while it was being sent")
        raise
    assert begun is not None, "an outcome without a permit"
    return begun, outcome
