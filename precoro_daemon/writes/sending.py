"""one write under a permit: every way out after the permit leaves a record"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio

from precoro_daemon.errors import TemporaryError
from precoro_daemon.writes.outcome import Outcome, OutcomeKind
from precoro_daemon.writes.permit import PERMIT_GOOD_FOR_S, Permit

Begun = TypeVar("Begun")
T = TypeVar("T")

real_seconds = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Real seconds, whatever the clock of a rehearsal says; time in suspend counts."""

_TOO_OLD = "it took too long to make the permit durable; nothing was sent"


class _TooOld(TemporaryError):
    """A process that stood still learned of its permit too late: another process may have decided since."""


async def write_once(
    begin: Callable[[str], Awaitable[Begun]],
    send: Callable[[Permit], Awaitable[Outcome[T]]],
    lose: Callable[[Begun, str], Awaitable[object]],
    *,
    elapsed: Callable[[], float] = real_seconds,
) -> tuple[Begun, Outcome[T]]:
    """Sends one write, and returns what `begin` made durable together with the outcome.

    begin  the permit: checks for the last time, and makes durable that the write is being sent
    send   sends once, and calls the permit before the first byte leaves
    lose   records that the outcome is unknown; it runs even while the task is cancelled

    If the permit takes too long, nothing is sent and the outcome is `unsent`.

    Raises what `begin` raises, and what `send` raises before it calls the permit. A crash in between leaves what
    `begin`
    made durable, which the next process treats as an unknown outcome.
    """
    begun: Begun | None = None

    async def permit(body: str) -> None:
        nonlocal begun
        asked_at = elapsed()
        begun = await begin(body)
        if elapsed() - asked_at > PERMIT_GOOD_FOR_S:
            raise _TooOld(_TOO_OLD)

    try:
        outcome = await send(permit)
    except _TooOld as error:
        outcome = Outcome(OutcomeKind.UNSENT, str(error))
    except anyio.get_cancelled_exc_class():
        if begun is not None:
            with anyio.CancelScope(shield=True):
                await lose(begun, "cancelled while it was being sent")
        raise
    assert begun is not None, "an outcome without a permit"
    return begun, outcome
