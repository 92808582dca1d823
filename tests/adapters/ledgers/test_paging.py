"""Page after page: every row is read, or the reading fails; a list never ends early without a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.adapters.ledgers.answers import MISSING, Absent, unwound, value_at
from precoro_daemon.adapters.ledgers.paging import PageScan, Paging, same_origin
from precoro_daemon.errors import LedgerMisfit, MalformedAnswer
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import reply
from tests.contracts.ledgers.books import read_all
from tests.contracts.ledgers.configured import ledger_in, write_secret

ORIGIN = "https://books.example"


@pytest.mark.parametrize(
    ("tree", "path", "found"),
    [
        ({"@odata.nextLink": "x"}, "@odata.nextLink", "x"),
        ({"party.": {"id": 3}}, "party..id", 3),
        ({"a": {"b.c": {"d": 1}}}, "a.b.c.d", 1),
        ({"a": {"b": 1}, "a.b": 2}, "a.b", 1),
        ({"a": [{"b": 7}]}, "a.0.b", 7),
        ({"a": [7]}, "a.only", 7),
        ({"a": []}, "a.only", MISSING),
        ({"a": 1}, "a.b", MISSING),
        ({}, "", {}),
    ],
)
def test_a_key_may_have_dots(tree: Any, path: str, found: Any):
    assert value_at(tree, path) == found


def test_the_only_one_of_several_is_none():
    with pytest.raises(Absent):
        value_at({"a": [1, 2]}, "a.only")


def test_a_list_under_a_key_with_dots_is_taken_apart():
    row = {"id": 1, "lines.all": [{"n": 1}, {"n": 2}]}
    assert [value_at(one, "lines.all.n") for one in unwound(row, "lines.all")] == [1, 2]


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("/v1/list?page=2", "/v1/list?page=2"),
        ("?page=2", "/v1/list?page=2"),
        ("list?page=2", "/v1/list?page=2"),
        ("../v2/list", "/v2/list"),
        ("https://books.example/x?a=1", "/x?a=1"),
        ("https://books.example", "/"),
    ],
)
def test_a_relative_link_continues_its_page(link: str, target: str):
    assert same_origin(link, ORIGIN, "/v1/list?page=1") == target


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/x",
        "//elsewhere.example/x",
        "http://books.example/x",
        "/a b",
        "/\u00fc",
        "http://[/",
    ],
)
def test_a_link_elsewhere_is_not_followed(link: str):
    with pytest.raises(LedgerMisfit):
        same_origin(link, ORIGIN, "/v1/list?page=1")


def scan(paging: Paging, page: Callable[[PageScan], tuple[Any, Sequence[int]]]) -> list[int]:
    """The rows that a whole first reading brings; a row's number is its position too."""
    reading, rows = PageScan(paging, None, ORIGIN), []
    while True:
        target = reading.link or "/list"
        answer, brought = page(reading)
        if reading.has_ended(brought):
            return rows
        reading.follow([f"{number:09}" for number in brought])
        rows += brought
        if not reading.goes_on(answer, brought, target):
            return rows


@given(
    count=st.integers(0, 30),
    size=st.integers(1, 8),
    cap=st.integers(1, 8),
    kind=st.sampled_from(["page", "offset"]),
    total=st.booleans(),
)
def test_numbered_pages_bring_all_rows(count: int, size: int, cap: int, kind: Any, total: bool):
    """`cap` is what the server gives at once, whatever it is asked for."""

    def page(reading: PageScan) -> tuple[Any, Sequence[int]]:
        asked = reading.values
        known = [number for number in range(count) if f"{number:09}" >= asked["position"]]
        step = min(size, cap)
        start = asked["offset"] if kind == "offset" else asked["page"] * step
        return {"total": len(known)}, known[start : start + step]

    paging = Paging(kind, size, first=0, total="total" if total else "")
    assert set(scan(paging, page)) == set(range(count))


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_server_that_turns_no_pages_is_noticed(count: int):
    """A list that is shorter than a page may well come whole each time; a full page that comes twice is no list."""
    paging = Paging("page", 3)
    if count < 3:
        assert scan(paging, lambda _: ({"total": count}, [7] * count)) == [7] * count
    else:
        with pytest.raises(LedgerMisfit, match="does not turn pages"):
            scan(paging, lambda _: ({}, [7] * count))


@given(
    count=st.integers(0, 20), step=st.integers(1, 5), kind=st.sampled_from(["cursor", "link"]), cut=st.integers(1, 5)
)
def test_pages_that_name_the_next_bring_all_rows_or_an_error(count: int, step: int, kind: Any, cut: int):
    """`cut`: the page that does not say how to go on, though it is not the last."""

    def page(reading: PageScan) -> tuple[Any, Sequence[int]]:
        start = int(reading.values["cursor"] or 0)
        if reading.link:
            start = int(parse_qs(urlsplit(reading.link).query)["at"][0])
        following = start + step
        if following >= count or start // step + 1 == cut:
            return {"total": count}, range(start, min(following, count))
        named = str(following) if kind == "cursor" else f"?at={following}"
        return {"total": str(count), "@odata.nextLink": named}, range(start, following)

    paging = Paging(kind, 100, next="@odata.nextLink", total="total")
    if count <= cut * step:
        assert scan(paging, page) == [*range(count)]
    else:
        with pytest.raises(MalformedAnswer, match="says that it has"):
            scan(paging, page)


ODATA = """
[ledger.rest.read]
path = "/api/v2.0/vendorPayments?$orderby=id"
rows = "value"
paging = "link"
size = 2
next = "@odata.nextLink"
[ledger.rest.read.fields]
key = "id"
invoice = "bill"
amount = "debit.decimal"
paid_on = "date"
"""

TRYTON = {"debit": {"__class__": "Decimal", "decimal": "28182.77"}, "date": {"year": 2026, "month": 11, "day": 20}}


@pytest.mark.asyncio
@pytest.mark.parametrize("relative", [False, True])
async def test_a_list_of_odata_is_read_to_its_end(tmp_path: Any, relative: bool):
    async def handler(request: web.BaseRequest) -> web.Response:
        start = int(request.query.get("$skiptoken", "0"))
        answer: dict[str, Any] = {
            "value": [{"id": f"p{number}", "bill": "16", **TRYTON} for number in range(start, start + 2)]
        }
        if start < 4:
            link = f"vendorPayments?$skiptoken={start + 2}"
            answer["@odata.nextLink"] = link if relative else f"{origin}/api/v2.0/{link}"
        return reply(answer)

    async with serving(handler) as origin:
        token = write_secret(tmp_path)
        text = (
            f'[ledger]\nkind = "rest"\nname = "books"\n[ledger.rest]\nbase_url = "{origin}"\ntoken_file = "{token}"'
        )
        async with ledger_in(tmp_path, f"{text}\n{ODATA}") as ledger:
            read = await read_all(ledger)
    assert [payment.key for payment in read.payments] == [f"p{number}" for number in range(6)]
    assert {payment.paid_on.isoformat() for payment in read.payments} == {"2026-11-20"}
