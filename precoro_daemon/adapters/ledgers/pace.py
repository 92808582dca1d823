"""when the next call to a ledger may leave: limits a minute and of concurrent calls, and waits"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from precoro_daemon.errors import TemporaryError

_WINDOW_S = 60.25
"""The vendor's minute, plus the difference that two clocks may have in it."""

_LEAST_WAIT_S = 0.001
"""Rounding may leave a wait shorter than the clock can measure, and such a wait would be repeated forever."""


class NotAsked(TemporaryError):
    """Raised, without sending, when the ledger is closed for longer than a call may wait. A later lap tries again."""


class Pace:
    """Limits the calls to one ledger, by this machine's clock.

    The vendor counts a call when it arrives, which is between its start and its answer. So a call counts here
    until a minute after its answer. Then no window of the vendor holds more calls than allowed, and the whole
    limit is used if answers are quick. Several calls may leave at once after a pause.

    longest_wait  most seconds that a call waits while the ledger is closed; if it would take longer, it fails unsent
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
        """Holds all calls for that many seconds, because the ledger answered "too often"."""
        self._closed_until = max(self._closed_until, anyio.current_time() + seconds)
        self._why = why

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Waits until the call may leave, and counts it as answered on exit. Raises NotAsked."""
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
        # If all counted calls are under way, check again soon: one of them must be answered first.
        return max(closed, self._answered[0] + _WINDOW_S - now if self._answered else 0.05)
