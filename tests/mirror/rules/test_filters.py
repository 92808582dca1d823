"""What the user wants kept, and whether a record is kept by it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.documents import Record, read_record
from precoro_daemon.mirror.rules.filters import Filter

days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
filters = st.builds(
    Filter,
    status=st.frozensets(st.integers(0, 11), max_size=3),
    approved_from=st.none() | days,
    approved_to=st.none() | days,
    modified_since=st.none() | st.builds(datetime.fromtimestamp, st.integers(0, 2_000_000_000), st.just(UTC)),
    supplier=st.frozensets(st.integers(1, 9), max_size=3),
    attached_files_only=st.booleans(),
)


def record(**fields: Any) -> Record:
    return read_record(json.dumps({"id": 1} | fields).encode())


def test_an_empty_filter_keeps_everything() -> None:
    assert Filter().fingerprint == ""
    assert Filter().keeps(record(status=3, supplier=[], attachments=[]))
    assert Filter().keeps_detail("{}")


@given(filters, filters)
def test_a_fingerprint_differs_exactly_when_the_filter_does(one: Filter, other: Filter) -> None:
    assert (one.fingerprint == other.fingerprint) is (one == other)
    assert one.fingerprint == replace(one).fingerprint


@pytest.mark.parametrize(
    ("chosen", "fields", "kept"),
    [
        (Filter(status=frozenset({2})), {"status": 2}, True),
        (Filter(status=frozenset({2})), {"status": "2"}, True),
        (Filter(status=frozenset({2})), {"status": 5}, False),
        (Filter(status=frozenset({2})), {}, False),
        (Filter(supplier=frozenset({9})), {"supplier": {"id": "9", "name": "A"}}, True),
        (Filter(supplier=frozenset({9})), {"supplier": 9}, True),
        (Filter(supplier=frozenset({9})), {"supplier": {"id": 8}}, False),
        (Filter(supplier=frozenset({9})), {"supplier": []}, False),
        (Filter(modified_since=datetime(2024, 1, 1, tzinfo=UTC)), {"updateDate": "2024-01-01T00:00:00"}, True),
        (Filter(modified_since=datetime(2024, 1, 1, tzinfo=UTC)), {"updateDate": "2023-12-31T23:59:59"}, False),
        (Filter(modified_since=datetime(2024, 1, 1, tzinfo=UTC)), {"updateDate": "2024-01-01T01:00:00+02:00"}, False),
        (Filter(modified_since=datetime(2024, 1, 1, tzinfo=UTC)), {}, True),
        (Filter(approved_from=date(2024, 1, 1)), {"approvalDate": "2024-01-01T09:00:00"}, True),
        (Filter(approved_from=date(2024, 1, 1)), {"approvalDate": "2023-12-31"}, False),
        (Filter(approved_to=date(2024, 1, 1)), {"approvalDate": "2024-01-01T23:59:59+00:00"}, True),
        (Filter(approved_to=date(2024, 1, 1)), {"approvalDate": "2024-01-02"}, False),
        (Filter(approved_to=date(2024, 1, 1)), {"approvalDate": None}, False),
        (Filter(approved_to=date(2024, 1, 1)), {"approvalDate": "soon"}, False),
        (Filter(attached_files_only=True), {"attachments": {"data": [{"id": 1}]}}, True),
        (Filter(attached_files_only=True), {"attachments": [{"id": 1}]}, True),
        (Filter(attached_files_only=True), {"attachments": {"data": []}}, False),
        (Filter(attached_files_only=True), {"attachments": []}, False),
        (Filter(attached_files_only=True), {"attachments": None}, False),
        (Filter(attached_files_only=True), {}, True),
    ],
)
def test_what_a_filter_keeps_of_list_rows(chosen: Filter, fields: dict[str, Any], kept: bool) -> None:
    assert chosen.keeps(record(**fields)) is kept


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"attachments": {"data": [{"id": 1}]}}', True),
        ('{"attachments": {"data": []}}', False),
        ('{"attachments": []}', False),
        ("{}", False),
    ],
)
def test_only_a_detail_tells_for_certain_of_files(raw: str, kept: bool) -> None:
    assert Filter(attached_files_only=True).keeps_detail(raw) is kept
    assert Filter(status=frozenset({2})).keeps_detail(raw)


@given(filters, st.fixed_dictionaries({}, optional={name: st.none() | st.text() | st.lists(st.text()) for name in
    ("status", "supplier", "approvalDate", "updateDate", "attachments")}))  # fmt: skip
def test_no_shape_of_a_field_stops_a_filter(chosen: Filter, fields: dict[str, Any]) -> None:
    assert chosen.keeps(record(**fields)) in (True, False)
