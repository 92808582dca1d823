"""What a whole pass did not list: gone, to be asked about, or not to be believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.absences import Absences, Missing, judge

ROWS = [Missing(number, number) for number in range(200)]

missing = st.lists(
    st.builds(Missing, st.integers(), key=st.none() | st.integers()), max_size=120, unique_by=lambda row: row.id
)


def test_nothing_missing_is_nothing_gone() -> None:
    assert judge([], 0, max_share=0.2, askable=True) == Absences(gone=[], ask=[], rest=[])


def test_a_listing_that_shrinks_too_far_is_not_believed() -> None:
    assert judge(ROWS[:21], 100, max_share=0.2, askable=False) == Absences(refused=21)
    assert judge(ROWS[:20], 100, max_share=0.2, askable=False) == Absences(gone=ROWS[:20])


def test_a_few_may_go_whatever_their_share_but_not_all_of_them() -> None:
    assert judge(ROWS[:10], 11, max_share=0.2, askable=False).gone == ROWS[:10]
    assert judge(ROWS[:11], 12, max_share=0.2, askable=False).refused == 11
    assert judge(ROWS[:3], 3, max_share=0.2, askable=False).refused == 3
    assert judge(ROWS[:2], 2, max_share=0.2, askable=False).gone == ROWS[:2]


def test_none_may_go_where_none_is_allowed_to() -> None:
    assert judge(ROWS[:1], 100, max_share=0.0, askable=False).refused == 1
    assert judge([], 100, max_share=0.0, askable=False) == Absences(gone=[])


def test_a_list_of_one_page_leaves_no_doubt() -> None:
    assert judge(ROWS[:3], 100, max_share=0.2, askable=False) == Absences(gone=ROWS[:3])


def test_what_may_have_slipped_between_pages_is_asked_about() -> None:
    assert judge(ROWS[:60], 1_000, max_share=0.2, askable=True) == Absences(gone=[], ask=ROWS[:50], rest=ROWS[50:60])


def test_a_row_that_cannot_be_asked_for_is_judged_by_the_list() -> None:
    nameless, alone = Missing(2, None), Missing(3, 9)
    assert judge([nameless, alone], 100, max_share=0.2, askable=True) == Absences(
        gone=[nameless], ask=[alone], rest=[]
    )


def test_a_row_that_may_be_listed_unreadably_is_asked_about_or_left_alone() -> None:
    nameless, alone = Missing(2, None), Missing(3, 9)
    found = judge([nameless, alone], 100, max_share=0.2, askable=True, unreadable=True)
    assert found == Absences(ask=[alone], unclear=[nameless])
    found = judge([nameless, alone], 100, max_share=0.2, askable=False, unreadable=True)
    assert found == Absences(ask=[], unclear=[nameless, alone])
    found = judge(ROWS[:60], 1_000, max_share=0.2, askable=True, unreadable=True)
    assert found == Absences(ask=ROWS[:50], unclear=ROWS[50:60])


@given(missing, st.integers(0, 500), st.floats(0, 1), st.booleans(), st.booleans())
def test_every_missing_row_has_one_fate(
    rows: list[Missing], more: int, share: float, askable: bool, unreadable: bool
) -> None:
    live = len(rows) + more
    absences = judge(rows, live, max_share=share, askable=askable, unreadable=unreadable)
    told = [*absences.gone, *absences.ask, *absences.rest, *absences.unclear]
    assert len(told) + absences.refused == len(rows)
    assert all(told.count(row) == rows.count(row) for row in told)
    if len(rows) > 10:
        assert bool(absences.refused) is (len(rows) > share * live)
