"""a sleep that somebody else may end"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from precoro_daemon.runtime.ports import Clock


class Nap:
    """Of one task, without a second one to keep the time: that would cost several times as much as the sleep."""

    def __init__(self) -> None:
        self._scope: anyio.CancelScope | None = None
        self._over = False

    async def sleep(self, clock: Clock, seconds: float) -> None:
        """So long, or until `end` is called; not at all if it was."""
        if not self._over:
            with anyio.CancelScope() as self._scope:
                await clock.sleep(seconds)
            self._scope = None

    def end(self) -> None:
        """The sleeper goes on."""
        self._over = True
        if self._scope is not None:
            self._scope.cancel()
