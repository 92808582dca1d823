"""The whole program on a machine whose clock is set by hours and which is suspended, in virtual time: no window is
exceeded for it, payments and lists do not wait, and nothing wrong is learned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.quota.test_week import SHORT
from tests.quota.week import DAY, HOUR, MONDAY, Course, play

SET = replace(SHORT, days=1.2, others=0.0, ends=12.0, wrong_by=6 * HOUR, suspends=3.0, seed=1)
"""A dozen starts, each by a clock that is hours ahead or behind until Precoro's first answer sets it."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return play(tmp_path_factory.mktemp("clocks"), SET)


def test_no_window_is_exceeded(course: Course) -> None:
    assert sum(course.ends.values()) > 8
    assert course.theirs == []
    assert course.ours == course.trials, course.shown()
    assert len(course.ours) <= 1, course.shown()


def test_payments_and_lists_wait_no_longer_than_by_a_right_clock(course: Course) -> None:
    assert course.unsent == []
    assert course.sent
    assert course.exported
    assert max(course.sent) <= 20 * 60, course.shown()
    assert max(course.exported) <= 2 * HOUR, course.shown()
    assert len(course.gaps) == 9
    assert max(course.gaps.values()) <= DAY + 4 * HOUR, course.shown()


def test_nothing_wrong_is_learned(course: Course) -> None:
    """Hours are Precoro's, none of the future, and none is known for longer than it lasts."""
    begins, seconds, changes = zip(*course.watched, strict=True)
    assert max(begins) <= MONDAY + SET.days * DAY
    assert min(begins) >= MONDAY - 15 * DAY
    assert max(seconds) <= HOUR + 1
    known = sum(seconds[number] for number, at in enumerate(begins) if at >= MONDAY)
    assert known >= 0.7 * 9 * SET.days * DAY, "and what passed is known"
    assert sum(changes) < 2_000
