"""a local Precoro: its clock, which may run faster than ours."""

import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate


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


_EAST = timezone(timedelta(hours=2))


def stamp(when: float, style: int = 0) -> str:
    """An API date: 0 with offset, 1 without one (UTC), 2 with another offset than UTC."""
    if style == 1:
        return datetime.fromtimestamp(int(when), UTC).isoformat()[:19]
    return datetime.fromtimestamp(int(when), _EAST if style else UTC).isoformat()


def limit_stamp(when: float) -> str:
    """The form of `RateLimit-Retry-After`, cut to the second."""
    return datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def http_date(when: float) -> str:
    return formatdate(when, usegmt=True)
