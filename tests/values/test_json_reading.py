"""Tolerant reading: whatever type a value comes in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.values.json_reading import (
    external_text,
    nested,
    plain_number,
    read_json,
    reference,
    utc_text,
    whole_number,
)

LARGEST = 2**63 - 1

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
loose = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(loose)
def test_members_of_anything_can_be_asked_for(value: Any) -> None:
    members = list(nested(value))
    assert len(members) <= 40


@given(st.integers(-LARGEST, LARGEST))
def test_whole_numbers_are_read_from_both_dresses(number: int) -> None:
    assert whole_number(number) == whole_number(str(number)) == number


@given(loose)
def test_a_whole_number_fits_64_bits_or_is_none(value: Any) -> None:
    number = whole_number(value)
    assert number is None or (type(number) is int and abs(number) <= LARGEST)


@pytest.mark.parametrize(
    ("value", "idn"),
    [(17, 17), ("17", 17), ("007", "007"), ("PO-7", "PO-7"), ("-0", "-0"), ("", None), (None, None), (1.5, None)],
)
def test_an_idn_keeps_what_is_no_plain_number(value: Any, idn: int | str | None) -> None:
    assert plain_number(value) == idn


@given(st.text(min_size=1) | st.integers(-LARGEST, LARGEST))
def test_an_idn_addresses_what_it_came_from(value: int | str) -> None:
    assert str(plain_number(value)) == str(value)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'"A-1"', "A-1"),
        ('"Größe"'.encode(), "Größe"),
        (b'"\\u00e4"', "ä"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"1.10", "1.10"),
        (b"true", "true"),
        *((empty, None) for empty in (b"null", b'""', b"[]", b"{}", b"false")),
    ],
)
def test_an_external_id_keeps_its_digits(raw: bytes, text: str | None) -> None:
    assert external_text(raw) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-05-01T10:00:00", "2024-05-01T10:00:00"),
        ("2024-05-01T10:00:00+03:00", "2024-05-01T07:00:00"),
        ("2024-05-01T10:00:00+00:00", "2024-05-01T10:00:00"),
        ("2024-05-01T10:00:00-00:00", "2024-05-01T10:00:00"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00"),
        ("2024-W18-3T10:00:00+00:00", "2024-05-01T10:00:00"),
        ("2024-05-01T100000.5+00:00", "2024-05-01T10:00:00"),
        ("2024-05-32T10:00:00+00:00", "2024-05-32T10:00:00+00:00"),
        ("2024-05-01 10:00:00.123", "2024-05-01T10:00:00"),
        ("2024-05-01", "2024-05-01T00:00:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("yesterday", "yesterday"),
        *((none, None) for none in ("", None, 0, [], {"date": "2024-05-01"})),
    ],
)
def test_dates_are_told_in_utc_and_unreadable_ones_as_they_are(value: Any, text: str | None) -> None:
    assert utc_text(value) == text


@given(st.builds(datetime.fromtimestamp, st.integers(100_000, 4_000_000_000), st.timezones()))
def test_a_date_means_the_same_moment_afterwards(moment: datetime) -> None:
    told = utc_text(moment.isoformat())
    assert told is not None
    assert datetime.fromisoformat(told).replace(tzinfo=UTC) == moment.astimezone(UTC)


@pytest.mark.parametrize("value", [7, "7", {"id": 7}, {"id": "7", "name": "x"}])
def test_a_reference_is_an_id_in_whatever_dress(value: Any) -> None:
    assert reference(value) == 7


@pytest.mark.parametrize("value", [None, [], {}, {"name": "x"}, {"id": []}, "x"])
def test_what_refers_to_nothing(value: Any) -> None:
    assert reference(value) is None


def test_what_is_no_json_reads_as_nothing_and_amounts_keep_their_digits() -> None:
    assert read_json(b'{"sum": 1.10}') == {"sum": "1.10"}
    assert read_json(b"<html>") is None
    assert read_json(b"[" * 100_000) is None
