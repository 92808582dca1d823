"""Lines of the log for people, on screens of any width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.values.wrapped_lines import wrapped

FIELDS = ["job=fetch_details", "reason=GET /invoices/52: Precoro answered 404", "attempts=1"]


def test_all_stands_on_one_line_where_nobody_says_how_wide_it_may_be() -> None:
    assert wrapped("12:00:00 detail_failed", FIELDS, None) == [f"12:00:00 detail_failed {' '.join(FIELDS)}"]


def test_a_field_that_does_not_fit_begins_a_line() -> None:
    assert wrapped("12:00:00 detail_failed", FIELDS, 60) == [
        "12:00:00 detail_failed job=fetch_details",
        "         reason=GET /invoices/52: Precoro answered 404",
        "         attempts=1",
    ]


def test_a_field_longer_than_a_line_is_broken_at_its_spaces() -> None:
    assert wrapped("12:00:00 detail_failed", FIELDS[1:2], 40) == [
        "12:00:00 detail_failed",
        "         reason=GET /invoices/52:",
        "           Precoro answered 404",
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"])), max_size=9), st.integers(0, 200))
def test_no_letter_is_lost_and_what_can_be_broken_fits(fields: list[str], columns: int) -> None:
    lines = wrapped("12:00:00 run_started", fields, columns)
    assert "".join("".join(lines).split()) == "".join(["12:00:00run_started", *fields])
    assert all(len(line) <= max(columns, 18) or len(line.split()) == 1 for line in lines[1:])
