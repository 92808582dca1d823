"""the gate every call passes: who goes next, when, and not before it is charged"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

import anyio
from aiolimiter import AsyncLimiter

from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.adapters.http.key_guard import KeyGuard
from precoro_daemon.errors import BudgetSpent, Stopped
from precoro_daemon.quota.budget import Budget, Charge, Key, Lane, Opening
from precoro_daemon.quota.ports import BudgetBook, CallProgress
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_AHEAD = 1.5
"""Seconds before its time at which a call is chosen, so that its charge is on disk when the last second is over."""

_WORTH_WAITING = 60.0
"""Seconds that a call waits for the day to open; for more the caller has better things to do."""

_WORTH_TELLING = 5.0
"""Seconds of waiting from which the log says so."""

_LATE = 0.1
"""Seconds by which a request may leave later than its charge says (its connection had to stand first) before that is
noted: the next process goes by the book, and would ask the same again too early."""

_LEAST_IN_FLIGHT = 2
_MOST_IN_FLIGHT = 32
_IN_FLIGHT_UNPACED = 16
"""Where no limit sets the pace: a server that takes 50 ms then never keeps us waiting, and what is read ahead of a
commit stays within some ten megabytes."""


class ServerClock(Clock, Protocol):
    """A clock that can be set, once, by the first server's `Date`; returns the shift in seconds."""

    time_scale: float

    def anchor(self, server_now: float) -> float: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the throttle needs from outside."""

    book: BudgetBook
    clock: ServerClock
    progress: CallProgress


@dataclass(eq=False, slots=True)
class Passage:
    """One call on its way through the gate."""

    request: Request
    arrival: int
    key: Key
    nudged: anyio.Event = field(default_factory=anyio.Event)
    booked: float | None = None
    charge: Charge | None = None
    sent_at: float | None = None

    @property
    def lane(self) -> Lane:
        return self.request.lane

    @property
    def rank(self) -> tuple[Lane, int]:
        return (self.lane, self.arrival)


class Gate:
    """Lets calls leave one by one, in order of lane and arrival among those whose windows are open.

    A call is waiting, then leaving, then in flight. Only one is leaving: until its request is really written nobody
    knows when the next may follow. Whoever is cancelled, in whatever state, holds nothing any more.
    """

    def __init__(self, budget: Budget, guard: KeyGuard, around: Surroundings) -> None:
        self._budget = budget
        self._guard = guard
        self._book = around.book
        self._clock = around.clock
        self._progress = around.progress
        self._arrivals = count()
        self._waiting: list[Passage] = []
        self._stopped = False
        self._told: dict[str, float] = {}
        self._resting: set[anyio.Event] = set()
        self._leaving: Passage | None = None
        self._in_flight: set[Passage] = set()
        self._latency = 0.0
        self._pace: AsyncLimiter | None = None

    @property
    def in_flight_bound(self) -> int:
        """Enough calls to use the allowed rate at the latency we see, few enough not to flood a fast server.

        Until the key has proved itself, one: a wrong key costs one call, not a burst.
        """
        if not self._guard.proven:
            return 1
        interval = self._budget.interval
        if not interval:
            return _IN_FLIGHT_UNPACED
        return min(max(math.ceil(self._latency / interval) + 1, _LEAST_IN_FLIGHT), _MOST_IN_FLIGHT)

    @asynccontextmanager
    async def passage(self, request: Request) -> AsyncIterator[Passage]:
        """Wait, be charged, leave. Raises BudgetSpent, AuthenticationError or KeyInDoubt instead of waiting for very
        long."""
        key = self._budget.key(request.method, request.target)
        passage = Passage(request, next(self._arrivals), key)
        self._queue(passage)
        try:
            while passage.charge is None:
                await self._turn(passage)
                await self._charge(passage)
            yield passage
        finally:
            if passage.charge and passage.sent_at is None:
                self._budget.refund(passage.charge)
            self._forget(passage)
            if passage.sent_at is None:
                await self._unbook(passage)

    def _queue(self, passage: Passage) -> None:
        insort(self._waiting, passage, key=lambda waiting: waiting.rank)

    async def _turn(self, passage: Passage) -> None:
        """Wait until this call is the one to leave; it then holds the exit."""
        told = ""
        while True:
            self._check(passage)
            now = self._clock.now()
            opening = self._opening(passage, now)
            self._refuse_long_wait(passage, opening, now)
            if self._next(now) is passage:
                break
            passage.nudged = anyio.Event()
            wait = opening.at - _AHEAD - now
            if wait > 0 and opening.window != told:
                told = opening.window
                self._tell_wait(passage, opening, wait)
            # A call whose windows are open needs no timer: whoever is in its way nudges it.
            await (self._until(passage.nudged, wait) if wait > 0 else passage.nudged.wait())
        self._waiting.remove(passage)
        self._in_flight.add(passage)
        self._leaving = passage

    def _tell_wait(self, passage: Passage, opening: Opening, wait: float) -> None:
        """A person sees every wait; the log has one line for a long one, however many calls wait."""
        self._progress.waiting(passage.lane, opening.window, opening.at)
        if wait > _WORTH_TELLING and opening.at > self._told.get(opening.window, -math.inf):
            self._told[opening.window] = opening.at
            _log.info("window_closed", window=opening.window, lane=passage.lane.name.lower(), wait=round(wait))

    def _check(self, passage: Passage) -> None:
        self.refuse_if_stopped()
        self._guard.check(passage.request)

    def refuse_if_stopped(self) -> None:
        if self._stopped:
            raise Stopped("no call leaves any more: the run is ending")

    def _opening(self, passage: Passage, now: float) -> Opening:
        return self._budget.opening(passage.lane, passage.key, now)

    def _refuse_long_wait(self, passage: Passage, opening: Opening, now: float) -> None:
        if opening.window == "day" and opening.at - now > _WORTH_WAITING:
            when = datetime.fromtimestamp(opening.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            raise BudgetSpent(
                f"the day's quota for {passage.lane.name.lower()} is spent; the next call may go at {when}",
                resume_at=opening.at,
            )

    def _next(self, now: float) -> Passage | None:
        if self._leaving or len(self._in_flight) >= self.in_flight_bound:
            return None
        return next((passage for passage in self._waiting if self._opening(passage, now).at <= now + _AHEAD), None)

    async def _until(self, event: anyio.Event, seconds: float) -> None:
        """Wait for the event, but no longer than that many seconds."""

        async def ring() -> None:
            await self._clock.sleep(seconds)
            event.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ring, name="gate timer")
            await event.wait()
            tasks.cancel_scope.cancel()

    async def rest(self, seconds: float) -> None:
        """Sleep; cut short when the gate is stopped."""
        woken = anyio.Event()
        self._resting.add(woken)
        try:
            if not self._stopped:
                await self._until(woken, seconds)
        finally:
            self._resting.discard(woken)

    def stop(self) -> None:
        """Let no further call leave; those that wait raise Stopped, those in flight go on."""
        self._stopped = True
        for event in (*self._resting, *(passage.nudged for passage in self._waiting)):
            event.set()

    def _nudge(self) -> None:
        """Something changed: wake the call that may leave now, and those that may not, to look at their timers."""
        now = self._clock.now()
        chosen = self._next(now)
        for passage in self._waiting:
            if passage is chosen or self._opening(passage, now).at > now + _AHEAD:
                passage.nudged.set()

    async def _charge(self, passage: Passage) -> None:
        """Charge the leaving call, durably; or send it back to wait if its window was closed meanwhile."""
        now = self._clock.now()
        if self._budget.unlimited(now):
            self._let_follow(passage)
        else:
            passage.booked = max(now, self._opening(passage, now).at)
            await self._book.charge(passage.booked, self._budget.counted(passage.key), passage.lane)
            while (wait := self._opening(passage, now := self._clock.now()).at - now) > 0:
                if wait > _AHEAD:
                    await self._unbook(passage)
                    self._forget(passage)
                    self._queue(passage)
                    return
                await self._clock.sleep(wait)
            if self._pace:
                await self._pace.acquire()
            self._check(passage)
        passage.charge = self._budget.charge(passage.key, self._clock.now(), passage.lane)

    async def _unbook(self, passage: Passage) -> None:
        """A call that never left must not spend the quota of the next process: an outage would use up the day."""
        if passage.booked is not None:
            with anyio.CancelScope(shield=True):
                await self._book.refund(passage.booked, self._budget.counted(passage.key))
            passage.booked = None

    def _let_follow(self, passage: Passage) -> None:
        if self._leaving is passage:
            self._leaving = None
            self._nudge()

    def _forget(self, passage: Passage) -> None:
        if passage in self._waiting:
            self._waiting.remove(passage)
        self._in_flight.discard(passage)
        if self._leaving is passage:
            self._leaving = None
        self._nudge()

    async def sent(self, passage: Passage) -> None:
        """The request is written: the next one follows an interval after it."""
        assert passage.charge is not None
        passage.sent_at = self._clock.now()
        self._budget.sent(passage.charge, passage.sent_at)
        if rate := self._budget.limits.per_second:
            # A fresh limiter, filled at once, counts from now. It keeps the bare limit; the budget adds its guard, so
            # that two timers never wait for each other's last millisecond.
            self._pace = AsyncLimiter(1, 1 / (rate * self._clock.time_scale))
            await self._pace.acquire()
        self._progress.called(passage.lane, self._budget.left(passage.sent_at))
        self._let_follow(passage)
        if passage.booked is not None and passage.sent_at - passage.booked > _LATE:
            booked, passage.booked = passage.booked, passage.sent_at
            await self._book.move(booked, passage.charge.counted, passage.sent_at)

    def answered(self, passage: Passage) -> None:
        """Take the latency. It rises at once and falls slowly: too low a bound costs calls, too high a one none."""
        assert passage.sent_at is not None
        latency = self._clock.now() - passage.sent_at
        self._latency = max(latency, 0.8 * self._latency + 0.2 * latency)
