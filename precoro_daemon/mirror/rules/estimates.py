"""what a first mirror costs: calls and time, from one page of each list"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls that a first mirror of one collection takes.

    rows     records the user's filter admits
    pages    calls for the list
    details  calls for the full documents, 0 where none are asked for
    """

    collection: str
    rows: int
    pages: int
    details: int

    @property
    def calls(self) -> int:
        return self.pages + self.details


def duration(calls: int, windows: Sequence[tuple[float, int]]) -> float:
    """Seconds until the last of `calls` has left, when each window of that many seconds admits that many calls.

    A window with 0 calls is lifted. Windows are given from the shortest to the longest; each must be a multiple of
    what the shorter ones take to fill it, which the documented limits are.
    """
    seconds = 0.0
    left = max(calls - 1, 0)
    for length, limit in sorted(windows, reverse=True):
        if limit:
            seconds += (left // limit) * length
            left %= limit
    return seconds
