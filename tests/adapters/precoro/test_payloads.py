"""List and detail answers as pages and documents; every shape they have been seen in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.adapters.precoro.payloads import PageRequest, read_detail, read_page
from precoro_daemon.errors import MalformedAnswer
from precoro_daemon.mirror.rules.collections import COLLECTIONS, Collection
from precoro_daemon.mirror.rules.cursors import Page

INVOICES = COLLECTIONS["invoices"]
SUPPLIERS = COLLECTIONS["suppliers"]
LEGAL_ENTITIES = COLLECTIONS["legal_entities"]

OLDER = {"total": 3, "count": 2, "per_page": 2, "current_page": 1, "total_pages": 2, "links": {"next": "/invoices"}}
NEWER = {"count": 2, "per_page": 2, "current_page": 1, "has_next_page": True, "links": []}


def body(data: Any, **pagination: Any) -> bytes:
    answer = {"data": data} | ({"meta": {"pagination": pagination}} if pagination else {})
    return json.dumps(answer).encode()


def read(raw: bytes, collection: Collection = INVOICES, number: int | None = 1) -> Page:
    return read_page(raw, PageRequest(collection, number, per_page=200), 9.0)


ROWS = [{"id": 1}, {"id": 2}]

rows = st.fixed_dictionaries(
    {"id": st.integers(1, 9), "note": st.text(), "sum": st.decimals(-9, 9, places=2).map(str)}
)


def test_a_full_page_that_says_nothing_of_pages_proves_nothing() -> None:
    full = body([{"id": number} for number in range(200)])
    with pytest.raises(MalformedAnswer, match="how many"):
        read(full)
    assert read(full, LEGAL_ENTITIES).is_last


@pytest.mark.parametrize(
    ("pagination", "told"),
    [
        (OLDER, (3, 2, None)),
        (NEWER, (None, None, True)),
        (OLDER | NEWER, (3, 2, True)),
        (OLDER | {"total": "3", "total_pages": "2"}, (3, 2, None)),
        ({"total": 3, "per_page": 2}, (3, 2, None)),
        ({"total": 0, "per_page": 2}, (0, 0, None)),
        ({"total": 3}, (3, 1, None)),
        ({"total": 401}, (401, 3, None)),
        ({"has_next_page": "false"}, (None, None, False)),
        ({"has_next_page": 1}, (None, None, True)),
        ({"has_next_page": [], "total": 2, "total_pages": 1}, (2, 1, None)),
    ],
)
def test_what_a_page_says_of_the_list(pagination: dict[str, Any], told: tuple[Any, ...]) -> None:
    page = read(body(ROWS, **pagination))
    assert (page.total, page.total_pages, page.has_next) == told
    assert (page.number, page.server_time, [record.id for record in page.records]) == (1, 9.0, [1, 2])


@pytest.mark.parametrize("raw", [body(ROWS), b'{"data":[{"id":1},{"id":2}],"meta":[]}', body(ROWS, links=[])])
def test_a_list_that_says_nothing_of_pages_is_one_page(raw: bytes) -> None:
    assert read(raw, LEGAL_ENTITIES).is_last
    assert read(raw).is_last
    with pytest.raises(MalformedAnswer, match="says neither how many"):
        read(raw, number=2)


def test_an_empty_answer_without_paging_is_believed_of_small_sets_only() -> None:
    assert read(body([]), LEGAL_ENTITIES).records == []
    with pytest.raises(MalformedAnswer, match="says neither how many"):
        read(body([]))


def test_a_page_that_lost_its_rows_is_refused() -> None:
    for left in ([], ROWS[:1]):
        with pytest.raises(MalformedAnswer, match=f"holds {len(left)} rows, though it counts 2"):
            read(body(left, **OLDER))


def test_a_count_of_something_else_is_no_cut() -> None:
    assert len(read(body(ROWS, **OLDER | {"count": 3})).records) == 2


def test_a_page_that_says_it_is_the_last_of_more_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="page 1 says it is the last, and that there are 2"):
        read(body(ROWS, **OLDER, has_next_page=False))


HALF = b'[{"id": 1, "sum": 1.10}, {"id": 2, "name": "a\\\\\\ud83d, \\ud83d\\ude00 \\uDE00"} ,{"id": 3}]'
PAGES = b'{"pagination": {"total": 3}, "note": "\\ud83d"}'
LAYOUTS = [b'{"data": %(rows)b, "meta": %(meta)b}', b' {"meta":%(meta)b ,"data":%(rows)b}\n']
DEEP = b'{"a":[' * 1000 + b'"]"' + b"]}" * 1000


@pytest.mark.parametrize(
    "layout", [b'{"data": %(rows)b, "meta": %(meta)b}', b' {"meta":%(meta)b ,"data":%(rows)b}\n']
)
def test_half_a_character_is_made_a_whole_one(layout: bytes) -> None:
    page = read(layout % {b"rows": HALF, b"meta": PAGES})
    assert [record.id for record in page.records] == [1, 2, 3]
    assert page.records[0].raw == '{"id": 1, "sum": 1.10}'
    assert json.loads(page.records[1].raw)["name"] == "a\\\ufffd, \U0001f600 \ufffd"
    assert page.records[1].raw == '{"id": 2, "name": "a\\\\\\ufffd, \\ud83d\\ude00 \\ufffd"}'
    assert (page.total, page.is_last) == (3, True)
    keyed = b'{"1": {"id": 1}, "\\ud83d": {"id": 2, "name": "\\ud83d"}}'
    assert [record.id for record in read(layout % {b"rows": keyed, b"meta": PAGES}).records] == [1, 2]


@pytest.mark.parametrize(
    "layout", [b'{"data": %(rows)b, "meta": %(meta)b}', b' {"meta":%(meta)b ,"data":%(rows)b}\n']
)
@pytest.mark.parametrize("rows", [b'[{"id": 1}, %b ,{"id": 3}]', b'{"1": {"id": 1}, "2": %b, "3": {"id": 3}}'])
def test_a_row_that_is_nested_too_deeply_costs_its_siblings_nothing(layout: bytes, rows: bytes) -> None:
    page = read(layout % {b"rows": rows % DEEP, b"meta": PAGES})
    assert [record.id for record in page.records] == [1, 3]
    assert [row.raw for row in page.rejected] == [DEEP.decode()]
    assert (page.total, page.is_last) == (3, True)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"data": [{"id": 1}, %b',
        b'{"data": [{"id": 1}, %b]',
        b'{"data": [{"id": 1}, %b]}}',
        b'{"data": [{"id": 1}, %b,]}',
        b'{"data": [{"id": 1} %b]}',
        b'{"data": [{"id": 1,}, %b]}',
        b'{"data": [%b], "meta"}',
        b'{"data": "%b"}',
        b'{"data": [%b], [1]: 2}',
        b'[{"id": 1}, %b]',
        b"%b",
    ],
)
def test_a_body_that_is_cut_or_foreign_is_refused_with_such_a_row_too(raw: bytes) -> None:
    for depth in (1000, 999):
        nested = b'{"a":[' * 1000 + b"1" + b"]}" * depth
        with pytest.raises(MalformedAnswer):
            read(raw % nested)


def test_half_a_character_makes_no_detail_unreadable() -> None:
    bare = b'{"id": 7, "idn": 5, "note": "\\ud83d", "sum": 1.10}'
    for raw in (bare, b'{"data": %b}' % bare):
        detail = read_detail(raw, collection=INVOICES, key=5)
        assert (detail.id, detail.raw) == (7, '{"id": 7, "idn": 5, "note": "\\ufffd", "sum": 1.10}')


def test_rows_may_come_keyed_by_id() -> None:
    assert [record.id for record in read(body({"1": {"id": 1}, "2": {"id": 2}}, **OLDER)).records] == [1, 2]


def test_another_page_than_asked_for_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="requested page 2, got page 1"):
        read(body(ROWS, **OLDER), number=2)


def test_the_last_page_asked_for_by_name_tells_its_number() -> None:
    page = read(body([{"id": 3}], **OLDER | {"current_page": 2, "count": 1}), number=None)
    assert page.number == 2
    assert page.is_last
    assert read(body(ROWS), number=None).number == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>Scheduled maintenance</body></html>",
        body(ROWS, **OLDER)[:40],
        body(ROWS, **OLDER) + b"{}",
        b"[]",
        b"null",
        b"{}",
        b'{"data": null}',
        b'{"data": "none"}',
        b'{"error": "Something went wrong", "code": 500}',
        b'{"data": [{"id": 1, "name": "\xff"}]}',
        b'{"data": [{"id": 1,}]}',
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_list_never_ends_a_pass(raw: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="/invoices: the answer"):
        read(raw)


LONG = json.dumps({"data": [{"id": 1, "name": "a\u20ac\U0001f600" * 12_000}]}, ensure_ascii=False).encode()


@given(st.integers(0, 3))
def test_characters_of_a_long_page_may_stand_anywhere(shift: int) -> None:
    page = read(b" " * shift + LONG)
    assert page.records[0].raw.endswith('\U0001f600"}')


@given(st.integers(LONG.index(b"a\xe2"), len(LONG) - 5))
def test_a_damaged_byte_anywhere_in_a_long_page_is_found(at: int) -> None:
    with pytest.raises(MalformedAnswer, match="/invoices: the answer"):
        read(LONG[:at] + b"\xff" + LONG[at + 1 :])


@given(st.integers(0, 200))
def test_a_cut_answer_is_never_a_page(cut: int) -> None:
    whole = body(ROWS, **OLDER)
    with pytest.raises(MalformedAnswer):
        read(whole[: cut % len(whole)])


@pytest.mark.parametrize("bad", [None, "not a record", 7, [], {}, {"id": None}, {"id": {"value": 2}}])
def test_a_bad_row_is_set_aside_and_its_siblings_go_on(bad: Any) -> None:
    page = read(body([{"id": 1}, bad, {"id": 3}], **OLDER))
    assert [record.id for record in page.records] == [1, 3]
    (rejected,) = page.rejected
    assert json.loads(rejected.raw) == bad


@given(st.lists(rows, min_size=1))
def test_every_digit_and_letter_of_a_row_is_kept(listing: list[dict[str, Any]]) -> None:
    page = read(body(listing, **OLDER | {"count": len(listing)}))
    assert [json.loads(record.raw) for record in page.records] == listing


def test_numbers_keep_the_digits_they_were_sent_with() -> None:
    raw = b'{"data":[{"id":1,"sum":1234567890123456.7800}],"meta":{"pagination":{"total":1,"total_pages":1}}}'
    assert read(raw).records[0].raw == '{"id":1,"sum":1234567890123456.7800}'


@pytest.mark.parametrize(
    ("collection", "key", "raw"),
    [
        (INVOICES, 12, '{"id":7,"idn":12,"items":{"data":[]}}'),
        (INVOICES, 12, '{"id":7,"idn":"12"}'),
        (INVOICES, "PO-7", '{"id":7,"idn":"PO-7"}'),
        (SUPPLIERS, 7, '{"id":"7","name":"A"}'),
    ],
)
def test_a_detail_bare_or_wrapped(collection: Collection, key: int | str, raw: str) -> None:
    for text in (raw, f" {raw}\n", f'{{"data": {raw}}}'):
        detail = read_detail(text.encode(), collection=collection, key=key)
        assert (detail.id, detail.raw, detail.wanted) == (7, raw, True)


def test_a_document_may_have_a_field_called_data() -> None:
    raw = '{"id":7,"idn":12,"data":{"id":9,"idn":12}}'
    assert read_detail(raw.encode(), collection=INVOICES, key=12).raw == raw


def test_a_detail_without_an_id_of_its_own_is_still_a_detail() -> None:
    assert read_detail(b'{"idn":12}', collection=INVOICES, key=12).id is None


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b'"12"', b"{}", b'{"id":7}', b'{"id":7,"idn":13}', b'{"id":7,"idn":12', b'{"data":[]}'],
)
def test_anything_else_is_not_that_document(raw: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="/invoices/12: the answer"):
        read_detail(raw, collection=INVOICES, key=12)
