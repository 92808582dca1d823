"""Forbidden twice, faulty three times: what counts, what is forgotten, and for how long a job is idle."""

from __future__ import annotations

import pytest

from precoro_daemon.errors import (
    ConnectionFault,
    DaemonError,
    Forbidden,
    KeyInDoubt,
    MalformedAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    TimedOut,
)
from precoro_daemon.quota.circuit_breaker import IDLE_S, CircuitBreaker, Outcome, outcome_of

GOOD = None
NOW = 1e9


def fed(*ends: DaemonError | None, most_faults: int = 3) -> tuple[CircuitBreaker, list[DaemonError | None]]:
    """The breaker after these calls, and what it said to each."""
    breaker, said = CircuitBreaker(most_faults), []
    for end in ends:
        breaker = breaker.after(Outcome.GOOD if end is None else outcome_of(end))
        said.append(None if end is None else breaker.verdict(end))
    return breaker, said


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Forbidden(""), Outcome.FORBIDDEN),
        (NotFound(""), Outcome.REFUSED),
        (Refused(""), Outcome.REFUSED),
        (ServerFault(""), Outcome.FAULTY),
        (ConnectionFault(""), Outcome.FAULTY),
        (TimedOut(""), Outcome.FAULTY),
        (MalformedAnswer(""), Outcome.UNCLEAR),
        (RateLimited(""), Outcome.UNCLEAR),
        (KeyInDoubt(""), Outcome.UNCLEAR),
    ],
)
def test_each_failure_shows_one_thing(error: DaemonError, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome


def test_the_second_forbidden_one_in_a_row_puts_the_key_in_doubt() -> None:
    _, [first, second] = fed(Forbidden("one"), Forbidden("two"))
    assert first is None
    assert isinstance(second, KeyInDoubt)
    assert str(second) == "two"


@pytest.mark.parametrize("between", [NotFound(""), Refused(""), ServerFault(""), MalformedAnswer("")])
def test_nothing_but_a_good_answer_shows_that_the_key_is_welcome(between: DaemonError) -> None:
    assert isinstance(fed(Forbidden(""), between, Forbidden(""))[1][-1], KeyInDoubt)
    assert fed(Forbidden(""), GOOD, Forbidden(""))[1][-1] is None


def test_the_third_fault_in_a_row_ends_the_lap_with_itself() -> None:
    faults = [ServerFault("one"), TimedOut("two"), ServerFault("three")]
    assert fed(*faults)[1] == [None, None, faults[-1]]


@pytest.mark.parametrize("between", [GOOD, NotFound(""), Forbidden("")])
def test_any_answer_shows_that_the_server_is_well(between: DaemonError | None) -> None:
    assert fed(ServerFault(""), ServerFault(""), between, ServerFault(""))[1][-1] is None


def test_what_is_in_flight_together_may_fail_together() -> None:
    _, said = fed(*[ServerFault("")] * 11, most_faults=8 + 3)
    assert [one is None for one in said] == [True] * 10 + [False]


def test_a_key_in_doubt_leaves_the_job_idle_and_a_server_in_trouble_does_not() -> None:
    breaker, [_, doubt] = fed(Forbidden(""), Forbidden(""))
    rested = breaker.at_end(doubt, NOW)
    assert rested.is_idle(NOW + IDLE_S - 1)
    assert not rested.is_idle(NOW + IDLE_S)
    assert not breaker.at_end(ServerFault(""), NOW).is_idle(NOW)


def test_a_lap_begins_with_nothing_counted_and_idle_for_as_long_as_it_was() -> None:
    breaker, [*_, doubt] = fed(ServerFault(""), ServerFault(""), Forbidden(""), Forbidden(""))
    idle = breaker.at_end(doubt, NOW)
    assert idle.at_end(None, NOW + 1).fresh() == CircuitBreaker(idle_until=NOW + IDLE_S)
