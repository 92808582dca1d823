"""what each share of the day has spent, and when it has a call left"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

from precoro_daemon.quota.limits import SECONDS, Lane, Share

_DAY_S = SECONDS["day"]

_SPANS_A_DAY = 48
"""Spans of a day in which calls that are spread over it are counted."""


class ShareAccount:
    """The calls of the last day by share, and those of lists, which reduce shares if they exceed what was scheduled.
    Stamps are kept in order.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self._made: dict[Lane, list[float]] = {lane: [] for lane in Lane}
        self._spent: list[tuple[Share, list[float]]] = []
        self.adopt(shares)

    def adopt(self, shares: Sequence[Share]) -> None:
        """Applies these shares from now on; calls already made count for them too."""
        self._spent = [
            (share, sorted(chain.from_iterable(self._made[lane] for lane in share.lanes))) for share in shares
        ]

    def note(self, at: float, lane: Lane | None) -> None:
        """Records a charged call."""
        if lane is None:
            return
        for stamps in self.stamps_of(lane):
            stamps.append(at)
            if len(stamps) > 2 * (kept := within_a_day(stamps, at)) + 100:
                del stamps[: len(stamps) - kept]

    def opens(self, lane: Lane, now: float, margin: float) -> float:
        """Returns when every share of the lane has a call left, -inf if nothing holds it."""
        openings = (_opens(share, stamps, self._allowed(share, now)) for share, stamps in self._of(lane))
        return max(openings, default=-math.inf) + margin

    def left(self, lane: Lane, now: float) -> Iterator[int]:
        """Yields the calls left today in each share of the lane."""
        return (max(0, self._allowed(share, now) - within_a_day(stamps, now)) for share, stamps in self._of(lane))

    def made(self, lanes: Iterable[Lane], now: float) -> int:
        """Returns the calls of the last day in these lanes."""
        return sum(within_a_day(self._made[lane], now) for lane in lanes)

    def stamps_of(self, lane: Lane | None) -> Iterator[list[float]]:
        """Yields every list in which a call of the lane was recorded."""
        if lane is not None:
            yield self._made[lane]
        for _, stamps in self._of(lane):
            yield stamps

    def _of(self, lane: Lane | None) -> list[tuple[Share, list[float]]]:
        return [(share, stamps) for share, stamps in self._spent if lane in share.lanes]

    def _allowed(self, share: Share, now: float) -> int:
        """Returns the calls of a share today."""
        if share.scheduled is None:
            return share.calls
        beyond = within_a_day(self._made[Lane.LISTS], now) - share.scheduled * self._passed(now) / _DAY_S
        return max(share.least, math.floor(share.calls - max(0.0, beyond)))

    def _passed(self, now: float) -> float:
        """Returns the seconds of the last day in which lists were polled."""
        first = bisect_right(self._made[Lane.LISTS], now - _DAY_S)
        return now - self._made[Lane.LISTS][first] if first < len(self._made[Lane.LISTS]) else 0.0


def _opens(share: Share, stamps: Sequence[float], calls: int) -> float:
    made, latest = len(stamps), -math.inf
    for seconds, part in _spans(share.spread):
        most = max(1, int(calls * part))
        if most <= made:
            latest = max(latest, stamps[-most] + seconds)
    return latest


@cache
def _spans(spread: float) -> Sequence[tuple[float, float]]:
    """Returns spans in seconds, and the part of a day's calls that may leave in any span of that length."""
    if not spread:
        return ((_DAY_S, 1.0),)
    parts = [number / _SPANS_A_DAY for number in range(1, _SPANS_A_DAY + 1)]
    return [(part * _DAY_S, 1 - spread * (1 - part)) for part in parts]


def within_a_day(stamps: Sequence[float], now: float) -> int:
    return len(stamps) - bisect_right(stamps, now - _DAY_S)
