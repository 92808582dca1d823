"""what checks that find nothing prove about a write in doubt"""

from __future__ import annotations

from precoro_daemon.writes.checks import CHECKS_AFTER_S

PROOF_CHECKS = 3
"""Checks without a trace of the write after which it probably did not happen."""

PROOF_AFTER_S = 900.0
"""And seconds since it was sent: three checks in one minute prove less."""


def is_probably_absent(sent_at: float, checks: int, now: float) -> bool:
    """Whether so many checks found nothing often enough and for long enough. A request may still land later, so this
    alone never permits a second one that would add to the first."""
    return checks >= PROOF_CHECKS and now >= sent_at + PROOF_AFTER_S


def check_before_certainty(sent_at: float, now: float) -> float | None:
    """When to check next, as long as the write may still land; None when it can no longer, a day after sending."""
    return next((sent_at + after for after in CHECKS_AFTER_S if sent_at + after > now), None)
