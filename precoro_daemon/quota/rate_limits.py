"""which window a 429 closes, and for how long at most"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Period = Literal["second", "minute", "hour", "day"]

SHORTEST_CLOSURE = 1.0
LONGEST_CLOSURE = 26 * 3600.0
"""A daily limit opens within a day whatever the time zone it is counted in; anything longer is a mistake."""


class Refusal(Struct, frozen=True):
    """A 429 as read.

    type    Precoro's own words for the limiter, "" if it gave none
    route   the limit is the one on identical GETs
    period  the window that is full
    wait    seconds until it opens, None if Precoro did not say (or not readably)
    """

    type: str
    route: bool
    period: Period
    wait: float | None


def clamp_wait(seconds: float) -> float:
    """Past or absurdly far: a wait is never less than a second nor more than 26 hours."""
    return min(max(seconds, SHORTEST_CLOSURE), LONGEST_CLOSURE)
