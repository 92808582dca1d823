"""Of the dates that a scan lists, the newest and the oldest are kept, however they come and whatever they are."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.reach import Dates, text_of

BEGAN = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
KEPT = 100

moments = st.integers(-50 * 86_400, 30 * 86_400).map(lambda seconds: text_of(BEGAN + seconds))
dates = st.none() | moments | st.sampled_from(["", "never", "0001-01-01T00:00:00", "1970-01-01T00:00:00", "x" * 19])


def readable(date: str | None) -> bool:
    return date is not None and date.startswith("2026-")


@given(st.lists(st.lists(dates, max_size=150), max_size=4))
def test_the_newest_before_the_scan_and_the_oldest_of_all_are_kept(pages: list[list[str | None]]) -> None:
    found = Dates()
    for page in pages:
        found = found.with_rows(page, BEGAN)
    known = [date for page in pages for date in page if date is not None and readable(date)]
    before = sorted((date for date in known if date <= "2026-03-01T00:00:00"), reverse=True)
    assert found == Dates(tuple(before[:KEPT]), min(known, default=""))
