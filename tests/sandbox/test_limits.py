"""The sandbox's limits: every window, every spelling of a 429, in simulated time."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from precoro_daemon.sandbox import Quota, Sandbox
from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.limits import GRACE_REAL, GRACE_SIMULATED, Limits
from tests.sandbox.driving import START, company, get, key, session


def paced(limits: Limits, calls: int, step: float, path: str | None = None) -> int | None:
    """The number of the first call that is refused."""
    for number in range(calls):
        where = path or f"/a?{number}"
        if limits.judge("GET", where, where, 1_000 + number * step) is not None:
            return number
    return None


@pytest.mark.parametrize(
    ("quota", "step", "allowed", "kind"),
    [
        (Quota(per_second=1), 0.9, 1, "second"),
        (Quota(0, per_minute=60), 0.5, 60, "minute"),
        (Quota(0, 0, per_hour=1_500), 1.1, 1_500, "hour"),
        (Quota(0, 0, 0, per_day=3_000), 3.0, 3_000, "day"),
    ],
)
def test_each_window_slides(quota: Quota, step: float, allowed: int, kind: str) -> None:
    limits = Limits(quota, 1.0)
    assert paced(limits, allowed + 1, step) == allowed
    refusal = limits.judge("GET", "/x", "/x", 1_000 + allowed * step)
    assert refusal is not None
    assert refusal.kind == kind
    assert limits.judge("GET", "/y", "/y", refusal.until) is None, "the window opens when the refusal said"


def test_a_full_day_at_the_documented_pace_is_never_refused() -> None:
    limits = Limits(Quota(), 1.0)
    assert paced(limits, 3_000, 28.8) is None
    assert paced(Limits(Quota(per_hour=0, per_day=0), 1.0), 5_000, 1.0) is None


def test_the_grace_is_small() -> None:
    for step, refused in (
        (1 - GRACE_SIMULATED - GRACE_REAL + 1e-6, None),
        (1 - GRACE_SIMULATED - GRACE_REAL - 1e-3, 1),
    ):
        assert paced(Limits(Quota(1, 0, 0, 0), 1.0), 2, step) == refused


def test_the_same_get_is_allowed_once_a_minute_and_thirty_times_an_hour() -> None:
    limits = Limits(Quota(), 1.0)
    assert paced(limits, 2, 59.0, "/invoices?page=1") == 1
    hourly = Limits(Quota(), 1.0)
    assert paced(hourly, 40, 61.0, "/invoices?page=1") == 30
    assert hourly.judge("POST", "/payments", "/payments", 5_000.0) is None
    assert hourly.judge("POST", "/payments", "/payments", 5_001.0) is None


def test_the_same_get_may_count_per_path() -> None:
    limits = Limits(Quota(same_get_scope="path"), 1.0)
    assert limits.judge("GET", "/invoices", "/invoices?page=1", 0.0) is None
    assert limits.judge("GET", "/invoices", "/invoices?page=2", 2.0) is not None


def test_a_refused_call_counts_in_no_window() -> None:
    limits = Limits(Quota(per_second=1), 1.0)
    for moment in (0.0, 0.3, 0.6, 0.9):
        limits.judge("GET", f"/{moment}", f"/{moment}", moment)
    assert limits.judge("GET", "/z", "/z", 1.0) is None
    assert sum(limits.refusals.values()) == 3


@pytest.mark.asyncio
async def test_a_parallel_burst_lets_one_through() -> None:
    async with company(limits=True) as (sandbox, http):
        statuses: list[int] = []

        async def call(number: int) -> None:
            async with http.get(f"/invoices?page={number}") as answer:
                statuses.append(answer.status)

        async with anyio.create_task_group() as tasks:
            for number in range(1, 6):
                tasks.start_soon(call, number)
        assert sorted(statuses) == [200, 429, 429, 429, 429]
        assert sum(sandbox.limits.refusals.values()) == 4
        state = await get(http, "/_sandbox")
        assert state["refusals"] == {"Second limiter": 4}
        assert state["used"]["minute"] == [1, 60]


@pytest.mark.asyncio
async def test_time_scale_speeds_up_windows_and_date() -> None:
    async with company(limits=True, time_scale=60) as (sandbox, http):
        async with http.get("/taxes") as first:
            began = parsedate_to_datetime(first.headers["Date"])
        for number in range(20):
            await anyio.sleep(1 / 60)
            await get(http, f"/invoices?status[]={number}")
        await anyio.sleep(1.0)
        async with http.get("/taxes") as again:
            assert again.status == 200
            passed = (parsedate_to_datetime(again.headers["Date"]) - began).total_seconds()
        assert 78 <= passed <= 1_200
        assert abs(began - START).total_seconds() < 60
        assert not sandbox.limits.refusals


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="this system does not tell when something came")
@pytest.mark.asyncio
async def test_what_keeps_the_sandbox_itself_from_looking_is_no_refusal() -> None:
    async with company(limits=True, time_scale=10) as (sandbox, _):
        sent = threading.Event()
        paced = asyncio.create_task(asyncio.to_thread(_two_calls_a_second_apart, sandbox, sent))
        await checkpoint()
        assert sent.wait(30), "meanwhile the sandbox, on the same loop, sees nothing"
        answers = await paced
        assert [answer.split()[1] for answer in answers] == [b"200", b"200"]
        assert not sandbox.limits.refusals


def _two_calls_a_second_apart(sandbox: Sandbox, sent: threading.Event) -> list[bytes]:
    """On two connections, a little more than a tenth of a real second apart; `sent` once both have left."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    fields = "".join(f"{name}: {value}\r\n" for name, value in key(sandbox).items())
    answers = []
    with socket.create_connection((host, int(port))) as one, socket.create_connection((host, int(port))) as two:
        for number, connection in enumerate((one, two), 1):
            connection.sendall(f"GET /taxes?page={number} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
            if connection is one:
                time.sleep(0.105)
        sent.set()
        for connection in (one, two):
            connection.settimeout(5)
            answers.append(connection.recv(1 << 16))
    return answers


@pytest.mark.asyncio
async def test_the_documented_429() -> None:
    async with company(limits=True) as (_, http):
        await get(http, "/taxes")
        await anyio.sleep(1.1)
        async with http.get("/taxes") as answer:
            body = await answer.json()
            assert answer.status == 429
            now = parsedate_to_datetime(answer.headers["Date"])
        assert body["error"] == "Too many requests for this endpoint"
        assert body["RateLimit-Type"] == "Route based limiter by minute"
        assert body["RateLimit-Limit"] == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", body["RateLimit-Retry-After"])
        until = datetime.strptime(body["RateLimit-Retry-After"], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        assert 55 <= (until - now).total_seconds() <= 60
        assert answer.headers["RateLimit-Type"] == body["RateLimit-Type"]


STYLES = {
    "utc": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
    "iso": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "garbage": "soon, probably",
    "past": r"2026-03-01 .*",
    "far": r"2036-.*",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("style", [*STYLES, "seconds", "absent"])
async def test_every_form_of_retry_after(style: Any) -> None:
    async with company(retry_after=style) as (sandbox, http):
        sandbox.faults.add("429", limit="hour", wait=120, times=None)
        async with http.get("/taxes") as answer:
            body = await answer.json()
            assert (answer.status, body["RateLimit-Type"]) == (429, "Hourly limiter")
        said = answer.headers.get("RateLimit-Retry-After")
        assert said == body.get("RateLimit-Retry-After")
        if style in STYLES:
            assert re.fullmatch(STYLES[style], said or "")
        else:
            assert said is None
        assert ("Retry-After" in answer.headers) is (style == "seconds")


@pytest.mark.asyncio
async def test_strangers_are_turned_away_and_count_nowhere() -> None:
    async with company(limits=True) as (sandbox, http):
        for headers, status in (
            ({"X-AUTH-TOKEN": "wrong"}, 401),
            ({"email": "else@sandbox.example"}, 401),
            ({"User-Agent": "python-requests/2.34"}, 403),
            ({"User-Agent": "Python/3.11 aiohttp/3.14.5"}, 403),
        ):
            async with session(sandbox, **headers) as stranger, stranger.get("/taxes") as answer:
                assert answer.status == status
                assert ("html" in answer.content_type) is (status == 403)
        await get(http, "/taxes")
        assert sandbox.limits.used(sandbox.clock.now())["day"] == (1, 3_000)
        assert [entry.status for entry in sandbox.journal] == [401, 401, 403, 403, 200]


def test_the_clock_starts_where_it_is_told() -> None:
    clock = SimulatedClock(3_600, START)
    assert 0 <= clock.now() - START.timestamp() < 60
