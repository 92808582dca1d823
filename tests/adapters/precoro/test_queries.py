"""What is asked of a list, in the words of the API."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from precoro_daemon.adapters.precoro.queries import list_query
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.filters import Filter

INVOICES = COLLECTIONS["invoices"]


def test_a_filter_in_the_words_of_the_api() -> None:
    everything = Filter(
        status=frozenset({4, 2}),
        approved_from=date(2023, 12, 1),
        approved_to=date(2023, 12, 31),
        modified_since=datetime(2023, 10, 10, 2, tzinfo=timezone(timedelta(hours=2))),
        supplier=frozenset({9}),
        attached_files_only=True,
    )
    assert list_query(ListRequest(INVOICES, everything)) == (
        ("status[]", "2"),
        ("status[]", "4"),
        ("supplier[]", "9"),
        ("modifiedSince", "2023-10-10T00:00:00"),
        ("approvalDate[left_date]", "01.12.2023"),
        ("approvalDate[right_date]", "31.12.2023"),
        ("attachedFile", "1"),
    )


def test_an_empty_filter_asks_for_everything() -> None:
    assert list_query(ListRequest(INVOICES)) == ()


def test_a_moment_goes_out_in_utc_without_its_fraction() -> None:
    assert list_query(ListRequest(INVOICES, since=1_696_896_000.9)) == (("modifiedSince", "2023-10-10T00:00:00"),)
    naive = Filter(modified_since=datetime.fromisoformat("2023-10-10T01:00:00"))
    assert list_query(ListRequest(INVOICES, naive)) == (("modifiedSince", "2023-10-10T01:00:00"),)
