"""which window a 429 closes, and for how long at most"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Period = Literal["second", "minute", "hour", "day"]

SHORTEST_CLOSURE = 1.0
LONGEST_CLOSURE = 26 * 3600.0
"""A daily limit opens within a day whatever time zone it is counted in; anything longer is a mistake."""


class Refusal(Struct, frozen=True):
    """A 429 as read.

    type    Precoro's own words for the limiter, "" if it gave none
    route   whether the limit is the one on identical GETs
    period  the window that is full
    wait    seconds until it opens, None if Precoro gave none that is readable
    """

    type: str
    route: bool
    period: Period
    wait: float | None


def clamp_wait(seconds: float) -> float:
    """Limits a wait, which may be in the past or absurdly long, to 1 second to 26 hours."""
    return min(max(seconds, SHORTEST_CLOSURE), LONGEST_CLOSURE)
