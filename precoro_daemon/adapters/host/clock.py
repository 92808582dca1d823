"""real time and sleep"""

from __future__ import annotations

import time

_TRUSTED = 2.0
"""Seconds by which a right clock may differ from a server's `Date`, which is cut to the second and takes time to
arrive.
"""

_LONGEST_TIMER_S = 60.0
"""Longest single timer in real seconds: the loop's own clock stops while the machine is suspended."""

_COARSE = 0.0015
"""Real seconds by which the loop's timers are late. A time scale multiplies them, so the last ones are spent in a
busy
wait.
"""

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class RealClock:
    """Unix seconds, counted from the wall clock at the start, so that setting the clock later does not change them.

    Time in suspend counts. With `time_scale` they run that many times faster than real seconds. They never run
    backwards,
    with one exception: `anchor` shifts them when the first server's `Date` shows that the wall clock was wrong.
    """

    def __init__(self, time_scale: float = 1.0, ahead: float = 0.0) -> None:
        """`ahead`: seconds by which the clock starts ahead of the wall clock, until it is anchored."""
        self.time_scale = time_scale
        self._start = self._elapsed()
        self._origin = time.time() + ahead
        self._anchored = False

    def now(self) -> float:
        return self._origin + (self._elapsed() - self._start) * self.time_scale

    def begin_at(self, agreed: float) -> None:
        """Starts at the time shared by all users of a state, until a server's `Date` is known.

        Other machines, with other clocks, made calls that count here. A rehearsal has its own time.
        """
        shift = agreed - self.now()
        if not self._anchored and self.time_scale == 1 and abs(shift) > _TRUSTED:
            self._origin += shift

    def anchor(self, server_now: float) -> float:
        """Sets the clock to the server's at the first call, and returns the shift in seconds.

        So what is persisted is in the server's time, even if the local clock is a day wrong.
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
