"""Which range is written next, and when a series begins anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precoro_daemon.exports.rules.series import (
    Range,
    Series,
    begin,
    go_on,
    goes_on,
    manifest_path,
    read_range,
    read_series,
    segment_path,
)

DONE = Series(Range(3, 100, 200), done=True, schema="abc", begun_at=1000.0)
BEGUN = replace(DONE, done=False)
BEFORE = [Range(2, 0, 500), Range(3, 0, 100), Range(3, 100, 200)]


@pytest.mark.parametrize(
    ("series", "listed", "schema", "oldest", "expected"),
    [
        (None, [], "abc", 0.0, False),
        (DONE, BEFORE, "abc", 0.0, True),
        (DONE, [], "abc", 0.0, True),
        (BEGUN, BEFORE, "abc", 0.0, True),
        (DONE, BEFORE, "other", 0.0, False),
        (BEGUN, BEFORE, "other", 0.0, False),
        (DONE, BEFORE, "abc", 1000.0, True),
        (DONE, BEFORE, "abc", 1000.5, False),
        (BEGUN, BEFORE, "abc", 1000.5, True),
        (DONE, [*BEFORE, Range(3, 200, 201)], "abc", 0.0, False),
        (DONE, [*BEFORE, Range(4, 0, 10)], "abc", 0.0, False),
        (BEGUN, [*BEFORE, Range(3, 200, 300)], "abc", 0.0, False),
    ],
)
def test_a_series_goes_on_unless_it_is_ahead_other_or_old(
    series: Series | None, listed: list[Range], schema: str, oldest: float, expected: bool
) -> None:
    assert goes_on(series, listed, schema, oldest) is expected


def test_a_new_series_has_an_epoch_that_nobody_used() -> None:
    fresh = begin(DONE, [Range(7, 0, 5)], "new", 90, 2000.0)
    assert fresh == Series(Range(8, 0, 90), done=False, schema="new", begun_at=2000.0)
    assert begin(DONE, [], "new", 90, 2000.0).written.epoch == 4
    assert begin(None, [], "new", 0, 2000.0).written == Range(1, 0, 0)
    assert fresh.written.is_whole


def test_the_next_range_begins_where_the_last_one_ended() -> None:
    assert go_on(DONE, 250) == replace(DONE, written=Range(3, 200, 250), done=False)


def test_names_sort_as_ranges_do_and_are_read_back() -> None:
    one = Range(12, 7, 12345678901234)
    assert segment_path("invoices", one) == (
        "invoices/epoch=000012/00000000000000000007-00000012345678901234.parquet"
    )
    assert read_range(manifest_path(one)) == one
    assert read_range(segment_path("invoices", one)) is None
    assert read_series(DONE.text) == DONE
    assert read_series(None) is None
