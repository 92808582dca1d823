"""when a write whose outcome is unknown is checked"""

from __future__ import annotations

LOOKS = (65.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0)
"""Seconds after sending at which the invoice is read. Precoro refuses an identical GET within a minute; requests have
been seen to arrive hours late."""


BETWEEN_LOOKS = 65.0


def next_look(sent_at: float, looks: int, now: float) -> float | None:
    """When to look next, after so many looks; None when looking is over."""
    return max(sent_at + LOOKS[looks], now + (BETWEEN_LOOKS if looks else 0.0)) if looks < len(LOOKS) else None
