"""when the next call to a ledger may leave: how many a minute and at once, and while it takes none"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from precoro_daemon.errors import TemporaryError

_WINDOW_S = 60.25
"""The vendor's minute, and what two clocks may differ by in it."""

_LEAST_WAIT_S = 0.001
"""Rounding may leave less than a clock can tell apart, and waiting for that would never end."""


class NotAsked(TemporaryError):
    """The ledger is closed for longer than a call waits. Nothing was sent; a later lap asks again."""


class Pace:
    """The calls to one ledger, by our own clock.

    The vendor counts a call when it arrives, which is some time between its start and its answer. So a call counts
    until a minute after its answer: then no window of the vendor has more calls than it allows, and all of them are
    used when answers come soon. Several calls may leave at once after a pause.

    longest_wait  seconds that a call waits while the ledger is closed; for more it fails at once, unsent
    """

    def __init__(self, calls_a_minute: int | None, at_once: int | None, longest_wait: float) -> None:
        self._limit = calls_a_minute
        self._longest_wait = longest_wait
        self._slots = anyio.Semaphore(at_once) if at_once else None
        self._turn = anyio.Lock()
        self._under_way = 0
        self._answered: deque[float] = deque()
        self._closed_until = 0.0
        self._why = ""

    def close(self, seconds: float, why: str) -> None:
        """The ledger said "too often": no call leaves for that long."""
        self._closed_until = max(self._closed_until, anyio.current_time() + seconds)
        self._why = why

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Entered when the call may leave, left when it was answered. Raises NotAsked."""
        if self._slots is None:
            async with self._counted():
                yield
        else:
            async with self._slots, self._counted():
                yield

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        async with self._turn:
            await self._until_free()
            self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._answered.append(anyio.current_time())

    async def _until_free(self) -> None:
        while (wait := self._wait()) > 0:  # noqa: ASYNC110 - nothing tells of time but time
            await anyio.sleep(max(wait, _LEAST_WAIT_S))

    def _wait(self) -> float:
        now = anyio.current_time()
        while self._answered and self._answered[0] <= now - _WINDOW_S:
            self._answered.popleft()
        closed = self._closed_until - now
        if closed > self._longest_wait:
            raise NotAsked(f"{self._why} for {closed:.0f} s from now", wait=closed)
        full = self._limit is not None and len(self._answered) + self._under_way >= self._limit
        if not full:
            return closed
        # All of them under way: one has to be answered first, which takes as long as it takes.
        return max(closed, self._answered[0] + _WINDOW_S - now if self._answered else 0.05)
