"""failure + attempt → wait or give up"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.errors import RateLimited, TemporaryError

MOST_FAULTS = 5
MOST_REFUSALS = 10
LONGEST_PAUSE = 60.0


def pause(failures: Sequence[BaseException], jitter: float) -> float | None:
    """Seconds to wait before the next try, None to give up.

    `failures` are those of this call so far, the newest last. `jitter` (0 to 1) spreads the callers that one outage
    threw back at the same time. A 429 does not count as a fault: the call was not looked at, and the budget holds it
    until the window opens.
    """
    newest = failures[-1]
    if not isinstance(newest, TemporaryError):
        return None
    refusals = sum(isinstance(failure, RateLimited) for failure in failures)
    faults = len(failures) - refusals
    if refusals >= MOST_REFUSALS or faults >= MOST_FAULTS:
        return None
    if newest.wait is not None:
        return min(max(newest.wait, 0.0), LONGEST_PAUSE)
    return float(2 ** max(faults - 1, 0)) * (1 + jitter) / 2
