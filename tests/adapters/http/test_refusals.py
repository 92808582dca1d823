"""Every form in which a 429 has been seen to say what it refuses and for how long."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.adapters.http.refusals import read_refusal, read_wait
from precoro_daemon.quota.rate_limits import Period, Refusal, clamp_wait

DATE = 1765875600.0  # 2025-12-16 09:00:00 UTC


def read(fields: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None) -> Refusal:
    return read_refusal(headers or {}, json.dumps(fields).encode() if fields is not None else b"", DATE)


@pytest.mark.parametrize(
    ("kind", "route", "period"),
    [
        ("Route based limiter by minute", True, "minute"),
        ("Route based limiter by hour", True, "hour"),
        ("Route based limiter", True, "minute"),
        ("Hourly limiter", False, "hour"),
        ("Daily limiter", False, "day"),
        ("limiter per day", False, "day"),
        ("Limiter by minute", False, "minute"),
        ("One second limiter", False, "second"),
        ("something new", False, "second"),
        ("", False, "second"),
    ],
)
def test_the_type_names_the_window(kind: str, route: bool, period: Period):
    assert read({"RateLimit-Type": kind}) == Refusal(kind, route, period, None)
    assert read(headers={"ratelimit-TYPE": kind}) == Refusal(kind, route, period, None)


@pytest.mark.parametrize(
    "told",
    [
        "2025-12-16 09:00:49 UTC",
        "2025-12-16 09:00:49",
        "2025-12-16T09:00:49Z",
        "2025-12-16T10:00:49+01:00",
        "Tue, 16 Dec 2025 09:00:49 GMT",
        "49",
        49,
        str(int(DATE) + 49),
    ],
)
def test_every_form_of_time_is_read_against_the_servers_date_plus_the_second_it_was_cut_by(told: object):
    assert read({"RateLimit-Retry-After": told}).wait == 50.0
    assert read(headers={"Retry-After": str(told)}).wait == 50.0


@pytest.mark.parametrize("told", ["soon", "", "NaN", "Infinity", "2025-99-99 00:00:00 UTC", "-5", [], {}, None, True])
def test_garbage_is_no_time(told: object):
    assert read({"RateLimit-Retry-After": told}).wait is None


def test_the_body_comes_first_and_garbage_in_it_does_not_hide_the_header():
    headers = {"RateLimit-Retry-After": "7", "Retry-After": "9"}
    assert read({"RateLimit-Retry-After": 3}, headers).wait == 4.0
    assert read({"RateLimit-Retry-After": "soon"}, {"Retry-After": "9"}).wait == 10.0
    assert read({}, headers).wait == 8.0


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b"\xff\xfe", b'{"a":', b"[" * 100_000])
def test_any_body_is_survived(body: bytes):
    assert read_refusal({}, body, DATE) == Refusal("", False, "second", None)


@given(st.text(), st.floats(0, 4e9))
def test_any_text_is_survived_and_waits_stay_within_bounds(told: str, server_time: float):
    wait = read_wait(told, server_time)
    assert wait is None or 1.0 <= wait <= 26 * 3600


@pytest.mark.parametrize("told", ["2015-01-01 00:00:00 UTC", "2035-01-01 00:00:00 UTC", "0", "999999999999999"])
def test_the_past_and_the_far_future_are_clamped(told: str):
    wait = read({"RateLimit-Retry-After": told}).wait
    assert wait is not None
    assert clamp_wait(wait) in (1.0, 26 * 3600.0)
