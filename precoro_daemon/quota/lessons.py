"""what answers have taught of the line and of others on the key, as the next process finds it

Theory of operation. A process that knows nothing of the line tries it out, and a trial may cost a refusal; one that
knows nothing of others on the key runs into each full window again. So both are kept with the account of calls, and
what is kept fades. Round trips count for half after each day, as paths change. What others make of a window fades by
the window, as it does while a process runs (`others`). Lessons of the future were stamped by a clock that was set
since: nothing in them holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Self

from precoro_daemon.quota.rate_limits import Period

_HALVED_S = 86_400.0
_CLOCK_S = 5.0
"""By which the clocks of two processes may differ."""

_OTHERS: Mapping[Period, str] = {"minute": "others_minute", "hour": "others_hour", "day": "others_day"}


class Lessons(NamedTuple):
    """at               Unix seconds
    round_trips, least, greatest  how many are known, and the seconds of two of them
    tried            seconds by which one way may be longer than another, as trials showed; inf: none was made
    guard            seconds between two calls beyond the second
    tightened_at     when a refusal last changed the two
    others           calls that others make of a window, and when that was found
    counts_refused   a refused GET counts as asked
    """

    at: float = -math.inf
    round_trips: int = 0
    least: float = math.inf
    greatest: float = -math.inf
    tried: float = math.inf
    guard: float = 0.0
    tightened_at: float = -math.inf
    others: Mapping[Period, tuple[float, float]] = {}
    counts_refused: bool = False

    @property
    def flat(self) -> Mapping[str, float]:
        """Numbers by name; without those that are not known."""
        pairs = {**self._asdict(), "counts_refused": float(self.counts_refused)}
        del pairs["others"]
        for period, (calls, since) in self.others.items():
            pairs |= {_OTHERS[period]: calls, f"{_OTHERS[period]}_since": since}
        return {name: number for name, number in pairs.items() if math.isfinite(number)}

    @classmethod
    def recalled(cls, flat: Mapping[str, float], now: float) -> Self:
        """What still holds now, and can be: no number is trusted to be one."""
        flat = {name: number for name, number in flat.items() if math.isfinite(number)}
        at = flat.get("at", math.inf)
        if at > now + _CLOCK_S:
            return cls()
        age = max(0.0, now - at)
        trips = int(flat.get("round_trips", 0) * 0.5 ** (age / _HALVED_S))
        others = {
            period: (flat[name], flat[f"{name}_since"])
            for period, name in _OTHERS.items()
            if flat.get(f"{name}_since", math.inf) <= now + _CLOCK_S and flat.get(name, -1.0) >= 0
        }
        known = cls(at, others=others, counts_refused=bool(flat.get("counts_refused")))
        if trips <= 0 or not 0 <= flat.get("least", -1.0) <= flat.get("greatest", -1.0):
            return known
        tried = flat.get("tried", math.inf)
        return known._replace(
            round_trips=trips,
            least=flat["least"],
            greatest=flat["greatest"],
            tried=tried if tried > 0 else math.inf,
            guard=max(0.0, flat.get("guard", 0.0)),
            tightened_at=min(flat.get("tightened_at", -math.inf), now),
        )
