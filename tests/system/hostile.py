"""Another implementation of the API: small, written apart from the sandbox, with every trap in one company."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from precoro_daemon.sandbox.gate import arrival
from tests.mirror.comparing import Truth, exact

SCALE = 5.0
"""How many times faster than real its time passes."""

TOKEN, EMAIL = "hostile-key-7Zq9", "hostile.user@canary.example"


@dataclass
class Habits:
    """How this Precoro answers; each of them has been seen or cannot be excluded.

    meta         "totals", "has_next", "none" (small lists only have one page), "strings" (numbers as strings)
    last         `page=last` is understood
    date         answers carry a Date
    keyed        rows come as an object keyed by id instead of a list
    wrapped      details come in {"data": ...}
    beyond       status of a page behind the end
    drifting     the total differs from page to page
    repeating    each page begins with the last row of the one before
    limited      calls closer than this many seconds to the one before are refused, without any grace
    forbidden    collections the key's user may not read
    astray       keys whose detail is that of another document
    echo         every fifth call fails with a page that quotes the request's headers
    documents    of the company; a few more than forty have every shape of each field
    """

    meta: str = "totals"
    last: bool = True
    date: bool = True
    keyed: bool = False
    wrapped: bool = False
    beyond: int = 404
    drifting: bool = False
    repeating: bool = False
    limited: float = 0.0
    forbidden: frozenset[str] = frozenset()
    astray: frozenset[str] = frozenset()
    echo: bool = False
    documents: int = 27


@dataclass
class Hostile:
    """A running one: `rows` and `details` are JSON texts by path and key."""

    habits: Habits
    rows: Mapping[str, Mapping[int, str]]
    details: Mapping[str, Mapping[str, str]]
    url: str = ""
    calls: list[str] = field(default_factory=list)
    refused: int = 0
    _last: float = 0.0
    _born: float = field(default_factory=time.monotonic)
    _born_at: float = field(default_factory=time.time)

    def truth(self, path: str) -> Truth:
        details = [exact(text) for text in self.details.get(path, {}).values()]
        return Truth({id_: exact(text) for id_, text in self.rows[path].items()}, {one["id"]: one for one in details})

    async def date(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers.pop("Date", None)
        if self.habits.date:
            passed = time.monotonic() - self._born
            response.headers["Date"] = formatdate(self._born_at + passed * SCALE, usegmt=True)

    async def answer(self, request: web.Request) -> web.Response:
        first, last = arrival(request, time.monotonic())
        gap = last - self._last
        self.calls.append(request.path_qs)
        if (request.headers.get("X-AUTH-TOKEN"), request.headers.get("email")) != (TOKEN, EMAIL):
            return web.Response(status=401, text='{"message": "Invalid credentials."}')
        if gap < self.habits.limited:
            self.refused += 1
            return web.Response(status=429, text='{"RateLimit-Type": "Second limiter"}')
        self._last = first
        if self.habits.echo and len(self.calls) % 5 == 0:
            return web.Response(status=500, text=f"<html>{dict(request.headers)}</html>", content_type="text/html")
        path, _, key = request.path.strip("/").partition("/")
        if path not in self.rows:
            return self._page([], 1, 1, 0, 0)
        if path in self.habits.forbidden:
            return web.Response(status=403, text='{"message": "Access Denied."}')
        return self._detail(path, key) if key else self._list(path, request.query)

    def _detail(self, path: str, key: str) -> web.Response:
        known = self.details[path]
        if key not in known:
            return web.Response(status=404, text='{"message": "Not Found"}')
        if key in self.habits.astray:
            key = next(other for other in known if other != key)
        return _json(f'{{"data": {known[key]}}}' if self.habits.wrapped else known[key])

    def _list(self, path: str, query: Mapping[str, str]) -> web.Response:
        rows = list(self.rows[path].items())
        if since := query.get("modifiedSince"):
            rows = [row for row in rows if (exact(row[1]).get("updateDate") or "9")[:19] >= since]
        size = int(query["per_page"])
        pages = max(1, -(-len(rows) // size))
        if query["page"] == "last" and not self.habits.last:
            return web.Response(status=400, text='{"message": "page must be a number"}')
        number = pages if query["page"] == "last" else int(query["page"])
        if number > pages:
            return web.Response(status=self.habits.beyond, text='{"data": [], "message": "Not Found"}')
        part = rows[(number - 1) * size : number * size]
        if self.habits.repeating and number > 1:
            part = [rows[(number - 1) * size - 1], *part]
        return self._page(part, number, pages, size, len(rows))

    def _page(self, part: list[tuple[int, str]], number: int, pages: int, size: int, total: int) -> web.Response:
        listed = ",".join(text for _, text in part)
        data = f"[{listed}]"
        if self.habits.keyed and part:
            data = "{" + ",".join(f'"{id_}":{text}' for id_, text in part) + "}"
        if self.habits.meta == "none":
            return _json(f'{{"data": {data}}}')
        pagination: dict[str, Any] = {"per_page": size, "current_page": number, "links": []}
        if self.habits.meta == "has_next":
            pagination["has_next_page"] = number < pages
        else:
            pagination |= {"total": total + number * self.habits.drifting, "total_pages": pages}
        if self.habits.meta == "strings":
            pagination = {name: str(value) for name, value in pagination.items()}
        return _json(f'{{"data": {data}, "meta": {{"pagination": {json.dumps(pagination)}}}}}')


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


@asynccontextmanager
async def hostile(habits: Habits) -> AsyncIterator[Hostile]:
    shown = Hostile(habits, *_company(habits.documents))
    app = web.Application()
    app.router.add_route("*", "/{everything:.*}", shown.answer)

    app.on_response_prepare.append(shown.date)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        shown.url = f"http://{host}:{port}"
        yield shown
    finally:
        await runner.cleanup()


_AMOUNTS = (
    "12.50",
    "0.1000",
    "1E+2",
    '"99.90"',
    "79228162514264337593543950335",
    "-0.00",
    "1e-7",
    '""',
    "null",
    "[]",
)
_OBJECTS = ("[]", '""', "null", "{}", '{"id": "7", "name": "Größe & Söhne ☕"}', "7", '"7"')
_DATES = ('"2026-01-05T10:00:00"', '"2026-01-05T10:00:00+02:00"', '"2026-01-05T10:00:00.123456Z"', '"soon"', "null")
_STATUSES = ("2", '"2"', "17", "null", '{"id": 2, "name": "approved"}', "-1")
_EXTERNAL = ('"EXT-1"', "12345678901234567890123", '""', "null", "0", "[]")


def _company(count: int) -> tuple[dict[str, dict[int, str]], dict[str, dict[str, str]]]:
    """Newest first."""
    documents = {1000 + number: _document(1000 + number, number) for number in range(count, 0, -1)}
    details = {str(number): _document(1000 + number, number, lines=True) for number in range(1, count + 1)}
    taxes = {number: f'{{"id": {number}, "name": "VAT {number}", "percent": "2{number}.00"}}' for number in (3, 2, 1)}
    return (
        {"invoices": documents, "taxes": taxes, "receipts": {}, "users": {}},
        {"invoices": details},
    )


def _document(id_: int, number: int, *, lines: bool = False) -> str:
    def pick(shapes: tuple[str, ...]) -> str:
        return shapes[number % len(shapes)]

    idn = f'"{number}"' if number % 3 else str(number)
    line = f'{{"id": {id_}01, "name": "Line\\u0000\\ud83d\\ude00", "price": {pick(_AMOUNTS)}, "sum": 1E+2}}'
    keyed = f'{{"{id_}01": {line}}}'
    shapes = (f'{{"data": [{line}]}}', f"[{line}]", "[]", keyed, f'{{"data": {keyed}}}', "null")
    items = f', "items": {pick(shapes)}, "attachments": {pick(_OBJECTS[:4])}' if lines else ""
    return (
        f'{{ "id": {id_}, "idn": {idn}, "sum": {pick(_AMOUNTS)}, "supplier": {pick(_OBJECTS)},'
        f' "updateDate": {pick(_DATES)}, "status": {pick(_STATUSES)}, "externalId": {pick(_EXTERNAL)},'
        f' "deep": {"[" * 40}{"]" * 40}, "new{number}": {{"a": 0.10}}{items} }}'
    )
