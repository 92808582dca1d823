"""all kinds of faults, one small function each, in one registry"""

import gzip
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import anyio
import msgspec
import orjson
from aiohttp import web

from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.faults import Fault
from precoro_daemon.sandbox.limits import Refusal
from precoro_daemon.sandbox.options import Tuning
from precoro_daemon.sandbox.replies import html, refused
from precoro_daemon.sandbox.shapes import dumps

BOMB_BYTES = 200_000_000


@dataclass(frozen=True)
class Strike:
    """One call that a fault hits. `answer` executes the call and returns the honest answer."""

    request: web.Request
    fault: Fault
    answer: Callable[[], Awaitable[web.Response]]
    clock: SimulatedClock
    tuning: Tuning
    later: Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
    """Runs a function after this call, in the sandbox's own task group."""


Kind = Callable[[Strike], Awaitable[web.StreamResponse]]
KINDS: dict[str, Kind] = {}


def _kind(name: str) -> Callable[[Kind], Kind]:
    def register(function: Kind) -> Kind:
        KINDS[name] = function
        return function

    return register


def _fixed(name: str, reply: Callable[[], web.Response]) -> None:
    async def fault(_strike: Strike) -> web.Response:
        return reply()

    KINDS[name] = fault


_fixed("401", lambda: web.json_response({"code": 401, "message": "Invalid credentials."}, status=401))
_fixed("403", lambda: html(403, "Forbidden"))
_fixed("404", lambda: web.json_response({"code": 404, "message": "Not Found"}, status=404))
_fixed("408", lambda: html(408, "Request Time-out"))
_fixed("422", lambda: web.json_response({"code": 422, "message": "Unprocessable Entity"}, status=422))
_fixed("500", lambda: web.json_response({"code": 500, "message": "Internal Server Error"}, status=500))
_fixed("502_html", lambda: html(502, "Bad Gateway"))
_fixed(
    "503",
    lambda: web.json_response({"message": "Service Unavailable"}, status=503, headers={"Retry-After": "1"}),
)
_fixed("504_html", lambda: html(504, "Gateway Time-out"))
_fixed("200_html", lambda: html(200, "Scheduled maintenance"))
_fixed("200_json_error", lambda: web.json_response({"error": "Something went wrong", "code": 500}))
_fixed("invalid_json", lambda: web.Response(text='{"data": [{"id": 1,}], oops', content_type="application/json"))
_fixed("empty_body", lambda: web.Response(body=b"", content_type="application/json"))


@_kind("429")
async def rate_limit(strike: Strike) -> web.Response:
    now = strike.clock.now()
    return refused(Refusal(strike.fault.limit, 1, now + strike.fault.wait), strike.tuning.retry_after, now)


@_kind("redirect")
async def redirect(strike: Strike) -> web.Response:
    target = strike.fault.location or "/elsewhere"
    return web.Response(status=302, headers={"Location": target})


@_kind("slow")
async def slow(strike: Strike) -> web.Response:
    await anyio.sleep(strike.fault.seconds)
    return await strike.answer()


@_kind("hang")
async def hang(strike: Strike) -> web.StreamResponse:
    """Never answers. Ends with the sandbox."""
    await anyio.sleep_forever()
    return await strike.answer()


@_kind("reset")
async def reset(strike: Strike) -> web.Response:
    """Ends the connection with RST before a byte is sent. The call is not executed."""
    return _reset(strike)


@_kind("closed")
async def closed(strike: Strike) -> web.Response:
    """Closes the connection without an answer. The call is not executed."""
    return _cut(strike, b"")


