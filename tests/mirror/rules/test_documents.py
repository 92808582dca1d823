"""Records and their versions, whatever a list makes of them; rows that are no records."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.errors import BadRecord
from precoro_daemon.mirror.rules.documents import Rejected, read_record, reject

LARGEST = 2**63 - 1

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
loose = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


NUMBERS = ["1.10", "-0", "1e5", "12345678901234567890123", "true"]


def row(**fields: Any) -> bytes:
    return json.dumps({"id": 1} | fields, ensure_ascii=False).encode()


def test_a_record_as_the_list_gives_it() -> None:
    raw = (
        b'{"id": 7, "idn": "12", "status": 2, "updateDate": "2024-05-01T10:00:00", "externalId": "A-1", "sum": 10.10}'
    )
    record = read_record(raw)
    assert (record.id, record.idn, record.status) == (7, 12, 2)
    assert (record.updated_at, record.external_id) == ("2024-05-01T10:00:00", "A-1")
    assert record.raw == raw.decode()
    assert record.wanted


@pytest.mark.parametrize("value", ["7", 7])
def test_an_id_may_be_a_number_or_a_string_of_digits(value: Any) -> None:
    assert read_record(row(id=value)).id == 7


@pytest.mark.parametrize("value", [None, "", "x7", "7.0", 7.5, True, [], {"value": 7}, "٧", LARGEST + 1, "9" * 5_000])
def test_without_a_usable_id_it_is_no_record(value: Any) -> None:
    with pytest.raises(BadRecord, match="its id is"):
        read_record(row(id=value))


def test_a_missing_id_is_called_missing() -> None:
    with pytest.raises(BadRecord, match="its id is missing"):
        read_record(b"{}")


@pytest.mark.parametrize(
    "raw", [b"null", b'"not a record"', b"17", b"[]", b'{"id": 1', b'{"id": 1, "idn": "\\ud800"}']
)
def test_what_is_no_object_is_no_record(raw: bytes) -> None:
    with pytest.raises(BadRecord, match="not a readable object"):
        read_record(raw)


@pytest.mark.parametrize(
    ("value", "status"),
    [(2, 2), ("2", 2), (99, 99), (None, None), ([], None), ("", None), ({"id": 5}, 5), ({"id": "5"}, 5), ({}, None)],
)
def test_a_status_is_a_number_in_whatever_dress(value: Any, status: int | None) -> None:
    assert read_record(row(status=value)).status == status


@pytest.mark.parametrize("number", NUMBERS)
def test_an_external_id_that_is_a_number_keeps_the_digits_that_were_sent(number: str) -> None:
    assert read_record(b'{"id": 1, "externalId": %b}' % number.encode()).external_id == number


@pytest.mark.parametrize("empty", [b"null", b'""', b"[]", b"{}", b"false"])
def test_an_empty_external_id_is_none(empty: bytes) -> None:
    assert read_record(b'{"id": 1, "externalId": %b}' % empty).external_id is None


@given(st.dictionaries(st.sampled_from(["idn", "status", "updateDate", "externalId", "sum", "supplier"]), loose))
def test_no_type_of_a_field_makes_a_record_unreadable(fields: dict[str, Any]) -> None:
    raw = json.dumps({"id": 1} | fields).encode()
    record = read_record(raw)
    assert (record.id, record.raw) == (1, raw.decode())


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_version_changes_with_every_byte(one: bytes, other: bytes) -> None:
    versions = {read_record(b'{"id":1,"x":"%b"}' % note.hex().encode()).version for note in (one, other)}
    assert len(versions) == len({one, other})


def test_a_repeated_rejection_is_one_row() -> None:
    first, again = reject(b'{"id": null}', "no id"), reject(memoryview(b'{"id": null}'), "no id")
    assert first == again
    assert first.key != reject(b"null", "no object").key


def test_what_is_rejected_is_kept_whatever_its_bytes() -> None:
    assert reject(b"\xff", "no text") == Rejected(key=reject(b"\xff", "").key, reason="no text", raw="\ufffd")
