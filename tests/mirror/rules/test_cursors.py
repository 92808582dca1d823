"""When a pass is stable, when a cursor may move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import (
    Cursor,
    Page,
    Scan,
    advance,
    census_due,
    listed_whole,
    next_scan,
    scan_again,
    settle,
)
from precoro_daemon.mirror.rules.documents import Record, read_record, reject
from precoro_daemon.mirror.rules.reach import NO_ANCHOR

INVOICES = COLLECTIONS["invoices"]
TAXES = COLLECTIONS["taxes"]


def rows(*ids: int) -> list[Record]:
    return [read_record(b'{"id":%d}' % number) for number in ids]


def page(
    number: int, *ids: int, total: int | None = None, pages: int | None = None, more: bool | None = None
) -> Page:
    return Page(number, rows(*ids), total=total, total_pages=pages, has_next=more, server_time=100.0 + number)


def walked(*pages: Page, kind: str = "changes") -> Scan:
    ids = {record.id for one in pages for record in one.records}
    return advance(Scan("invoices", kind, since=50.0), pages, len(ids))  # type: ignore[arg-type]


STEADY = (page(1, 1, 2, total=3, pages=2), page(2, 3, total=3, pages=2))
DRIFTED = (page(1, 1, 2, total=3, pages=2), page(2, 4, total=4, pages=2))
UNCOUNTED = (page(1, 1, 2, more=True), page(2, 3, more=False))


@pytest.mark.parametrize(
    ("one", "last"),
    [
        (page(1, more=True), False),
        (page(1, more=False), True),
        (page(9, more=True, pages=2), False),
        (page(1, pages=2), False),
        (page(2, pages=2), True),
        (page(3, pages=2), True),
        (page(1, pages=0), True),
        (page(1, 1, 2), True),
    ],
)
def test_a_page_is_the_last_by_what_it_says_of_itself(one: Page, last: bool) -> None:
    assert one.is_last is last


def test_a_pass_advances_page_by_page() -> None:
    first = walked(STEADY[0])
    assert (first.started_at, first.total, first.next_page, first.finished) == (101.0, 3, 2, False)
    whole = advance(first, STEADY[1:], distinct=3)
    assert (whole.started_at, whole.next_page, whole.last_page) == (101.0, 3, 2)
    assert whole.finished
    assert whole.proved


@given(st.integers(1, 6), st.data())
def test_it_does_not_matter_how_pages_are_batched(count: int, data: st.DataObject) -> None:
    pages = [page(number, number, total=count, pages=count) for number in range(1, count + 1)]
    cut = data.draw(st.integers(0, count))
    in_parts = advance(advance(Scan("invoices", "changes", since=50.0), pages[:cut], cut), pages[cut:], count)
    assert in_parts == walked(*pages)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(DRIFTED, id="another total"),
        pytest.param((page(1, 1, 2, total=3, pages=2), page(2, 2, total=3, pages=2)), id="a row came twice"),
        pytest.param((page(1, 1, 2, total=4, pages=2), page(2, 3, total=4, pages=2)), id="a row is missing"),
        pytest.param((page(1, 1, total=2, pages=1),), id="fewer rows than it says on one page"),
        pytest.param((page(1, 1, 2, more=True), page(2, more=False)), id="the next page was empty"),
        pytest.param((page(1, 1, 2, total=2, pages=2), page(2, total=2, pages=1)), id="the list shrank"),
        pytest.param((page(1, 1, 2, total=3, pages=2), page(2, 3, pages=2)), id="a page lost the total"),
    ],
)
def test_what_speaks_against_a_pass(pages: Sequence[Page]) -> None:
    scan = walked(*pages)
    assert scan.finished
    assert not scan.sound
    assert not scan.proved


def test_an_unreadable_row_counts_as_received() -> None:
    scan = walked(replace(page(1, 1, total=2, pages=1), rejected=[reject(b"null", "no object")]))
    assert (scan.rows, scan.rejected) == (1, 1)
    assert scan.proved


def test_several_pages_without_a_count_are_sound_but_not_proved() -> None:
    scan = walked(*UNCOUNTED)
    assert scan.sound
    assert not scan.proved


def listed(*pages: Page, **terms: Any) -> Scan:
    """A whole list, newest first."""
    ids = {record.id for one in pages for record in one.records}
    return advance(Scan("invoices", "whole", **terms), pages, len(ids))


GROWN = (page(1, 9, 8, total=4, pages=2), page(2, 8, 7, total=5, pages=3), page(3, 6, total=5, pages=3))
"""A row was made between the first page and the second."""


def test_a_whole_list_that_grows_while_it_is_read_is_proved() -> None:
    scan = listed(*GROWN)
    assert (scan.drifted, scan.sound) == (True, False)
    assert scan.proved
    assert settle(scan, Cursor("invoices"), 200.0) == Cursor(
        "invoices", at=101.0, whole_at=101.0, pages=3, anchor=NO_ANCHOR
    )


@pytest.mark.parametrize(
    "scan",
    [
        pytest.param(listed(*GROWN[:2]), id="it is not over"),
        pytest.param(listed(*GROWN[:1], page(2, 7, total=3, pages=2)), id="a row went before it was read"),
        pytest.param(
            listed(*GROWN[:1], page(2, 10, 6, total=5, pages=2)), id="a new row stands for one that is missing"
        ),
        pytest.param(listed(page(1, 1, 2, total=3, pages=2), page(2, 4, total=3, pages=3)), id="oldest first"),
        pytest.param(listed(*GROWN, filter="f"), id="rows enter a filter"),
        pytest.param(listed(*GROWN, since=5.0), id="rows enter by being edited"),
        pytest.param(replace(listed(*GROWN), newest=None), id="resumed"),
        pytest.param(listed(replace(GROWN[0], rejected=[reject(b"null", "no object")]), *GROWN[1:]), id="unreadable"),
        pytest.param(listed(*(replace(one, total=None) for one in GROWN)), id="nobody counted"),
    ],
)
def test_a_list_that_moves_is_not_proved_where(scan: Scan) -> None:
    assert not scan.covered
    assert not scan.proved or scan.sound


@given(st.data())
def test_what_is_covered_lacks_no_row_that_was_there_when_it_began(data: st.DataObject) -> None:
    """Pages of any order of rows are read in any order after the first, while rows are made and deleted."""
    rows = data.draw(st.permutations(range(1, 9)) | st.just(list(range(8, 0, -1))))
    at_first, made, seen = set(rows), 8, dict[int, Page]()
    for number in [1, *data.draw(st.permutations(range(2, 6)))]:
        pages = -(-len(rows) // 2)
        chunk = rows[2 * number - 2 : 2 * number]
        seen[number] = page(number, *chunk, total=len(rows), pages=max(pages, number))
        for _ in range(data.draw(st.integers(0, 2))):
            made += 1
            rows.insert(data.draw(st.sampled_from([0, len(rows)])), made)
        for _ in range(data.draw(st.integers(0, 2)) if rows else 0):
            rows.remove(data.draw(st.sampled_from(rows))) if rows else None
    pages_read = [seen[number] for number in sorted(seen)]
    ids = {record.id for one in pages_read for record in one.records}
    scan = replace(advance(Scan("invoices", "whole"), pages_read, len(ids)), last_page=5)
    assert not scan.covered or at_first <= ids


def test_one_page_without_a_count_is_proved() -> None:
    assert walked(page(1, 1, 2)).proved
    assert walked(page(1, more=False)).proved


CURSOR = Cursor("invoices", at=60.0, whole_at=10.0, pages=2)


def test_a_proved_pass_moves_the_cursor_to_its_start() -> None:
    assert settle(walked(*STEADY), CURSOR, 200.0) == replace(CURSOR, at=101.0)


def test_a_pass_without_a_server_date_leaves_the_cursor() -> None:
    undated = walked(*(replace(one, server_time=None) for one in STEADY))
    assert settle(undated, CURSOR, 200.0) == CURSOR


def test_changes_that_are_not_proved_are_walked_three_times_then_a_census_is_owed() -> None:
    first = settle(walked(*DRIFTED), CURSOR, 200.0)
    assert first == replace(CURSOR, tries=1)
    assert scan_again(walked(*DRIFTED), first)
    second = settle(walked(*DRIFTED), first, 201.0)
    assert second == replace(CURSOR, tries=2)
    third = settle(walked(*DRIFTED), second, 202.0)
    assert third == replace(CURSOR, at=101.0, unproved=1, unproved_at=202.0)
    assert not scan_again(walked(*DRIFTED), third)
    assert census_due(third, every=1e9, now=202.0)


def test_a_second_sound_walk_settles_what_the_list_never_counts() -> None:
    first = settle(walked(*UNCOUNTED), CURSOR, 200.0)
    assert first.at == CURSOR.at
    assert settle(walked(*UNCOUNTED), first, 201.0) == replace(CURSOR, at=101.0)


def test_a_proved_census_pays_what_was_owed_and_moves_the_cursor_as_it_saw_everything() -> None:
    owed = replace(CURSOR, unproved=2, unproved_at=100.0)
    settled = settle(walked(*STEADY, kind="whole"), owed, 200.0)
    assert settled == replace(CURSOR, at=101.0, whole_at=101.0, unproved=0, unproved_at=None, anchor=NO_ANCHOR)
    later = replace(owed, at=5_000.0)
    assert settle(walked(*STEADY, kind="whole"), later, 200.0).at == 5_000.0


def test_changes_that_were_not_proved_during_a_census_are_still_owed_after_it() -> None:
    """A row changes when its page was read, and the scan of changes that should bring it may skip it."""
    begun = walked(*STEADY[:1], kind="whole")
    cursor = replace(CURSOR, tries=2)
    for debts in (0, 1):
        owed = settle(walked(*DRIFTED), replace(cursor, unproved=debts, unproved_at=90.0 if debts else None), 101.5)
        settled = settle(advance(begun, STEADY[1:], distinct=3), owed, 200.0)
        assert (settled.whole_at, settled.unproved, settled.unproved_at) == (101.0, 1, 101.5)
        assert census_due(settled, every=1e9, now=200.0)


def test_a_filtered_census_did_not_see_everything_and_leaves_the_cursor() -> None:
    scan = replace(walked(*STEADY, kind="whole"), filter="f")
    settled = settle(scan, replace(CURSOR, filter="f"), 200.0)
    assert settled == replace(CURSOR, whole_at=101.0, filter="f", anchor=NO_ANCHOR)


def test_the_first_pass_starts_the_cursor_even_if_it_is_not_proved() -> None:
    settled = settle(walked(*DRIFTED, kind="whole"), Cursor("invoices"), 200.0)
    assert (settled.at, settled.whole_at, settled.unproved, settled.pages) == (101.0, None, 1, 2)


@given(st.sampled_from([STEADY, DRIFTED, UNCOUNTED]), st.sampled_from(["changes", "whole"]), st.integers(0, 2))
def test_a_cursor_never_passes_the_start_of_the_pass(pages: Sequence[Page], kind: str, tries: int) -> None:
    settled = settle(walked(*pages, kind=kind), replace(CURSOR, tries=tries), 200.0)
    assert CURSOR.at is not None
    assert settled.at is not None
    assert CURSOR.at <= settled.at <= 101.0
    assert pages is not DRIFTED or settled.at == CURSOR.at or settled.unproved


def test_the_first_pass_is_whole_and_the_next_asks_for_changes_with_overlap() -> None:
    filtered = Cursor("invoices", filter="abc")
    assert next_scan(INVOICES, filtered, 3600.0) == Scan("invoices", "whole", filter="abc")
    assert next_scan(INVOICES, Cursor("invoices", at=5000.0), 3600.0) == Scan("invoices", "changes", since=1400.0)


def test_questions_from_the_same_anchor_differ() -> None:
    """Precoro answers the same one once in a minute and thirty times in an hour."""
    asked = [
        next_scan(INVOICES, Cursor("invoices", at=9e6 + 60 * number, anchor=5e6), 3600.0) for number in range(60)
    ]
    assert len({scan.since for scan in asked}) == 60
    assert all(scan.since is not None and 5e6 - 97 < scan.since <= 5e6 for scan in asked)


def test_a_small_set_is_listed_whole_as_long_as_it_is_one_page() -> None:
    for pages, kind in ((1, "whole"), (2, "changes")):
        cursor = Cursor("taxes", at=5000.0, pages=pages)
        assert next_scan(TAXES, cursor, 60.0).kind == kind
        assert listed_whole(TAXES, cursor) == (kind == "whole")
    assert not listed_whole(INVOICES, Cursor("invoices", at=5000.0, pages=1))


def test_a_census_that_is_owed_at_once_is_due_though_our_clock_is_behind() -> None:
    owed = replace(CURSOR, pages=3, unproved=1, unproved_at=200.0)
    for behind in (0.0, 0.4, 3600.0):
        assert census_due(owed, every=1e9, now=200.0 - behind)
    spaced_out = replace(owed, unproved=4)
    assert not census_due(spaced_out, every=1e9, now=200.0)


def test_a_census_is_due_by_age() -> None:
    assert not census_due(Cursor("invoices"), every=100.0, now=1e9)
    assert census_due(Cursor("invoices", at=1.0), every=100.0, now=2.0)
    assert not census_due(CURSOR, every=100.0, now=109.0)
    assert census_due(CURSOR, every=100.0, now=110.0)


def test_a_small_census_is_repeated_at_once_and_spaced_out_when_it_keeps_failing() -> None:
    short = replace(CURSOR, unproved=3, unproved_at=200.0, pages=50)
    assert census_due(short, every=1e9, now=200.0)
    failing = replace(short, unproved=9)
    assert not census_due(failing, every=1e9, now=199.0 + 6 * 50 * 60.0)
    assert census_due(failing, every=1e9, now=200.0 + 6 * 50 * 60.0)
    assert not census_due(failing, every=1_000.0, now=1_199.0)
    assert census_due(failing, every=1_000.0, now=1_200.0)


def test_a_list_whose_total_is_always_wrong_is_not_listed_whole_after_every_pass() -> None:
    """Lists every 20 minutes, a look for a census every hour, one each week where all is well."""
    week, cursor, censuses = 7 * 86_400.0, replace(CURSOR, pages=2, whole_at=None), 0
    for number in range(7 * 72):
        now = 1e6 + number * 1_200.0
        for _ in range(3):
            cursor = settle(walked(*DRIFTED), cursor, now)
        if number % 3 == 0 and census_due(cursor, week, now):
            cursor, censuses = settle(walked(*DRIFTED, kind="whole"), cursor, now), censuses + 1
    assert 3 < censuses < 100
    assert census_due(cursor, week, now + week)


def short_of(missing: int, *, kind: str = "whole") -> Scan:
    pages = (page(1, 1, 2, total=3 + missing, pages=2), page(2, 3, total=3 + missing, pages=2))
    return replace(walked(*pages, kind=kind), since=None if kind == "whole" else 50.0)


def after(cursor: Cursor, *scans: Scan) -> Cursor:
    for scan in scans:
        cursor = settle(scan, cursor, 100.5)
    return cursor


def test_a_shortfall_that_stays_the_same_is_believed_after_three_whole_scans() -> None:
    twice = after(CURSOR, short_of(4), short_of(4))
    assert (twice.hidden, twice.short, twice.unproved) == (0, 4, 2)
    believed = after(twice, short_of(4))
    assert (believed.hidden, believed.unproved, believed.whole_at) == (4, 0, 101.0)
    assert after(believed, short_of(4)) == believed


@pytest.mark.parametrize("last", [short_of(5), walked(*DRIFTED, kind="whole"), short_of(3)])
def test_a_shortfall_that_differs_proves_nothing(last: Scan) -> None:
    cursor = after(CURSOR, short_of(4), short_of(4), last)
    assert (cursor.hidden, cursor.unproved) == (0, 3)


def test_what_was_believed_ends_when_all_rows_come_or_fewer_are_missing() -> None:
    believed = after(CURSOR, *[short_of(4)] * 3)
    assert after(believed, short_of(0)).hidden == 0
    fewer = after(believed, short_of(2))
    assert (fewer.hidden, fewer.unproved) == (4, 1), "that may be a row that slipped"
    assert after(fewer, short_of(2), short_of(2)).hidden == 2


@pytest.mark.parametrize(("short", "scans", "owed"), [(0, 1, 0), (2, 2, 0), (4, 2, 0), (5, 3, 1)])
def test_changes_may_lack_as_many_rows_as_are_hidden_but_not_at_once(short: int, scans: int, owed: int) -> None:
    believed = replace(after(CURSOR, *[short_of(4)] * 3), at=60.0)
    before = after(believed, *[short_of(short, kind="changes")] * (scans - 1))
    assert before.at == 60.0
    cursor = after(before, short_of(short, kind="changes"))
    assert (cursor.at, cursor.unproved) == (101.0, owed)


def test_a_long_census_that_keeps_failing_is_spaced_out() -> None:
    long = replace(CURSOR, unproved=9, unproved_at=200.0, pages=51)
    assert not census_due(long, every=1e9, now=200.0)
    assert census_due(replace(long, unproved=1), every=1e9, now=200.0)
    assert census_due(long, every=1e9, now=200.0 + 8 * 51 * 60.0)