@_kind("truncated")
async def truncated(strike: Strike) -> web.Response:
    """Sends fewer bytes than Content-Length promises."""
    answer, body = await _honest(strike)
    return _cut(strike, _head(answer, f"Content-Length: {len(body)}") + body[: len(body) // 2])


@_kind("chunked_cut")
async def chunked_cut(strike: Strike) -> web.Response:
    """Sends one chunk, and never the last one."""
    answer, body = await _honest(strike)
    half = body[: len(body) // 2]
    return _cut(strike, _head(answer, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(half), half))


@_kind("cut_without_length")
async def cut_without_length(strike: Strike) -> web.Response:
    """Sends half of a body that looks complete, because only the end of the connection ends it."""
    answer, body = await _honest(strike)
    return _cut(strike, _head(answer, "Connection: close") + body[: len(body) // 2])


@_kind("reset_midway")
async def reset_midway(strike: Strike) -> web.Response:
    answer, body = await _honest(strike)
    if strike.request.transport is not None:
        strike.request.transport.write(_head(answer, f"Content-Length: {len(body)}") + body[: len(body) // 2])
    return _reset(strike)


@_kind("drip")
async def drip(strike: Strike) -> web.StreamResponse:
    """Sends the honest answer in pieces over `seconds`."""
    answer, body = await _honest(strike)
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(strike.request)
    pieces = 50
    size = max(1, len(body) // pieces)
    for start in range(0, len(body), size):
        await anyio.sleep(strike.fault.seconds / pieces)
        await response.write(body[start : start + size])
    return response


@_kind("endless")
async def endless(strike: Strike) -> web.StreamResponse:
    """Sends a body that never ends, as fast as the client reads it."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await response.prepare(strike.request)
    while True:
        await response.write(b"\0" * 65_536)


@_kind("gzip_bomb")
async def gzip_bomb(_strike: Strike) -> web.Response:
    body = await anyio.to_thread.run_sync(lambda: gzip.compress(bytes(BOMB_BYTES), 1))
    return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


@_kind("half_json")
async def half_json(strike: Strike) -> web.Response:
    """Sends a correct 200 whose text stops in the middle."""
    _, body = await _honest(strike)
    return web.Response(body=body[: len(body) // 2], content_type="application/json")


@_kind("empty_page")
async def empty_page(strike: Strike) -> web.Response:
    """Sends a page without rows that still states the totals."""
    return await _changed(strike, lambda _rows, meta: ([], meta))


@_kind("wrong_totals")
async def wrong_totals(strike: Strike) -> web.Response:
    def change(rows: list[msgspec.Raw], meta: dict[str, object]) -> tuple[list[msgspec.Raw], dict[str, object]]:
        pagination = meta.get("pagination")
        if isinstance(pagination, dict) and "total" in pagination:
            pagination["total"] += strike.fault.off
        return rows, meta

    return await _changed(strike, change)


@_kind("bad_record")
async def bad_record(strike: Strike) -> web.Response:
    """Damages the first record of the page and leaves the others as they are."""
    return await _changed(strike, lambda rows, meta: ([*_spoil(rows[:1], strike.fault.record), *rows[1:]], meta))


@_kind("reshaped")
async def reshaped(strike: Strike) -> web.Response:
    """Answers like another version of the API: in every record a field is missing, empty, of another type, or new."""
    _, body = await _honest(strike)
    answer = orjson.loads(body)
    rows = answer.get("data", answer) if isinstance(answer, dict) else answer
    for row in rows if isinstance(rows, list) else [rows]:
        reshape(row, strike.fault.field, strike.fault.how)
    return web.Response(body=dumps(answer), content_type="application/json")


def reshape(row: object, field: str, how: str) -> None:
    """Gives a field of a record another shape, in place."""
    outer, _, inner = field.partition(".")
    if not isinstance(row, dict):
        return
    if inner:
        held = row.get(outer)
        held = held.get("data", held) if isinstance(held, dict) else held
        for member in held if isinstance(held, list) else [held]:
            reshape(member, inner, how)
    elif how == "missing":
        row.pop(outer, None)
    elif outer in row or how == "added":
        row[outer] = {"null": None, "text": "see there", "object": {"value": row.get(outer)}}.get(how, "added")


@_kind("commit_then_cut")
async def commit_then_cut(strike: Strike) -> web.Response:
    """Executes the call, but the answer is lost."""
    await strike.answer()
    return _reset(strike)


@_kind("commit_then_500")
async def commit_then_500(strike: Strike) -> web.Response:
    await strike.answer()
    return web.json_response({"code": 500, "message": "Internal Server Error"}, status=500)


@_kind("commit_then_html")
async def commit_then_html(strike: Strike) -> web.Response:
    """Executes the call and answers with a 200 that is not JSON."""
    await strike.answer()
    return html(200, "Thank you")


@_kind("late_commit")
async def late_commit(strike: Strike) -> web.Response:
    """Ends the connection at once and executes the call `seconds` later."""
    await strike.request.read()

    async def commit() -> None:
        await anyio.sleep(strike.fault.seconds)
        await strike.answer()

    strike.later(commit)
    return _reset(strike)


def _spoil(rows: list[msgspec.Raw], how: str) -> list[msgspec.Raw]:
    if not rows:
        return []
    fields = orjson.loads(bytes(rows[0]))
    if how == "duplicate":
        return [rows[0], rows[0]]
    if how == "no_id":
        fields.pop("id", None)
    elif how in ("id_object", "id_null"):
        fields["id"] = {"value": fields["id"]} if how == "id_object" else None
    else:
        fields = "not a record" if how == "string" else None
    return [msgspec.Raw(orjson.dumps(fields))]


Change = Callable[[list[msgspec.Raw], dict[str, object]], tuple[list[msgspec.Raw], dict[str, object]]]


async def _changed(strike: Strike, change: Change) -> web.Response:
    """Returns the honest page with its rows or its meta changed. Other bodies stay as they are."""
    answer, body = await _honest(strike)
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        rows = msgspec.json.decode(parts["data"], type=list[msgspec.Raw])
    except (msgspec.DecodeError, KeyError):
        return answer
    meta = orjson.loads(bytes(parts["meta"])) if "meta" in parts else None
    rows, changed = change(rows, meta or {})
    text = b'{"data":[%b]' % b",".join(bytes(row) for row in rows)
    if meta is not None:
        text += b',"meta":' + dumps(changed)
    return web.Response(body=text + b"}", content_type="application/json")


async def _honest(strike: Strike) -> tuple[web.Response, bytes]:
    answer = await strike.answer()
    return answer, bytes(answer.body) if isinstance(answer.body, bytes) else b""


def _head(answer: web.Response, framing: str) -> bytes:
    kind = answer.headers.get("Content-Type", "application/json")
    return f"HTTP/1.1 {answer.status} OK\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n".encode()


def _cut(strike: Strike, sent: bytes) -> web.Response:
    """Sends raw bytes and ends the connection. The returned response can no longer be sent."""
    if strike.request.transport is not None:
        strike.request.transport.write(sent)
        strike.request.transport.close()
    return web.Response()


def _reset(strike: Strike) -> web.Response:
    transport = strike.request.transport
    if transport is not None:
        end: socket.socket = transport.get_extra_info("socket")
        # Lingering for zero seconds makes the kernel send RST instead of FIN.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
