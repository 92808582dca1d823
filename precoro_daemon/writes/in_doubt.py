"""what checks that find nothing prove about a write in doubt"""

from __future__ import annotations

from precoro_daemon.writes.checks import CHECKS_AFTER_S

PROOF_CHECKS = 3
"""Checks without a trace of the write after which it probably did not happen."""

PROOF_AFTER_S = 900.0
"""Least seconds since it was sent: three checks in one minute prove less."""


def is_probably_absent(sent_at: float, checks: int, now: float) -> bool:
    """Returns whether enough checks over a long enough time found nothing.

    A request may still be processed later, so this alone never permits a second write that would add to the first.
    """
    return checks >= PROOF_CHECKS and now >= sent_at + PROOF_AFTER_S


def check_before_certainty(sent_at: float, now: float) -> float | None:
    """Returns the time of the next check while the write may still be processed; None from a day after sending on."""
    return next((sent_at + after for after in CHECKS_AFTER_S if sent_at + after > now), None)
