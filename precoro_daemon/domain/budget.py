"""windows, duplicate GETs, lanes, reserves: when may who make the next call"""

from __future__ import annotations

from enum import IntEnum


class Lane(IntEnum):
    """Who spends calls, in order of precedence."""

    PAYMENTS = 0
    DELIVERIES = 1
    LISTS = 2
    DETAILS = 3
    FILES = 4
    CENSUS = 5
