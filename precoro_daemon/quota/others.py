"""calls that others make on the same key, or that are not granted, as inferred from refusals

If a window is full although our account says that there is room, others filled it. Their calls are subtracted from
our part of that window, so that reserves are kept of what is really there. One refusal may be a coincidence: it takes
at most a tenth of the window. Another one before the first is forgotten takes all that is missing. Each window
without a refusal gives back a tenth of what was taken. A minute gives back by the hour, because what is granted does
not change from one minute to the next; and half of a minute stays ours whatever others do, because a burst of theirs
would slow us for hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.quota.rate_limits import Period

_AT_FIRST = 0.1
_KEPT_A_WINDOW = 0.9

_OURS_OF_A_MINUTE = 0.5

_NEGLIGIBLE = 0.02
"""Share of a window that may be miscounted at its edges."""


class Shared(NamedTuple):
    """The calls of a window that others are now believed to make, beside ours, of those granted."""

    period: Period
    granted: int
    ours: int
    made: int


class Others:
    """The calls of each window that others make, as far as is known."""

    def __init__(self) -> None:
        self._made: dict[Period, tuple[float, float]] = {}

    @property
    def known(self) -> Mapping[Period, tuple[float, float]]:
        """Calls by window, and when that was found."""
        return self._made

    def recall(self, known: Mapping[Period, tuple[float, float]]) -> None:
        """Continues with what an earlier process found."""
        self._made = dict(known)

    def made(self, period: Period, now: float) -> int:
        if period not in self._made:
            return 0
        calls, since = self._made[period]
        return int(calls * _KEPT_A_WINDOW ** max(0, (now - since) // max(SECONDS[period], SECONDS["hour"])))

    def learn(self, period: Period, granted: int, ours: int, left_at: float, now: float) -> Shared | None:
        """Learns from a refused call that left at `left_at`. Returns what is new: that there are others at all."""
        known = self.made(period, now)
        missing = granted - ours - known
        if missing <= _NEGLIGIBLE * granted and not known:
            return None
        if period in self._made and left_at <= self._made[period][1]:
            return None
        # At least one: the call that was refused is among ours, and had no room.
        more = max(1, missing) if known else min(missing, max(1, int(_AT_FIRST * granted)))
        most = int(granted * (1 - _OURS_OF_A_MINUTE)) if period == "minute" else granted
        self._made[period] = (min(known + more, most), now)
        return None if known else Shared(period, granted, ours, known + more)
