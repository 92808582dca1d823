"""what answers taught about the line and about others on the key, kept for the next process

Theory of operation. A process that knows nothing about the line has to try it, and a trial may cost a refusal; one
that knows nothing about others on the key runs into each full window again. So both are stored with the account of
calls, and fade. Round trips lose half of their weight with each day, because paths change. What others make of a
window fades with the window, as it does in a running process (`others`). Lessons from the future were stamped by a
clock that was set since, and are discarded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Self

from precoro_daemon.quota.rate_limits import Period

_HALVED_S = 86_400.0
_CLOCK_S = 5.0
"""Seconds by which the clocks of two processes may differ."""

_OTHERS: Mapping[Period, str] = {"minute": "others_minute", "hour": "others_hour", "day": "others_day"}


class Lessons(NamedTuple):
    """at               Unix seconds
    round_trips, least, greatest  the number of known round trips, and the shortest and longest in seconds
    tried            seconds by which one way may be longer than another, according to trials; inf before any
    guard            seconds between two calls beyond the second
    tightened_at     when a refusal last changed the two
    others           calls that others make of a window, and when that was found
    counts_refused   whether a refused GET counts for the identical-GET rule
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
        """Returns numbers by name, without unknown ones."""
        pairs = {**self._asdict(), "counts_refused": float(self.counts_refused)}
        del pairs["others"]
        for period, (calls, since) in self.others.items():
            pairs |= {_OTHERS[period]: calls, f"{_OTHERS[period]}_since": since}
        return {name: number for name, number in pairs.items() if math.isfinite(number)}

    @classmethod
    def recalled(cls, flat: Mapping[str, float], now: float) -> Self:
        """Returns what still holds now. Values are validated, because a stored number may be anything."""
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
