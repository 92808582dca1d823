"""The rules of writes that happen at most once, as tables: what an outcome is, and when a doubt is checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFault,
    DaemonError,
    DoubtfulError,
    PermanentError,
)
from precoro_daemon.writes.checks import CHECK_GAP_S, CHECKS_AFTER_S, first_check, next_check
from precoro_daemon.writes.in_doubt import check_before_certainty, is_probably_absent
from precoro_daemon.writes.outcome import (
    Convention,
    Outcome,
    OutcomeKind,
    Reply,
    outcome_by_contract,
    outcome_of_failure,
    outcome_of_reply,
)
from precoro_daemon.writes.permit import PermitState

AMBIGUOUS = Convention(ambiguous=frozenset({"sum"}))
BELIEVED = Convention(believed={404: lambda text: Outcome(OutcomeKind.REFUSED, text)})


@pytest.mark.parametrize(
    ("reply", "convention", "kind"),
    [
        (Reply(201, "", own=True, result=7), AMBIGUOUS, "accepted"),
        (Reply(201, "", own=True), AMBIGUOUS, "unknown"),
        (Reply(429, "", own=True), AMBIGUOUS, "unsent"),
        (Reply(429, "", own=False), AMBIGUOUS, "unknown"),
        (Reply(400, "", own=True, errors=["day"]), AMBIGUOUS, "refused"),
        (Reply(400, "", own=True, errors=["day", "sum"]), AMBIGUOUS, "unknown"),
        (Reply(400, "", own=True), AMBIGUOUS, "unknown"),
        (Reply(404, "", own=True), AMBIGUOUS, "unknown"),
        (Reply(404, "", own=True), BELIEVED, "refused"),
        (Reply(404, "", own=False), BELIEVED, "unknown"),
        (Reply(302, "", own=True), BELIEVED, "unknown"),
        (Reply(500, "", own=True, errors=["day"]), BELIEVED, "unknown"),
    ],
)
def test_what_an_answer_means(reply: Reply[int], convention: Convention, kind: str) -> None:
    outcome = outcome_of_reply(reply, convention)
    assert outcome.kind == kind
    assert (outcome.result is not None) == (kind == "accepted")


@pytest.mark.parametrize(
    ("error", "of_failure", "by_contract"),
    [
        (DoubtfulError("x"), ("unknown", False), ("unknown", False)),
        (ConnectionFault("x"), ("unsent", False), ("unsent", True)),
        (PermanentError("x"), ("unknown", True), ("refused", False)),
        (AuthenticationError("x"), ("unknown", True), ("unsent", True)),
        (ConfigurationError("x"), ("unknown", True), ("unsent", True)),
    ],
)
def test_what_a_failure_means(
    error: DaemonError, of_failure: tuple[str, bool], by_contract: tuple[str, bool]
) -> None:
    """Whether it ends everything else stands beside the kind."""
    for outcome, expected in ((outcome_of_failure(error), of_failure), (outcome_by_contract(error), by_contract)):
        assert (outcome.kind, outcome.ended is not None) == expected


def test_a_permit_is_good_for_five_seconds() -> None:
    """By our clock since it was given, and by real time since it was asked for."""
    permit = PermitState(asked_at=7.0)
    assert not permit.lets_leave(0.0, 7.0)
    permit.given_at = 100.0
    assert permit.lets_leave(105.0, 12.0)
    assert not permit.lets_leave(105.1, 7.0)
    assert not permit.lets_leave(100.0, 12.1)


@given(st.floats(0, 1e9), st.integers(0, 7), st.floats(0, 1e6))
def test_checks_never_come_too_soon_and_come_to_an_end(sent_at: float, checks: int, late: float) -> None:
    at = next_check(sent_at, checks, sent_at + late)
    if checks >= len(CHECKS_AFTER_S):
        assert at is None
        return
    assert at is not None
    assert at >= first_check(sent_at)
    assert not checks or at >= sent_at + late + CHECK_GAP_S


@pytest.mark.parametrize(("checks", "after", "proved"), [(2, 1e6, False), (3, 899.0, False), (3, 900.0, True)])
def test_absence_is_proved_by_checks_and_by_time(checks: int, after: float, proved: bool) -> None:
    assert is_probably_absent(1_000.0, checks, 1_000.0 + after) is proved


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_may_still_land_is_checked_until_a_day_has_passed(sent_at: float, late: float) -> None:
    at = check_before_certainty(sent_at, sent_at + late)
    assert (at is None) == (sent_at + late >= sent_at + CHECKS_AFTER_S[-1])
    assert at is None or at > sent_at + late
