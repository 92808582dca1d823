"""What becomes of a job: the table, and what a job remembers beside it."""

from __future__ import annotations

from itertools import product

import pytest

from precoro_daemon.runtime.job import OncePerRound
from precoro_daemon.runtime.job_state import HELD, TABLE, Event, ImpossibleTransition, JobStatus, State, after

ROWS = {(row.source, row.event): row.target for row in TABLE}


def test_no_row_contradicts_another() -> None:
    assert len(ROWS) == len(TABLE)


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_what_is_not_in_the_table_cannot_happen(state: State, event: Event) -> None:
    if (state, event) in ROWS:
        assert after(state, event) is ROWS[state, event]
    else:
        with pytest.raises(ImpossibleTransition, match=f"{event} cannot happen to a job that is {state}"):
            after(state, event)


@pytest.mark.parametrize("state", list(State))
def test_every_job_may_be_woken_and_drained_at_any_moment(state: State) -> None:
    assert after(state, Event.DRAIN) is State.DRAINING
    assert after(state, Event.WAKE) is (State.DUE if state is State.IDLE else state)


@pytest.mark.parametrize("event", [Event.CHECK, Event.QUEUE, Event.BEGIN])
def test_nothing_begins_while_the_scheduler_drains(event: Event) -> None:
    with pytest.raises(ImpossibleTransition):
        after(State.DRAINING, event)
    assert {row.target for row in TABLE if row.source is State.DRAINING} == {State.DRAINING}


def test_a_lap_begins_only_after_a_check() -> None:
    assert [row.source for row in TABLE if row.target is State.RUNNING and row.source is not State.RUNNING] == [
        State.DUE
    ]
    assert {row.event for row in TABLE if row.target is State.DUE} >= {Event.CHECK}


@pytest.mark.parametrize("state", sorted(HELD))
def test_what_is_held_is_left_by_time_alone(state: State) -> None:
    assert {row.event for row in TABLE if row.source is state and row.target is not state} == {
        Event.CHECK,
        Event.DRAIN,
    }


def test_a_wake_up_during_a_lap_makes_the_job_due_again() -> None:
    status = JobStatus("lists", state=State.RUNNING)
    status.wake()
    assert status.state is State.RUNNING
    status.move(Event.FINISH)
    assert status.state is State.DUE


def test_a_clock_that_is_set_back_moves_the_next_check_with_it() -> None:
    status = JobStatus("lists")
    status.plan(at=1000.0 + 300.0, now=1000.0)
    assert status.left(1100.0) == 200.0
    assert status.left(400.0) == 300.0, "a day ahead or ten minutes: not longer than it was to be"
    assert status.left(500.0) == 200.0


def test_a_job_that_is_due_once_a_round_is_due_again_if_its_lap_was_broken_off() -> None:
    rounds = OncePerRound()
    assert rounds.due(1.0)
    assert rounds.due(1.0), "no lap has ended"
    rounds.lap_ended()
    assert not rounds.due(1.0)
    assert rounds.due(2.0)
