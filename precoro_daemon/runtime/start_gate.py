"""limits how many companies of a process start at once, in the order in which they came"""

from __future__ import annotations

import anyio

_AT_ONCE = 4
"""A start takes its own connection to the database, and a core for a fifth of a second. A worker that started
hundreds at once would renew its lease too late, lose them all, and start again.
"""

_LONG_S = 10.0
"""Seconds after which a start no longer counts: one that waits for a ledger or a disk does not delay the others."""


class StartGate:
    """`enter` waits for a turn; `leave` gives it back, and may be called again."""

    def __init__(self) -> None:
        self._began: dict[object, float] = {}
        self._order = anyio.Lock()
        self._left = anyio.Event()

    async def enter(self, who: object) -> None:
        async with self._order:
            while (full_for := self._full_for()) > 0:
                with anyio.move_on_after(full_for):
                    await self._left.wait()
            self._began[who] = anyio.current_time()

    def leave(self, who: object) -> None:
        if self._began.pop(who, None) is not None:
            self._left.set()
            self._left = anyio.Event()

    def _full_for(self) -> float:
        """Returns the seconds until the next turn, unless a place becomes free before; 0 or less if it is now."""
        recent = sorted(self._began.values())[-_AT_ONCE:]
        return recent[0] + _LONG_S - anyio.current_time() if len(recent) == _AT_ONCE else 0.0
