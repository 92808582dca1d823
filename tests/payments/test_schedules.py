"""Thousands of schedules of faults, crashes and late arrivals: never twice, never silently lost, nothing stuck."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.payments import both_ways, changes
from tests.payments.schedules import AMOUNTS, OUTCOMES, Schedule, Tally, drawn, mild, play_all, play_pairs
from tests.payments.world import fresh_world


@pytest.fixture(autouse=True)
def own_world() -> None:
    """What other tests of this process left behind would change the numbers, and with them the course of things."""
    fresh_world()


FEWER = OUTCOMES[::2]
PAIRS_SHARES = 40
"""Of all pairs one part is played, and the sweep plays every one."""


def test_pairs_of_outcomes_with_a_crash_at_every_step() -> None:
    tally = asyncio.run(play_pairs(0, PAIRS_SHARES, FEWER))
    assert tally.wrong == []
    assert tally.counts["schedules"] > 40


def test_random_schedules() -> None:
    """The sweep plays as many as it has time for."""
    tally = asyncio.run(play_all(map(drawn, range(80))))
    assert tally.wrong == []
    assert tally.counts["confirmed"] > 15


def test_books_that_change_their_mind_while_payments_are_sent() -> None:
    counts, wrong = asyncio.run(changes.play_all(range(16)))
    assert wrong == []
    assert counts["sent"] > 12
    assert counts["decided"] > 12


def test_a_person_who_decides_while_calls_are_under_way() -> None:
    tally = asyncio.run(play_all(replace(drawn(seed), person=seed) for seed in range(40)))
    assert tally.wrong == []
    assert tally.counts["decided"] > 6


def test_both_directions_at_once_have_no_echo() -> None:
    counts, wrong = asyncio.run(both_ways.play_all(range(10)))
    assert wrong == []
    assert counts["to_precoro confirmed"] > 2
    assert counts["to_ledger confirmed"] > 2


def weighed(schedules: Sequence[Schedule]) -> Counter[str]:
    """What comes of all of them; nearly all are alike, and those that are alike are played once."""
    counts: Counter[str] = Counter()
    for schedule, times in Counter(schedules).items():
        tally: Tally = asyncio.run(play_all([schedule]))
        assert tally.wrong == []
        counts.update({name: count * times for name, count in tally.counts.items()})
    return counts


def test_at_few_faults_hardly_anything_is_left_to_a_person() -> None:
    """0.2 % of the calls fail: of 10,000 full payments none is left, and of 10,000 partial ones at most 50."""
    full = weighed([mild(seed, AMOUNTS["full"]) for seed in range(10_000)])
    assert full["confirmed"] == 10_000
    partial = weighed([mild(seed, AMOUNTS["half"]) for seed in range(10_000)])
    assert partial["confirmed"] + partial["review"] == 10_000
    assert partial["review"] <= 50
