"""how many calls go side by side: enough for the allowed rate at the latency that is seen"""

from __future__ import annotations

import math

_LEAST_IN_FLIGHT = 2
_MOST_IN_FLIGHT = 32
_UNPACED_IN_FLIGHT = 16
"""Where no limit sets the pace: a server that takes 50 ms then never keeps us waiting, and what is read ahead of a
commit stays within some ten megabytes."""


def latency_after(known: float, measured: float) -> float:
    """Seconds until an answer. Up at once, down slowly: too low a bound costs calls, too high a one none."""
    return max(measured, 0.8 * known + 0.2 * measured)


def in_flight_bound(latency: float, interval: float, *, proven: bool) -> int:
    """Enough calls to use the allowed rate, few enough not to flood a fast server.

    interval  seconds between two calls that the limits ask for; 0 where they ask for none
    proven    the key has been answered. Until then one: a wrong key costs one call, not a burst
    """
    if not proven:
        return 1
    if not interval:
        return _UNPACED_IN_FLIGHT
    return min(max(math.ceil(latency / interval) + 1, _LEAST_IN_FLIGHT), _MOST_IN_FLIGHT)
