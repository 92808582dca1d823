"""a sleep that another task may end"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from precoro_daemon.runtime.ports import Clock


class Nap:
    """A sleep of one task, without a second task for the time, which would cost several times as much."""

    def __init__(self) -> None:
        self._scope: anyio.CancelScope | None = None
        self._over = False

    async def sleep(self, clock: Clock, seconds: float) -> None:
        """Sleeps, or until `end` is called; not at all if it was called before."""
        if not self._over:
            with anyio.CancelScope() as self._scope:
                await clock.sleep(seconds)
            self._scope = None

    def end(self) -> None:
        """Wakes the sleeper."""
        self._over = True
        if self._scope is not None:
            self._scope.cancel()
