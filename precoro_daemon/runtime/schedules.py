"""when a job's turn comes: at intervals, or at times of the day"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Protocol

from cronsim import CronSim, CronSimError


class Schedule(Protocol):
    """When a turn comes."""

    def after(self, at: float) -> float:
        """Returns the next turn after one that began at `at` (Unix seconds)."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """A number of seconds after the start of the last turn."""

    seconds: float

    def after(self, at: float) -> float:
        return at + self.seconds

    @property
    def turns_a_day(self) -> float:
        return 86_400.0 / self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """Times of the day as in cron, in this machine's time zone. Raises ValueError if they cannot be read."""

    text: str

    def __post_init__(self) -> None:
        try:
            next(CronSim(self.text, datetime(2024, 1, 1)))  # noqa: DTZ001 - any moment will do
        except (CronSimError, StopIteration):
            raise ValueError(self.text) from None

    def after(self, at: float) -> float:
        """Returns the first of its times after `at` (Unix seconds)."""
        now = datetime.fromtimestamp(at)  # noqa: DTZ006 - local, as cron is
        turn = next(CronSim(self.text, now))
        stamp = turn.timestamp() if turn.timestamp() > at else turn.replace(fold=1).timestamp()
        if self._hourly:
            # When summer time ends an hour comes twice, and what is meant for every hour is meant for both.
            earlier = takewhile(lambda moment: moment < turn, CronSim(self.text, now - timedelta(hours=2)))
            again = (moment.replace(fold=1).timestamp() for moment in earlier)
            stamp = next((moment for moment in again if at < moment < stamp), stamp)
        return stamp

    @property
    def _hourly(self) -> bool:
        fields = self.text.split()
        return len(fields) > 1 and fields[1].startswith("*")

    @property
    def turns_a_day(self) -> float:
        """Returns the number of turns on the busiest day of the week that begins with its first turn."""
        times = CronSim(self.text, datetime(2024, 1, 1))  # noqa: DTZ001
        first = next(times)
        week = takewhile(lambda moment: moment < first + timedelta(days=7), times)
        return float(max(Counter([first.date(), *(moment.date() for moment in week)]).values()))


Fixed = Every | Cron
"""A schedule that a user sets."""
