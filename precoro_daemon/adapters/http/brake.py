"""one rate limit for the calls of all companies from one address"""

from __future__ import annotations

import math

import anyio


class EgressBrake:
    """Implements `Brake`: a number of calls a second, divided among the processes of one address.

    What the other processes spend is unknown here, so each has an equal part of the rate, used or not.
    """

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._processes = 1
        self._left_at = -math.inf
        self._turn: anyio.Lock | None = None

    def share(self, processes: int) -> None:
        """Sets how many processes call from this address, including this one."""
        self._processes = max(1, processes)

    async def wait(self) -> None:
        self._turn = self._turn or anyio.Lock()
        async with self._turn:
            await anyio.sleep_until(self._left_at + self._interval * self._processes)
            self._left_at = anyio.current_time()
