"""Listing against mirror → plan."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.changes import Known, Plan, plan
from precoro_daemon.mirror.rules.documents import Record, read_record


def record(id_: int, note: str = "", *, wanted: bool = True) -> Record:
    row = read_record(f'{{"id":{id_},"note":"{note}"}}'.encode())
    row.wanted = wanted
    return row


def known(row: Record, *, vanished: bool = False) -> Known:
    return Known(row.version, wanted=row.wanted, vanished=vanished)


def test_a_record_nobody_knows_is_created() -> None:
    assert plan([record(1)], {}) == Plan(created=[record(1)])


def test_a_record_with_another_version_is_updated() -> None:
    assert plan([record(1, "new")], {1: known(record(1, "old"))}) == Plan(updated=[record(1, "new")])


def test_a_record_with_the_same_version_is_left_alone() -> None:
    assert plan([record(1)], {1: known(record(1))}) == Plan(unchanged=1)


def test_what_a_detail_showed_to_be_unwanted_stays_so_while_the_row_is_the_same() -> None:
    unwanted = Known(record(1).version, wanted=False)
    assert plan([record(1)], {1: unwanted}) == Plan(unchanged=1)


def test_a_vanished_record_that_is_listed_again_returns() -> None:
    assert plan([record(1)], {1: known(record(1), vanished=True)}) == Plan(returned=[record(1)])


def test_a_record_returns_unwanted_if_it_was_so_and_is_the_same() -> None:
    gone = Known(record(1).version, wanted=False, vanished=True)
    assert plan([record(1)], {1: gone}).returned == [record(1, wanted=False)]
    assert plan([record(1, "new")], {1: gone}).returned == [record(1, "new")]


def test_of_a_record_listed_twice_the_last_row_counts() -> None:
    assert plan([record(1, "a"), record(2), record(1, "b")], {2: known(record(2))}) == Plan(
        created=[record(1, "b")], unchanged=1
    )


rows = st.builds(record, st.integers(1, 5), st.sampled_from("abc"), wanted=st.booleans())


@given(st.lists(rows), st.dictionaries(st.integers(1, 5), st.builds(known, rows, vanished=st.booleans())))
def test_every_listed_id_gets_exactly_one_fate(listing: list[Record], mirror: dict[int, Known]) -> None:
    steps = plan(listing, mirror)
    touched = [row.id for row in (*steps.created, *steps.updated, *steps.returned)]
    assert len(touched) == len(set(touched))
    assert len(touched) + steps.unchanged == len({row.id for row in listing})


@given(st.lists(rows), st.dictionaries(st.integers(1, 5), st.builds(known, rows, vanished=st.booleans())))
def test_a_plan_carried_out_leaves_nothing_to_plan(listing: list[Record], mirror: dict[int, Known]) -> None:
    steps = plan(listing, mirror)
    after = mirror | {row.id: known(row) for row in (*steps.created, *steps.updated, *steps.returned)}
    assert plan(listing, after) == Plan(unchanged=len({row.id for row in listing}))
