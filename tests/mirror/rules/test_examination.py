"""What a few answers show: the order of a list, what its pages say, the time zone of a filter, the unit of a size."""

from __future__ import annotations

from typing import Any

import pytest

from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.examination import (
    EVERY_ZONE,
    narrowed,
    newest_change,
    next_zone,
    order_of,
    question,
    totals_of,
    unit_of,
    zone_name,
)


def rows(created: str, changed: str) -> list[dict[str, Any]]:
    """A row for each two digits, which are days."""
    pairs = zip(created.split(), changed.split(), strict=True)
    return [
        {"id": int(one), "createDate": f"2026-01-{one}T00:00:00", "updateDate": f"2026-02-{other}T00:00:00+00:00"}
        for one, other in pairs
    ]


@pytest.mark.parametrize(
    ("shown", "order"),
    [
        (rows("09 08 07", "01 03 02"), "newest first by creation"),
        (rows("07 08 08 09", "01 03 02 01"), "oldest first by creation"),
        (rows("07 09 08", "05 04 03"), "newest first by last change"),
        (rows("07 09 08", "03 04 05"), "oldest first by last change"),
        (rows("07 09 08", "05 04 09"), ""),
        (rows("07 07 07", "05 05 05"), ""),
        ([{"id": 3}, {"id": "2"}, {"id": 1}], "newest first by id"),
        ([{"id": 3}, {"id": None}, {}], ""),
        ([], ""),
    ],
)
def test_the_order_of_a_list(shown: list[dict[str, Any]], order: str) -> None:
    assert order_of(shown) == order


def test_what_pages_say_of_their_list() -> None:
    assert totals_of(Page(1, [], total=0, total_pages=1, has_next=False)) == "total, total_pages, has_next_page"
    assert totals_of(Page(1, [], has_next=True)) == "has_next_page"
    assert totals_of(Page(1, [])) == ""


@pytest.mark.parametrize("zone", EVERY_ZONE)
def test_a_zone_is_found_by_few_questions(zone: float) -> None:
    changed_at, zones, asked = 1_795_600_000.0, EVERY_ZONE, 0
    while (about := next_zone(zones)) is not None:
        read_as = question(changed_at, about) - zone * 3600
        zones = narrowed(zones, about, came=changed_at >= read_as)
        asked += 1
    assert list(zones) == [zone]
    assert asked <= (2 if zone == 0 else 8)


def test_answers_that_fit_no_zone_end_the_questions() -> None:
    zones = narrowed(narrowed(EVERY_ZONE, 1.0, came=True), 1.0, came=False)
    assert (list(zones), next_zone(zones)) == ([], None)
    assert [zone_name(one) for one in (0.0, -8.0, 5.75)] == ["UTC", "UTC-8:00", "UTC+5:45"]


def test_the_newest_change() -> None:
    assert newest_change(["2026-01-01T00:00:00", None, "soon", "1970-01-01T00:00:09"]) == 1_767_225_600.0
    assert newest_change([None, ""]) is None


@pytest.mark.parametrize(
    ("size", "length", "unit"),
    [(2852, 2852, "bytes"), (3, 2852, "KB"), (100, 102_400, "KiB"), (7, 2852, ""), (None, 9, ""), (0, 0, "")],
)
def test_the_unit_of_a_size(size: int | None, length: int, unit: str) -> None:
    assert unit_of(size, length) == unit
