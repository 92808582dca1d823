"""real time and sleep"""

from __future__ import annotations

import time

_TRUSTED = 2.0
"""Seconds a right clock may differ from a server's `Date`, which is cut to the second and took time to arrive."""

_LONGEST_TIMER_S = 60.0
"""Longest single timer in real seconds: the loop's own clock stands still while the machine is suspended."""

_COARSE = 0.0015
"""Real seconds by which the loop's timers are late. In a rehearsal they stand for many: the last ones are waited for
awake."""

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class RealClock:
    """Unix seconds counted on from the wall clock at start, so that nobody who sets the clock moves them.

    Suspend counts. With `time_scale` they run that many times faster than real seconds. They never run backwards,
    except once: when the first server's `Date` shows that the wall clock was wrong, `anchor` shifts them.
    """

    def __init__(self, time_scale: float = 1.0, ahead: float = 0.0) -> None:
        """`ahead`: seconds the clock starts ahead of the wall clock, until it is anchored."""
        self.time_scale = time_scale
        self._start = self._elapsed()
        self._origin = time.time() + ahead
        self._anchored = False

    def now(self) -> float:
        return self._origin + (self._elapsed() - self._start) * self.time_scale

    def begin_at(self, agreed: float) -> None:
        """Until a server's `Date` is known, go by the time on which those agree who share a state: on other machines,
        with clocks of their own, calls were made that count here. A rehearsal has a time of its own."""
        shift = agreed - self.now()
        if not self._anchored and self.time_scale == 1 and abs(shift) > _TRUSTED:
            self._origin += shift

    def anchor(self, server_now: float) -> float:
        """Set the clock by the server's, the first time this is called. Returns the shift in seconds.

        What is persisted is then in the server's time, even if the local clock is a day wrong.
        """
        shift = server_now - self.now()
        if self._anchored or abs(shift) <= _TRUSTED:
            shift = 0.0
        self._anchored = True
        self._origin += shift
        return shift

    async def sleep(self, seconds: float) -> None:
        import anyio  # noqa: PLC0415 - who only asks for the time has no loop

        end = self._elapsed() + seconds / self.time_scale
        awake = _COARSE if self.time_scale > 1 else 0.0
        while (left := end - self._elapsed()) > 0:  # noqa: ASYNC110 - nothing tells of time but time
            await anyio.sleep(min(max(left - awake, 0.0), _LONGEST_TIMER_S))

    @staticmethod
    def _elapsed() -> float:
        return time.clock_gettime(_BOOT_CLOCK)
