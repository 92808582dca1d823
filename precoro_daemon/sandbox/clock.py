"""the simulated clock, which may run faster than real time"""

import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


class SimulatedClock:
    """Simulated time since the epoch. From the start it runs `scale` times as fast as real time."""

    def __init__(self, scale: float = 1.0, start: datetime | None = None) -> None:
        self.scale = scale
        self._born = time.monotonic()
        self.start = start.timestamp() if start else time.time()

    def at(self, real: float) -> float:
        """Returns the simulated time at a reading of `time.monotonic`."""
        return self.start + (real - self._born) * self.scale

    def now(self) -> float:
        return self.at(time.monotonic())

    def real_seconds(self, simulated: float) -> float:
        return simulated / self.scale


_DAY = 86_400
_EAST = 2 * 3_600


@lru_cache(maxsize=8_192)
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY, UTC).strftime("%Y-%m-%dT")


def stamp(when: float, style: int = 0) -> str:
    """Returns a date as the API writes it.

    style  0 with offset, 1 without one (UTC), 2 with an offset other than UTC
    """
    day, second = divmod(int(when) + (_EAST if style == 2 else 0), _DAY)
    minute = second // 60
    # Built by hand, because every record of a large list has five of these.
    return f"{_date(day)}{minute // 60:02d}:{minute % 60:02d}:{second % 60:02d}{_OFFSETS[style]}"


_OFFSETS = ("+00:00", "", "+02:00")


def limit_stamp(when: float) -> str:
    """Returns a time in the format of `RateLimit-Retry-After`, cut to the second."""
    return datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def http_date(when: float) -> str:
    return formatdate(when, usegmt=True)
