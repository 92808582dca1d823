"""the limits as sliding or fixed windows in simulated time, and the 429 that reports them"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from precoro_daemon.sandbox.clock import limit_stamp
from precoro_daemon.sandbox.options import Quota, RetryAfter

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3_600.0, 86_400.0

# A request is stamped when the event loop gets to it, not when it reached the socket: two that were
# sent exactly a second apart may be stamped a little closer. The grace is that much and no more.
GRACE_SIMULATED = 0.02
GRACE_REAL = 0.002

# Spellings of "by minute", hourly and daily are from live answers; the others are modelled on them.
TYPES: Mapping[str, str] = {
    "second": "Second limiter",
    "minute": "Minute limiter",
    "hour": "Hourly limiter",
    "day": "Daily limiter",
    "route_minute": "Route based limiter by minute",
    "route_hour": "Route based limiter by hour",
}


@dataclass(frozen=True)
class Refusal:
    """One 429: the limit that was reached, its size, and the simulated time from which a call may succeed."""

    kind: str
    limit: int
    until: float

    def body(self, style: RetryAfter, now: float) -> dict[str, Any]:
        body: dict[str, Any] = {
            "error": "Too many requests for this endpoint",
            "RateLimit-Type": TYPES[self.kind],
        }
        value = _RETRY_AFTER[style](self.until, now)
        if value is not None and style != "seconds":
            body["RateLimit-Retry-After"] = value
        return body | {"RateLimit-Limit": self.limit}

    def headers(self, style: RetryAfter, now: float) -> dict[str, str]:
        """Returns the body's names as headers. Seconds use HTTP's own header, Retry-After."""
        headers = {"RateLimit-Type": TYPES[self.kind], "RateLimit-Limit": str(self.limit)}
        value = _RETRY_AFTER[style](self.until, now)
        if value is not None:
            headers["Retry-After" if style == "seconds" else "RateLimit-Retry-After"] = value
        return headers


_RETRY_AFTER: Mapping[str, Callable[[float, float], str | None]] = {
    "utc": lambda until, _now: limit_stamp(until),
    "seconds": lambda until, now: str(max(1, ceil(until - now))),
    "iso": lambda until, _now: datetime.fromtimestamp(int(until), UTC).isoformat().replace("+00:00", "Z"),
    "garbage": lambda _until, _now: "soon, probably",
    "absent": lambda _until, _now: None,
    "past": lambda _until, now: limit_stamp(now - DAY),
    "far": lambda _until, now: limit_stamp(now + 3_650 * DAY),
}


class Limits:
    """Counts the accepted calls of the one key. A refused call counts in no window."""

    def __init__(self, quota: Quota, scale: float) -> None:
        self.quota = quota
        self.refusals: Counter[str] = Counter()
        self._grace = GRACE_SIMULATED + GRACE_REAL * scale
        self._windows = (
            ("day", quota.per_day, DAY),
            ("hour", quota.per_hour, HOUR),
            ("minute", quota.per_minute, MINUTE),
            ("second", quota.per_second, SECOND),
        )
        self._same_windows = (
            ("route_hour", quota.same_get_per_hour, HOUR),
            ("route_minute", quota.same_get_per_minute, MINUTE),
        )
        self._accepted: deque[float] = deque(maxlen=max(1, *(limit for _, limit, _ in self._windows)))
        self._same: dict[str, deque[float]] = {}
        self._swept = 0.0

    def judge(
        self, method: str, path: str, path_qs: str, arrived: float, at_latest: float | None = None
    ) -> Refusal | None:
        """Accepts and counts a call, or returns the limit that it exceeds.

        If the exact time of the call is not known, it lies between `arrived` and `at_latest`. A call that may have
        kept the
        limits is accepted.
        """
        latest = arrived if at_latest is None else at_latest
        refusal = self._full(self._accepted, self._windows, latest)
        same = None
        if refusal is None and method == "GET":
            same = self._calls_like(path if self.quota.same_get_scope == "path" else path_qs, arrived)
            refusal = self._full(same, self._same_windows, latest)
        if refusal is not None:
            self.refusals[TYPES[refusal.kind]] += 1
            return refusal
        self._accepted.append(arrived)
        if same is not None:
            same.append(arrived)
        return None

    def spend(self, arrived: float) -> bool:
        """Counts a call of another integration with the same key, and returns whether it was accepted."""
        accepted = self._full(self._accepted, self._windows, arrived) is None
        if accepted:
            self._accepted.append(arrived)
        return accepted

    def used(self, now: float) -> dict[str, tuple[int, int]]:
        """Returns, for each window that ends now, the number of its calls and its limit."""
        return {
            kind: (sum(1 for when in self._accepted if when > now - length), limit)
            for kind, limit, length in reversed(self._windows)
        }

    def forget(self) -> None:
        """Empties all windows, as if the key had been idle for a day."""
        self._accepted.clear()
        self._same.clear()

    def _full(self, calls: deque[float], windows: tuple[tuple[str, int, float], ...], now: float) -> Refusal | None:
        """Returns the refusal of the longest window that is full, because the call must wait for it; None if there is
        none.
        """
        for kind, limit, length in windows:
            if not 0 < limit <= len(calls):
                continue
            oldest = calls[-limit]
            opens = (oldest // length + 1) * length if self.quota.fixed else oldest + length
            if opens > now + self._grace:
                return Refusal(kind, limit, opens)
        return None

    def _calls_like(self, what: str, now: float) -> deque[float]:
        if now - self._swept > HOUR:
            self._swept = now
            self._same = {key: calls for key, calls in self._same.items() if calls and calls[-1] > now - HOUR}
        longest = max(1, self.quota.same_get_per_hour, self.quota.same_get_per_minute)
        return self._same.setdefault(what, deque(maxlen=longest))
