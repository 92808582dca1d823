"""its clock, which may run faster than ours"""

import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


class SimulatedClock:
    """Simulated time since the epoch, `scale` times as fast as real time from the start on."""

    def __init__(self, scale: float = 1.0, start: datetime | None = None) -> None:
        self.scale = scale
        self._born = time.monotonic()
        self.start = start.timestamp() if start else time.time()

    def at(self, real: float) -> float:
        """The simulated time at a reading of `time.monotonic`."""
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
    """An API date: 0 with offset, 1 without one (UTC), 2 with another offset than UTC."""
    day, second = divmod(int(when) + (_EAST if style == 2 else 0), _DAY)
    minute = second // 60
    # Put together by hand: five of these in every record make a large company's lists.
    return f"{_date(day)}{minute // 60:02d}:{minute % 60:02d}:{second % 60:02d}{_OFFSETS[style]}"


_OFFSETS = ("+00:00", "", "+02:00")


def limit_stamp(when: float) -> str:
    """The form of `RateLimit-Retry-After`, cut to the second."""
    return datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def http_date(when: float) -> str:
    return formatdate(when, usegmt=True)
