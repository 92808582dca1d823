"""Which fields a record refers to, wherever it keeps them and in whatever shape."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.field_references import (
    FIELD_SETS,
    LINE_FIELD_SETS,
    Reference,
    References,
    patient_references,
)

NOTHING: tuple[Any, ...] = ([], "", None, {}, {"data": []}, {"data": {}}, {"data": None}, 7, True, "x", [None, 3, []])
NO_IDS: tuple[Any, ...] = (
    None,
    "",
    [],
    {},
    True,
    "x",
    5.0,
    2.5,
    {"id": None},
    {"id": True},
    {"id": "a"},
    {"id": 5.0},
)


def references(*raws: bytes) -> set[Reference]:
    taken = References()
    for raw in raws:
        taken.add(raw)
    return taken.found()


ids = st.integers(0, 6)
shapes = st.sampled_from(["list", "bag", "dict", "bag of dict"])


def shaped(members: list[Any], shape: str) -> Any:
    keyed = {str(number): member for number, member in enumerate(members, start=11)}
    return {"list": members, "bag": {"data": members}, "dict": keyed, "bag of dict": {"data": keyed}}[shape]


@st.composite
def bags(draw: st.DrawFn, place: str) -> tuple[Any, set[tuple[str, int]]]:
    """A collection of values as it may stand in one place, and what it refers to."""
    collection, spellings = FIELD_SETS[place]
    members: list[Any] = []
    for id_ in draw(st.lists(ids, max_size=3)):
        written = draw(st.sampled_from([id_, str(id_)]))
        reference = draw(st.sampled_from([written, {"id": written}, {"id": written, "name": "Größe", "type": 3}]))
        members.append(
            {"id": 100, "value": draw(st.sampled_from(NOTHING)), draw(st.sampled_from(spellings)): reference}
        )
    found = {(collection, id_) for id_ in (_id_of(member, spellings) for member in members)}
    if draw(st.booleans()):
        members.insert(0, draw(st.sampled_from([{spellings[0]: each} for each in NO_IDS] + [None, 3, "x", [], {}])))
    return (shaped(members, draw(shapes)), found) if members else (draw(st.sampled_from(NOTHING)), set())


def _id_of(member: dict[str, Any], spellings: tuple[str, ...]) -> int:
    reference = next(member[each] for each in spellings if each in member)
    return int(reference["id"] if isinstance(reference, dict) else reference)


@st.composite
def holders(draw: st.DrawFn, places: tuple[str, ...]) -> tuple[dict[str, Any], set[tuple[str, int]]]:
    holder: dict[str, Any] = {"id": 1, "idn": "5", "sum": 1.10, "note": "ключ"}
    found: set[tuple[str, int]] = set()
    for place in places:
        if draw(st.booleans()):
            holder[place], more = draw(bags(place))
            found |= more
    return holder, found


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, Any], set[tuple[str, int]]]:
    record, found = draw(holders(tuple(FIELD_SETS)))
    lines = draw(st.lists(holders(LINE_FIELD_SETS), max_size=3))
    if lines:
        members: list[Any] = [line for line, _ in lines]
        members += draw(st.sampled_from([[], [None], ["x"], [[]]]))
        record["items"] = shaped(members, draw(shapes))
        found = found.union(*(more for _, more in lines))
    elif draw(st.booleans()):
        record["items"] = draw(st.sampled_from(NOTHING))
    return record, found


@given(records())
def test_every_reference_is_found_in_every_shape(drawn: tuple[dict[str, Any], set[tuple[str, int]]]) -> None:
    record, expected = drawn
    for raw in (json.dumps(record).encode(), json.dumps(record, ensure_ascii=False).encode()):
        assert references(raw) == expected
        assert patient_references(raw) == expected


@given(st.recursive(st.sampled_from(NOTHING + NO_IDS), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from([*FIELD_SETS, "items", "data", "itemCustomField", "documentCustomField", "id"]),
    inner)))  # fmt: skip
def test_the_quick_reading_and_the_patient_one_agree_on_anything(value: Any) -> None:
    raw = json.dumps(value).encode()
    assert references(raw) == patient_references(raw)


def test_what_is_no_record_refers_to_nothing() -> None:
    for raw in (b"", b"{", b"[" * 100_000, b"null", b"7", b"[]", b"\xff", b'{"items":'):
        assert references(raw) == set()


def test_half_a_surrogate_pair_hides_nothing() -> None:
    raw = b'{"dataDocumentCustomFields":[{"value":"\\ud800","documentCustomField":{"id":4,"name":"\\udc00"}}]}'
    assert references(raw) == {("document_custom_fields", 4)}


def test_a_value_that_names_its_field_in_both_spellings_refers_to_both() -> None:
    raw = b'{"dataItemCustomFields":[{"itemCustomField":{"id":"a"},"productCustomField":2},{"itemCustomField":3}]}'
    assert references(raw) == {("item_custom_fields", 2), ("item_custom_fields", 3)}


def test_fields_of_documents_are_not_looked_for_in_lines() -> None:
    raw = b'{"items":[{"dataDocumentCustomFields":[{"documentCustomField":4}]}]}'
    assert references(raw) == set()


@given(st.lists(records(), max_size=4))
def test_references_of_many_records_are_those_of_each(drawn: list[tuple[dict[str, Any], set[Reference]]]) -> None:
    raws = [json.dumps(record).encode() for record, _ in drawn]
    assert references(*raws) == set().union(*(found for _, found in drawn))
