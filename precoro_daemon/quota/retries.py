"""failure + attempt → wait or give up"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.errors import (
    AuthenticationError,
    Forbidden,
    KeyInDoubt,
    MalformedAnswer,
    RateLimited,
    TemporaryError,
)

MOST_FAULTS_A_CALL = 5


MOST_REFUSALS_A_CALL = 10


LONGEST_PAUSE = 60.0


def pause(failures: Sequence[BaseException], jitter: float) -> float | None:
    """Returns the seconds to wait before the next attempt, None to give up.

    `failures` are those of this call so far, newest last. `jitter` (0 to 1) spreads callers that one outage
    interrupted at the same time. A 429 does not count as a fault: the call was not processed, and the budget holds it
    until the window opens.
    """
    newest = failures[-1]
    if not isinstance(newest, TemporaryError) or isinstance(newest, KeyInDoubt):
        return None
    refusals = sum(isinstance(failure, RateLimited) for failure in failures)
    faults = len(failures) - refusals
    if refusals >= MOST_REFUSALS_A_CALL or faults >= MOST_FAULTS_A_CALL:
        return None
    if newest.wait is not None:
        return min(max(newest.wait, 0.0), LONGEST_PAUSE)
    return float(2 ** max(faults - 1, 0)) * (1 + jitter) / 2


_PERIODS_S = (0.0, 3600.0, 6 * 3600.0, 24 * 3600.0)


def quarantine_period(failure: BaseException, attempts: int) -> float:
    """Returns the seconds until a quarantined record is tried again, after `attempts` of its own in a row.

    The next run tries everything once more except what is forbidden: others would wait behind it. What Precoro itself
    refuses is then left alone for longer and longer, because repeated errors can get a key blocked. Failures that may
    pass get some attempts before they are left alone as well, because each attempt is charged.
    """
    attempts += isinstance(failure, Forbidden | AuthenticationError)
    if not isinstance(failure, TemporaryError):
        return _PERIODS_S[min(attempts, len(_PERIODS_S)) - 1]
    if attempts < len(_PERIODS_S):
        return 0.0
    return _PERIODS_S[-1] if isinstance(failure, MalformedAnswer) else _PERIODS_S[1]
