"""tasks that go on until somebody ends them, and are missed if they do not"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf

import anyio


async def guarded(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work. RuntimeError if it is broken off though no scope around it was cancelled.

    A cancellation that got into the wrong task, out of a library's time limit say, ends it without a word: its task
    group takes that for an end like any other, and a part of the program is gone for good. The program is started
    anew instead.
    """
    try:
        await work()
    except anyio.get_cancelled_exc_class():
        if anyio.current_effective_deadline() > -inf:
            raise RuntimeError(f"{name} was broken off, and nobody meant to") from None
        raise
