"""Which failure is worth another try, and after how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon import errors
from precoro_daemon.quota.retries import (
    LONGEST_PAUSE,
    MOST_FAULTS_A_CALL,
    MOST_REFUSALS_A_CALL,
    pause,
    quarantine_period,
)

FAULT = errors.ServerFault("503")
REFUSAL = errors.RateLimited("429", wait=0.0)


def test_faults_wait_ever_longer_and_end_with_the_fifth():
    waits = [pause([FAULT] * n, jitter=1.0) for n in range(1, MOST_FAULTS_A_CALL + 1)]
    assert waits == [1.0, 2.0, 4.0, 8.0, None]


def test_jitter_halves_a_wait_at_most():
    assert pause([FAULT] * 3, jitter=0.0) == 2.0


def test_refusals_do_not_count_as_faults_but_end_too():
    assert pause([REFUSAL] * 4 + [FAULT] * 2, jitter=1.0) == 2.0
    assert pause([FAULT] * 4 + [REFUSAL] * (MOST_REFUSALS_A_CALL - 1), jitter=1.0) == 0.0
    assert pause([REFUSAL] * MOST_REFUSALS_A_CALL, jitter=1.0) is None


@pytest.mark.parametrize(("asked", "kept"), [(0.0, 0.0), (12.0, 12.0), (-3.0, 0.0), (1e9, LONGEST_PAUSE)])
def test_a_wait_that_was_asked_for_is_kept(asked: float, kept: float):
    assert pause([errors.ServerFault("503", wait=asked)], jitter=0.5) == kept


@pytest.mark.parametrize(
    "failure",
    [
        errors.NotFound("404"),
        errors.Refused("400"),
        errors.Forbidden("403"),
        errors.AuthenticationError("401"),
        errors.KeyInDoubt("403"),
        errors.DoubtfulError("?"),
        errors.BudgetSpent("day", resume_at=0.0),
        errors.Stopped("signal"),
        errors.StoreUnusable("disk full"),
        RuntimeError("a mistake of ours"),
    ],
)
def test_what_cannot_help_is_not_tried(failure: Exception):
    assert pause([failure], jitter=0.5) is None
    assert pause([FAULT, failure], jitter=0.5) is None


@given(st.lists(st.sampled_from([FAULT, REFUSAL]), min_size=1, max_size=20), st.floats(0, 1))
def test_every_course_ends_and_no_wait_is_too_long(failures: list[Exception], jitter: float):
    wait = pause(failures, jitter)
    assert wait is None or 0.0 <= wait <= LONGEST_PAUSE
    assert len(failures) < MOST_FAULTS_A_CALL + MOST_REFUSALS_A_CALL or wait is None


HOUR = 3600.0


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        (errors.Refused("422"), [0, HOUR, 6 * HOUR, 24 * HOUR, 24 * HOUR]),
        (errors.Forbidden("403"), [HOUR, 6 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR]),
        (errors.LockedOut("403"), [HOUR, 6 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR]),
        (errors.MalformedAnswer("half"), [0, 0, 0, 24 * HOUR, 24 * HOUR]),
        (errors.ServerFault("503"), [0, 0, 0, HOUR, HOUR]),
    ],
)
def test_what_was_set_aside_is_tried_later_and_later(failure: Exception, waits: list[float]):
    assert [quarantine_period(failure, attempts) for attempts in range(1, 6)] == waits
