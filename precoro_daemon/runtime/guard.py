"""tasks that run until they are ended on purpose, and whose unexpected end is noticed"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf

import anyio


async def guarded(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Does the work. Raises RuntimeError if it was cancelled although no surrounding scope was.

    A cancellation that reaches the wrong task, for example from a library's timeout, ends it silently: its task group
    takes that for a normal end, and a part of the program is gone for good. So the program is restarted instead.
    """
    try:
        await work()
    except anyio.get_cancelled_exc_class():
        if anyio.current_effective_deadline() > -inf:
            raise RuntimeError(f"{name} was broken off, and nobody meant to") from None
        raise
