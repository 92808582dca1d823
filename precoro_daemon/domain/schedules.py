"""when a job has its turn by itself: every so often, or at times of the day"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from cronsim import CronSim, CronSimError


@dataclass(frozen=True, slots=True)
class Every:
    """So many seconds after the last turn began."""

    seconds: float

    def after(self, at: float) -> float:
        return at + self.seconds

    @property
    def turns_a_day(self) -> float:
        return 86_400.0 / self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """Times of the day as cron has them, in the time zone of this machine. Raises ValueError if it cannot be read."""

    text: str

    def __post_init__(self) -> None:
        try:
            next(CronSim(self.text, datetime(2024, 1, 1)))  # noqa: DTZ001 - any moment will do
        except (CronSimError, StopIteration):
            raise ValueError(self.text) from None

    def after(self, at: float) -> float:
        """The first of its times that is later than that (Unix seconds)."""
        turn = next(CronSim(self.text, datetime.fromtimestamp(at)))  # noqa: DTZ006 - local, as cron is
        # In the hour that comes twice, when summer time ends, it is meant the second time.
        return turn.timestamp() if turn.timestamp() > at else turn.replace(fold=1).timestamp()

    @property
    def turns_a_day(self) -> float:
        """On the busiest day of the week that begins with its first turn."""
        times = CronSim(self.text, datetime(2024, 1, 1))  # noqa: DTZ001
        first = next(times)
        week = takewhile(lambda moment: moment < first + timedelta(days=7), times)
        return float(max(Counter([first.date(), *(moment.date() for moment in week)]).values()))


Schedule = Every | Cron
