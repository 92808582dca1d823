"""reads a 429 from its headers and its body"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from precoro_daemon.quota.rate_limits import Period, Refusal, clamp_wait

_CUT_S = 1.0
"""Precoro's times are cut to the second, so the true one may be up to this much later."""

_TYPE = "ratelimit-type"
_TIMES = ("ratelimit-retry-after", "retry-after")
_PERIODS: tuple[tuple[str, Period], ...] = (
    ("second", "second"),
    ("minute", "minute"),
    ("hour", "hour"),
    ("daily", "day"),
    ("day", "day"),
)
_LEAST_TIMESTAMP_S = 1e9
"""A plain number above this is a point in time, not a wait (30 years)."""


def read_refusal(headers: Mapping[str, str], body: bytes, server_time: float) -> Refusal:
    """Reads a 429. `server_time` is the answer's own `Date`: a difference from it is right whatever our clock
    says.
    """
    said = {name.lower(): value for name, value in headers.items()} | _fields(body)
    kind = str(said.get(_TYPE) or "")
    words = kind.lower()
    route = "route" in words
    period = next((period for word, period in _PERIODS if word in words), "minute" if route else "second")
    waits = (_wait(said[name], server_time) for name in _TIMES if name in said)
    return Refusal(kind, route, period, next((wait for wait in waits if wait is not None), None))


def read_wait(value: Any, server_time: float) -> float | None:
    """Returns the seconds that a `Retry-After` demands, clamped; None if it is unreadable."""
    wait = _wait(value, server_time)
    return None if wait is None else clamp_wait(wait)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {str(name).lower(): value for name, value in fields.items()} if isinstance(fields, dict) else {}


def _wait(value: Any, server_time: float) -> float | None:
    text = str(value).strip()
    if re.fullmatch(r"\d{1,15}(\.\d+)?", text):
        number = float(text)
        return (number - server_time if number > _LEAST_TIMESTAMP_S else number) + _CUT_S
    moment = _moment(text)
    return None if moment is None else moment.timestamp() - server_time + _CUT_S


def _moment(text: str) -> datetime | None:
    """Reads ISO-8601, "2025-12-16 09:00:49 UTC" or an HTTP date; without a zone it is UTC."""
    iso = re.sub(r"\s*(UTC|GMT)$", "+00:00", text)
    for read, form in ((datetime.fromisoformat, iso), (parsedate_to_datetime, text)):
        try:
            moment = read(form)
        except (ValueError, TypeError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
