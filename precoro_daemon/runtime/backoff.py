"""how long a job, or a whole company, that cannot work waits"""

from __future__ import annotations


def pause_of_job(setbacks: int) -> float:
    """Seconds until a job that could do nothing is tried again, after so many times in a row: 1 to 15 minutes."""
    return min(60.0 * 2.0 ** min(setbacks - 1, 8), 900.0)


LONGEST_PAUSE_S = 900.0
"""Between two attempts to serve a company; one that was served for longer than that has recovered."""


def pause_of_company(setbacks: int) -> float:
    """Seconds until a company that could not be served is tried again, after so many times in a row: 5 seconds to a
    quarter of an hour."""
    return min(5.0 * 2.0 ** min(setbacks - 1, 8), LONGEST_PAUSE_S)
