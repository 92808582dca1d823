"""The rules of leases, as properties."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.runtime.tenure import (
    SHORTEST_LEASE_S,
    Fleet,
    Holding,
    Standing,
    deposed,
    hands_over,
    next_turn,
    renewed_every,
    reserve,
    start_offset,
    targets,
    turn_every,
)
from precoro_daemon.writes.permit import PERMIT_GOOD_FOR_S

LEASES = st.floats(1, 600)
HELD = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 200), min_size=1, max_size=8)


def of(worker: str, count: int, moved_to: str | None = None) -> list[Holding]:
    return [Holding(f"{worker}{number:03}", 1, "", moved_to) for number in range(count)]


def test_a_payment_leaves_within_the_reserve_of_the_shortest_lease():
    assert reserve(SHORTEST_LEASE_S) >= PERMIT_GOOD_FOR_S


@given(LEASES)
def test_a_healthy_worker_may_always_call(lease: float):
    """The oldest that its lease becomes: a renewal was due just after a turn, and comes with the next."""
    assert renewed_every(lease) + turn_every(lease) < lease - reserve(lease)


@given(LEASES, st.floats(0, 1e6), st.floats(0, 1e4))
def test_what_a_lease_allows_shrinks_with_its_age(lease: float, sent_at: float, age: float):
    standing, now = Standing(lease).renewed(sent_at), sent_at + age
    assert not (standing.lets_call(now) and standing.over(now))
    assert not (standing.lets_call(now) and now - sent_at > lease - reserve(lease) + 1e-6)
    assert standing.over(now) == (now >= standing.ends_at)
    assert not standing.failed().lets_call(now)
    assert standing.failed().over(now) == standing.over(now)


def test_before_the_first_renewal_nothing_is_allowed():
    assert Standing(15).over(0)
    assert not Standing(15).lets_call(0)


@given(LEASES, st.floats(0, 1e6), st.floats(0, 1e4))
def test_a_renewal_is_tried_twice_again_before_the_lease_ends(lease: float, sent_at: float, age: float):
    standing, now = Standing(lease).renewed(sent_at), sent_at + age
    assert 0 <= standing.renewal_in(now) <= renewed_every(lease) + 1e-6
    assert (standing.renewal_in(now) == 0) == (now >= sent_at + renewed_every(lease))
    assert renewed_every(lease) + 2 * standing.failed().renewal_in(now) < lease


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.integers(0, 40), st.none() | st.integers(1, 40))
def test_what_no_other_worker_has_a_file_for_is_kept_and_never_handed_back(
    here: set[int], held: set[int], other: int, most: int | None
):
    only_here = frozenset(f"here{number}" for number in here)
    mine = [*of("shared", 7), *(Holding(f"here{number}", 1, "") for number in held)]
    fleet = Fleet(7 + other, 0, {"a": 7, "b": other}, only_here=only_here, most={} if most is None else {"a": most})
    turn = next_turn("a", "a", mine, fleet)
    assert not only_here & set(turn.hand_back)
    missing = only_here - {one.company for one in mine}
    assert set(turn.keep) <= missing
    assert len(turn.keep) == min(len(missing), len(missing) if most is None else max(0, most - len(mine)))


@given(LEASES, st.floats(0, 1e4))
def test_a_loop_that_is_silent_for_a_lease_keeps_what_it_has_and_for_three_does_not(lease: float, silent_for: float):
    assert not hands_over(min(silent_for, lease), lease)
    assert hands_over(3 * lease + silent_for, lease)


@given(HELD, st.integers(0, 1000))
def test_targets_are_even_and_need_the_fewest_moves(held: Mapping[str, int], companies: int):
    aim = targets(held, companies)
    assert sum(aim.values()) == companies
    assert max(aim.values()) - min(aim.values()) <= 1
    most = max(aim.values())
    full = sum(count >= most for count in held.values())
    bound = sum(max(0, count - most) for count in held.values())
    if companies % len(held):
        bound += max(0, full - companies % len(held))
    assert sum(max(0, count - aim[worker]) for worker, count in held.items()) == bound


@given(HELD, st.integers(0, 300))
def test_turns_end_in_an_even_spread_and_serve_every_company(held: Mapping[str, int], free: int):
    """Every worker in turn, each by what it sees then; a company that is handed back is free for the others."""
    held, total = dict(held), sum(held.values()) + free
    for _ in range(60):
        moved = False
        for worker in held:
            turn = next_turn(worker, worker, of(worker, held[worker]), Fleet(total, free, held, frozenset(held)))
            taken = min(turn.take, free)
            held[worker] += taken - len(turn.hand_back)
            free += len(turn.hand_back) - taken
            moved |= bool(taken or turn.hand_back)
        if not moved:
            break
    assert free == 0
    assert max(held.values()) - min(held.values()) <= 1


@given(HELD, st.integers(0, 1000), st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 60)))
def test_a_worker_has_no_more_than_it_takes_and_the_others_have_the_rest(
    held: Mapping[str, int], companies: int, most: Mapping[str, int]
):
    aim = targets(held, companies, most)
    assert aim.keys() == held.keys()
    assert all(aim[worker] <= bound for worker, bound in most.items() if worker in held)
    room = sum(most.get(worker, companies) for worker in held)
    assert sum(aim.values()) == min(companies, room)
    free = [count for worker, count in aim.items() if count < most.get(worker, companies + 1)]
    assert not free or max(aim.values()) - min(free) <= 1, "who takes more has as much as the others"


def test_a_worker_that_is_full_takes_nothing_that_nobody_serves():
    fleet = Fleet(9, 5, {"a": 2, "b": 2}, frozenset({"a", "b"}), most={"a": 2, "b": 3})
    assert next_turn("a", "a", of("a", 2), fleet).take == 0
    assert next_turn("b", "b", of("b", 2), fleet).take == 1


def test_an_excess_is_handed_back_by_quarters_and_not_while_anything_is_free():
    mine = of("a", 100)
    assert len(next_turn("a", "a", mine, Fleet(100, 0, {"a": 100, "b": 0})).hand_back) == 12
    assert next_turn("a", "a", mine, Fleet(101, 1, {"a": 100, "b": 0})).hand_back == ()


def test_what_a_worker_has_not_begun_to_serve_goes_back_first_and_at_once():
    mine, fleet = of("a", 100), Fleet(100, 0, {"a": 100, "b": 0})
    waiting = {one.company for one in mine[30:]}
    assert set(next_turn("a", "a", mine, fleet, waiting).hand_back) == set(sorted(waiting)[:50])
    few = {one.company for one in mine[95:]}
    back = next_turn("a", "a", mine, fleet, few).hand_back
    assert (len(back), few <= set(back)) == (12, True), "and of the others a quarter as ever"


def test_a_drained_worker_hands_back_everything_and_takes_nothing():
    turn = next_turn("a", "a", of("a", 3), Fleet(9, 6, {"b": 0}))
    assert (turn.take, len(turn.hand_back)) == (0, 3)


def test_a_company_that_was_moved_goes_to_a_living_worker_and_stays_there():
    fleet = Fleet(4, 0, {"a": 4, "b": 0}, frozenset({"a", "b"}))
    assert next_turn("a", "a", [*of("a", 3), Holding("x", 1, "", "b")], fleet).hand_back == ("x",)
    assert next_turn("a", "a", of("a", 4, "gone"), fleet).hand_back == ("a000",)
    assert next_turn("a", "a", of("a", 4, "a"), fleet).hand_back == ()
    full = Fleet(4, 1, {"a": 1, "b": 2}, frozenset({"a", "b"}), moved_here=1)
    assert next_turn("b", "b", of("b", 2), full).take == 1


@pytest.mark.parametrize(
    ("held", "lost"),
    [([Holding("x", 1, "")], []), ([Holding("x", 2, "")], ["x"]), ([], ["x"])],
    ids=["ours", "another epoch", "another holder"],
)
def test_a_company_under_another_epoch_or_holder_is_lost(held: list[Holding], lost: list[str]):
    assert deposed({"x": 1}, held) == lost


def test_starts_are_spread_over_the_period_and_the_same_everywhere():
    offsets = sorted(start_offset(f"company {number}", 600) for number in range(500))
    assert 0 <= offsets[0] < 20
    assert 580 < offsets[-1] < 600
    assert max(after - before for before, after in pairwise(offsets)) < 20
    assert start_offset("acme", 100) == pytest.approx(start_offset("acme", 1) * 100)
