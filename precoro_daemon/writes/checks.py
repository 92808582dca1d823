"""when a write whose outcome is unknown is checked"""

from __future__ import annotations

CHECKS_AFTER_S = (65.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0)
"""Seconds after sending at which the other side is checked. Precoro refuses an identical GET within a minute, and
requests have been seen to arrive hours late."""

CHECK_GAP_S = 65.0
"""Least seconds between two checks, however late the first one was."""


def first_check(sent_at: float) -> float:
    return sent_at + CHECKS_AFTER_S[0]


def next_check(sent_at: float, checks: int, now: float) -> float | None:
    """Returns the time of the next check after `checks` checks, None when checking is over."""
    if checks >= len(CHECKS_AFTER_S):
        return None
    return max(sent_at + CHECKS_AFTER_S[checks], now + (CHECK_GAP_S if checks else 0.0))
