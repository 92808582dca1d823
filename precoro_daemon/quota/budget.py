"""windows, duplicate GETs, lanes and reserves: which lane may make the next call, and when"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from precoro_daemon.quota.lessons import Lessons
from precoro_daemon.quota.limits import SECONDS, Lane, Limits, Share
from precoro_daemon.quota.others import Others, Shared
from precoro_daemon.quota.rate_limits import LONGEST_CLOSURE, SHORTEST_CLOSURE, Period, Refusal, clamp_wait
from precoro_daemon.quota.shares import ShareAccount

MEMORY = 50 * 3600.0
"""Seconds for which a call is kept: the longest window, and a day by which our clock may prove to be wrong."""

_UNSETTLED = 5.0
"""Seconds after its charge in which an earlier process may still have been sending a call."""


class Key(NamedTuple):
    """Identifies a GET by the hashes of its path with query and of its path. Empty for calls that may be repeated."""

    url: bytes
    path: bytes


NO_KEY = Key(b"", b"")


class Opening(NamedTuple):
    """When a call may leave (Unix seconds; -inf: nothing holds it), and the window that decides it."""

    at: float
    window: str


class Charge(NamedTuple):
    """One call on the account. `counted` identifies it for the identical-GET rule."""

    at: float
    key: Key
    counted: bytes
    lane: Lane | None = None


class Closure(NamedTuple):
    """What a 429 closed, and what it teaches besides.

    contradicts_scope  it names a URL that was not requested; only others with its path were
    counts_refused     the GET it names was requested within its window only by refused calls: those count, then
    shared             others use the key, and made that many calls of the window
    """

    window: str
    until: float
    contradicts_scope: bool = False
    counts_refused: bool = False
    shared: Shared | None = None


class _Window(NamedTuple):
    period: Period
    limit: int

    def opens(self, stamps: Sequence[float], reserve: int, margin: float) -> float:
        """Returns the earliest time at which one more call keeps every span of the window's length at `limit -
        reserve`.
        """
        limit = max(1, self.limit - reserve)
        return stamps[-limit] + SECONDS[self.period] + margin if len(stamps) >= limit else -math.inf


class Budget:
    """The account of calls of one key.

    Windows slide: whether Precoro's are fixed or sliding is unknown, and calls that fit every sliding window fit
    fixed ones of any phase. Stamps are kept in order, so each window reads one stamp.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._windows = _active({p: getattr(limits, f"per_{p}") for p in SECONDS})
        self._same_get = _active({"minute": limits.same_get_per_minute, "hour": limits.same_get_per_hour})
        self._keep = max((window.limit for window in self._windows), default=0)
        self._others = Others()
        self._refused_in_a_row = 0
        self._refused_gets: dict[bytes, float] = {}
        self._refused_count = False
        self._stamps: list[float] = []
        self._first = math.inf
        self._adopted = limits.shares
        self._shares = ShareAccount(limits.shares)
        self._gets: dict[bytes, list[float]] = {}
        self._recent: deque[tuple[float, Key]] = deque(maxlen=int(SECONDS["hour"]))
        self._closed: dict[str, float] = {}

    def adopt(self, shares: Sequence[Share]) -> None:
        """Sets the calls of a day that some lanes may make from now on."""
        self._adopted = shares
        self._shares.adopt(shares)

    def made(self, lanes: Iterable[Lane], now: float) -> int:
        """Returns the calls of the last day in these lanes, as far as lanes were recorded."""
        return self._shares.made(lanes, now)

    def began(self, now: float) -> float:
        """Returns when the first call was made, -inf if older calls were already forgotten."""
        return min(self._first, now)

    def made_by_others(self, period: Period, now: float) -> int:
        """Returns the calls of a window that others on the key are known to make."""
        return self._others.made(period, now)

    def unlimited(self, now: float) -> bool:
        """Returns whether nothing is limited or closed, so that calls need not be charged."""
        self._closed = {window: until for window, until in self._closed.items() if until > now}
        return not (self._windows or self._same_get or self._closed)

    def key(self, method: str, target: str) -> Key:
        """Returns the key of a call to `target` (path and query as sent)."""
        if method != "GET":
            return NO_KEY
        return Key(_hash(target), _hash(target.partition("?")[0]))

    def counted(self, key: Key) -> bytes:
        return key.path if self.limits.same_get_scope == "path" else key.url

    def opening(self, lane: Lane, key: Key, now: float, way: float = 0.0) -> Opening:
        """Returns when a call of this lane may leave. It is later than `now` only if something holds the call.

        `way`: seconds by which it may be faster on its way than the calls before it.
        """
        return self.openings(now, way)(lane, key)

    def openings(self, now: float, way: float = 0.0) -> Callable[[Lane, Key], Opening]:
        """Returns `opening` for many calls at once; valid until anything is charged or learned."""
        margin = max(self.limits.margin, way)
        of_lanes: dict[Lane, Opening] = {}

        def opening(lane: Lane, key: Key) -> Opening:
            if lane not in of_lanes:
                of_lanes[lane] = max(self._openings_of_lane(lane, now, margin))
            if not self._closed and self.counted(key) not in self._gets:  # as nearly always
                return of_lanes[lane]
            return max(of_lanes[lane], *self._openings_of_key(key, now, margin))

        return opening

    def _openings_of_lane(self, lane: Lane, now: float, margin: float) -> Iterator[Opening]:
        yield Opening(-math.inf, "")
        for window in self._windows:
            kept = self.limits.reserved(window.period, lane) + self._others.made(window.period, now)
            opens = window.opens(self._stamps, kept, self.limits.guard if window.period == "second" else margin)
            yield Opening(opens, window.period)
        yield Opening(self._shares.opens(lane, now, margin), "day")

    def _openings_of_key(self, key: Key, now: float, margin: float) -> Iterator[Opening]:
        yield Opening(-math.inf, "")
        counted = self.counted(key)
        for window in self._same_get if counted in self._gets else ():
            opens = window.opens(self._gets[counted], 0, margin)
            yield Opening(opens, f"same GET per {window.period}")
        for name, until in self._closed.items():
            if until > now and (name in SECONDS or name == _same_get_name(counted)):
                yield Opening(until, name if name in SECONDS else "same GET")

    def charge(self, key: Key, now: float, lane: Lane | None = None) -> Charge:
        """Books one call as made now."""
        charge = Charge(max(now, self._stamps[-1]) if self._stamps else now, key, self.counted(key), lane)
        self._enter(charge.at, charge.counted)
        self._shares.note(charge.at, lane)
        if key is not NO_KEY:
            self._recent.append((charge.at, key))
        return charge

    def sent(self, charge: Charge, at: float) -> None:
        """Moves the last charge to the time at which its request was really written, which a new connection may
        delay.
        """
        for stamps in self._kept_of(charge):
            stamps[-1] = max(at, charge.at)

    def refund(self, charge: Charge) -> None:
        """Takes back the last charge: its request was never written."""
        for stamps in self._kept_of(charge):
            stamps.pop()
        if not self._gets.get(charge.counted, True):
            del self._gets[charge.counted]

    def _kept_of(self, charge: Charge) -> Iterator[list[float]]:
        """Yields every list whose last stamp is the charge."""
        for stamps in (self._stamps, self._gets.get(charge.counted), *self._shares.stamps_of(charge.lane)):
            if stamps and stamps[-1] == charge.at:
                yield stamps

    def _enter(self, at: float, counted: bytes) -> None:
        self._stamps.append(at)
        self._first = min(self._first, at)
        if len(self._stamps) > 2 * self._keep + 100:
            del self._stamps[: -self._keep or None]
        if counted and self._same_get:
            # Taken out and put back, so that the dictionary is in order of last use and old keys are found in front.
            most = max(window.limit for window in self._same_get)
            self._gets[counted] = [*self._gets.pop(counted, ()), at][-most:]
            self._forget_gets(at - SECONDS["hour"] - self.limits.margin)

    def _forget_gets(self, before: float) -> None:
        while self._gets and self._gets[oldest := next(iter(self._gets))][-1] < before:
            del self._gets[oldest]

    def restore(
        self,
        history: Iterable[tuple[float, bytes]],
        closed: Mapping[str, float],
        now: float,
        lanes: Iterable[tuple[float, Lane]] = (),
    ) -> None:
        """Starts from the calls of earlier processes. `lanes` are those whose lane is known.

        A call charged just now counts as made now, because it was sent somewhat later than charged. So does a stamp
        in the future (the clock was set back).
        """
        self._stamps.clear()
        self._first = math.inf
        self._gets.clear()
        self._shares = ShareAccount(self._adopted)
        for at, lane in sorted(lanes):
            self._shares.note(min(at, now), lane)
        settled = ((at if at < now - _UNSETTLED else now, counted) for at, counted in history if at > now - MEMORY)
        for at, counted in sorted(settled):
            self._enter(at, counted)
        if self._first < now - MEMORY + SECONDS["hour"]:
            self._first = -math.inf
        self._closed = {window: min(until, now + LONGEST_CLOSURE) for window, until in closed.items() if until > now}

    def add_lessons(self, lessons: Lessons) -> Lessons:
        """Adds what is known about the key to what is known about the line."""
        return lessons._replace(others=self._others.known, counts_refused=self._refused_count)

    def recall(self, lessons: Lessons) -> None:
        """Continues with what an earlier process learned."""
        granted = {window.period: window.limit for window in self._windows}
        known = {period: one for period, one in lessons.others.items() if period in granted}
        self._others.recall({period: (min(calls, granted[period]), at) for period, (calls, at) in known.items()})
        self._refused_count = lessons.counts_refused

    def left(self, now: float) -> dict[str, int]:
        """Returns the calls left by window, without windows that have no limit."""
        return {window.period: self._left(window, now) for window in self._windows}

    def spendable(self, lane: Lane, now: float) -> int | None:
        """Returns the calls that the day leaves this lane, None if nothing of the day limits it."""
        left = [
            max(0, self._left(window, now) - self.limits.reserved("day", lane))
            for window in self._windows
            if window.period == "day"
        ]
        return min((*left, *self._shares.left(lane, now)), default=None)

    def _left(self, window: _Window, now: float) -> int:
        if self._closed.get(window.period, now) > now:
            return 0
        return max(0, window.limit - self._made(window.period, now) - self._others.made(window.period, now))

    def _made(self, period: Period, now: float) -> int:
        return len(self._stamps) - bisect_right(self._stamps, now - SECONDS[period])

    def accepted(self) -> None:
        """Records a call that was not refused, which ends a row of refusals."""
        self._refused_in_a_row = 0

    def refused(self, charge: Charge, refusal: Refusal, now: float) -> Closure:
        """Learns from a 429 which window is closed and until when."""
        self._refused_in_a_row += 1
        route = refusal.route and bool(charge.counted)
        window = _same_get_name(charge.counted) if route else "second" if refusal.route else refusal.period
        wait = refusal.wait if refusal.wait is not None else self._natural_wait(refusal, route, now)
        until = max(now + clamp_wait(wait), self._closed.get(window, now))
        self._closed[window] = until
        elsewhere = route and self._contradicts_scope(charge, refusal.period)
        counts = route and not elsewhere and self._learn_what_counts(charge, refusal.period, now)
        self._forget_get(charge, now)
        return Closure(window, until, elsewhere, counts, self._learn_of_others(window, charge.at, now))

    def _learn_what_counts(self, charge: Charge, period: Period, now: float) -> bool:
        """Returns whether this shows, for the first time, that Precoro counts a GET that it refused."""
        refused_at = self._refused_gets.get(charge.counted, -math.inf)
        shown = not self._refused_count and refused_at > now - SECONDS[period]
        self._refused_count |= shown
        return shown

    def _forget_get(self, charge: Charge, now: float) -> None:
        """Lets a refused GET be repeated as soon as its limit opens, unless Precoro is known to count it."""
        if not charge.counted or self._refused_count:
            return
        stamps = self._gets.get(charge.counted, [])
        first = bisect_left(stamps, charge.at)
        del stamps[first : first + 1]
        if not stamps:
            self._gets.pop(charge.counted, None)
        if (charge.at, charge.key) in self._recent:
            self._recent.remove((charge.at, charge.key))
        self._refused_gets = {get: at for get, at in self._refused_gets.items() if at > now - SECONDS["hour"]}
        self._refused_gets[charge.counted] = now

    def _learn_of_others(self, window: str, left_at: float, now: float) -> Shared | None:
        for one in self._windows:
            if one.period == window and one.period != "second":
                ours = self._made(one.period, now)
                return self._others.learn(one.period, one.limit, ours, left_at, now)
        return None

    def _natural_wait(self, refusal: Refusal, route: bool, now: float) -> float:
        """Returns the wait if Precoro gives no time: until our oldest call leaves the window, or a growing pause if
        none is in it.
        """
        span = SECONDS[refusal.period]
        if route:
            return span
        if refusal.period == "second":
            return SHORTEST_CLOSURE * 2.0 ** min(self._refused_in_a_row - 1, 16)
        oldest = bisect_right(self._stamps, now - span)
        return self._stamps[oldest] + span - now if oldest < len(self._stamps) else span

    def _contradicts_scope(self, charge: Charge, period: Period) -> bool:
        since = charge.at - SECONDS[period]
        before = [key for at, key in self._recent if since < at < charge.at and key.path == charge.key.path]
        return self.limits.same_get_scope == "url" and bool(before) and charge.key not in before


def _active(limits: Mapping[Period, int]) -> tuple[_Window, ...]:
    return tuple(_Window(period, limit) for period, limit in limits.items() if limit)


def _same_get_name(counted: bytes) -> str:
    return f"get:{counted.hex()}"


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
