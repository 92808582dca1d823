"""how long a job or a whole company waits that cannot work"""

from __future__ import annotations


def pause_of_job(setbacks: int) -> float:
    """Returns the seconds until a job that could do nothing is tried again, after `setbacks` in a row: 1 to 15
    minutes.
    """
    return min(60.0 * 2.0 ** min(setbacks - 1, 8), 900.0)


LONGEST_PAUSE_S = 900.0
"""The longest pause between two attempts to serve a company; one that was served for longer has recovered."""


def pause_of_company(setbacks: int) -> float:
    """Returns the seconds until a company that could not be served is tried again, after `setbacks` in a row: 5
    seconds to a quarter of an hour.
    """
    return min(5.0 * 2.0 ** min(setbacks - 1, 8), LONGEST_PAUSE_S)
