"""how long a job that cannot work waits"""

from __future__ import annotations


def pause_of_job(setbacks: int) -> float:
    """Seconds until a job that could do nothing is tried again, after so many times in a row: 1 to 15 minutes."""
    return min(60.0 * 2.0 ** min(setbacks - 1, 8), 900.0)
