"""the gate for every call: which one leaves next and when, and not before it is charged"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

import anyio
from aiolimiter import AsyncLimiter

from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.adapters.http.key_guard import KeyGuard
from precoro_daemon.adapters.http.queued_call import QueuedCall
from precoro_daemon.errors import BudgetSpent, Stopped
from precoro_daemon.quota.budget import Budget, Opening
from precoro_daemon.quota.lessons import Lessons
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.pacing import Pace, in_flight_bound, latency_after
from precoro_daemon.runtime.nap import Nap
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_AHEAD = 1.5
"""Seconds before its time at which a call is chosen, so that its charge is on disk when the previous second is
over.
"""

_WORTH_WAITING = 60.0
"""Seconds that a call waits for the day to open; for longer, its caller is better informed by an error."""

_WORTH_LOGGING = 5.0
"""Seconds of waiting from which it is logged."""

_OUTRANKED_S = 30.0
"""Seconds between two signs of life of a call that lets others go first: a job counts as stuck after minutes."""

_BRAKED_S = 30.0
"""Real seconds between two signs of life of a call that waits for those of other companies."""

_LEAST_PAUSE_S = 0.5
"""Least real seconds between two such signs: in a rehearsal half a minute passes in milliseconds."""

_TAUGHT_EVERY_S = 60.0
"""Seconds between two commits of lessons for the next process. What a refusal taught is stored at once."""

_LATE_SEND_S = 0.1
"""Seconds by which a request may leave later than its charge says (while its connection was established) before that
is recorded: the next process uses the book, and would repeat the request too early.
"""


class Gate:
    """Lets calls leave one by one, in the order of lane and arrival among those whose windows are open.

    A call is waiting, then leaving, then in flight. Only one is leaving: until its request is really written, it is
    unknown when the next may follow. A call that is cancelled, in whatever state, holds nothing any more.
    """

    def __init__(self, budget: Budget, guard: KeyGuard, dependencies: GateDependencies) -> None:
        self._budget = budget
        self._guard = guard
        self._book = dependencies.book
        self._clock = dependencies.clock
        self._progress = dependencies.progress
        self._tenure = dependencies.tenure
        self._brake = dependencies.brake
        self._arrivals = count()
        self._waiting: list[QueuedCall] = []
        self._stopped = False
        self._logged: dict[str, float] = {}
        self._sleeping: set[Callable[[], None]] = set()
        self._leaving: QueuedCall | None = None
        self._in_flight: set[QueuedCall] = set()
        self._latency = 0.0
        self._pace = Pace(budget.limits.per_second, budget.limits.guard, budget.limits.sustained)
        self._limiter: AsyncLimiter | None = None
        self._departures = 0
        self._taught_at = -math.inf

    @property
    def in_flight_bound(self) -> int:
        return in_flight_bound(self._latency, self._pace.interval, proven=self._guard.proven)

    @asynccontextmanager
    async def leave(self, request: Request) -> AsyncIterator[QueuedCall]:
        """Waits, charges, and lets the call leave. Raises BudgetSpent, AuthenticationError or KeyInDoubt instead of a
        very long wait.
        """
        key = self._budget.key(request.method, request.target)
        call = QueuedCall(request, next(self._arrivals), key)
        self._queue(call)
        try:
            while call.charge is None:
                await self._turn(call)
                await self._charge(call)
            yield call
        finally:
            if call.charge and call.sent_at is None:
                self._budget.refund(call.charge)
            if call.trip and call.trip.answered is None:
                self._pace.lost(call.trip)
            self._forget(call)
            if call.sent_at is None:
                await self._unbook(call)

    def _queue(self, call: QueuedCall) -> None:
        insort(self._waiting, call, key=lambda waiting: waiting.rank)

    async def _turn(self, call: QueuedCall) -> None:
        """Waits until this call is the one to leave; it then holds the exit."""
        shown = ""
        while True:
            self._check(call)
            now = self._clock.now()
            opening = self._opening(call, now)
            self._refuse_long_wait(call, opening, now)
            if self._next(now) is call:
                break
            call.nap = Nap()
            wait = _chosen_from(opening) - now
            if wait > 0 and opening.window != shown:
                shown = opening.window
                self._log_wait(call, opening, wait)
            leads = wait > 0 and any(one is call for one, _ in self._leaders(now))
            await (call.nap.sleep(self._clock, wait) if leads else self._let_others_go(call, max(wait, 0.0)))
        self._waiting.remove(call)
        self._in_flight.add(call)
        self._leaving = call

    async def _let_others_go(self, call: QueuedCall, wait: float) -> None:
        """Waits behind another call, which wakes this one. Calls that leave meanwhile are signs of life."""
        left = self._departures
        await call.nap.sleep(self._clock, wait + max(_OUTRANKED_S, _LEAST_PAUSE_S * self._clock.time_scale))
        if self._departures > left:
            self._progress.outranked(call.lane)

    def _log_wait(self, call: QueuedCall, opening: Opening, wait: float) -> None:
        """Reports every wait as progress, and logs a long one once, however many calls wait."""
        self._progress.waiting(call.lane, opening.window, opening.at)
        if wait > _WORTH_LOGGING and opening.at > self._logged.get(opening.window, -math.inf):
            self._logged[opening.window] = opening.at
            _log.info("window_closed", window=opening.window, lane=call.lane.name.lower(), wait=round(wait))

    def _check(self, call: QueuedCall) -> None:
        self.refuse_if_stopped()
        self._guard.check(call.request)

    def refuse_if_stopped(self) -> None:
        if self._stopped:
            raise Stopped("no call leaves any more: the run is ending")
        self._tenure.refuse_if_lost()

    def _opening(self, call: QueuedCall, now: float) -> Opening:
        paced = Opening(self._pace.opens(), "second")
        return max(paced, self._budget.opening(call.lane, call.key, now, self._pace.way))

    def _refuse_long_wait(self, call: QueuedCall, opening: Opening, now: float) -> None:
        if opening.window == "day" and opening.at - now > _WORTH_WAITING:
            when = datetime.fromtimestamp(opening.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            raise BudgetSpent(
                f"the day's quota for {call.lane.name.lower()} is spent; the next call may go at {when}",
                resume_at=opening.at,
            )

    @property
    def _exit_taken(self) -> bool:
        return self._leaving is not None or len(self._in_flight) >= self.in_flight_bound

    def _next(self, now: float) -> QueuedCall | None:
        if self._exit_taken:
            return None
        return next((call for call, opening in self._leaders(now) if _chosen_from(opening) <= now), None)

    def _leaders(self, now: float) -> Iterator[tuple[QueuedCall, Opening]]:
        """Yields, for each lane, the calls that no earlier call of the lane precedes: only they need timers. The
        others are woken when their predecessor has left or given up. Waking dozens for each call took ten times the
        CPU time of everything else.
        """
        paced, openings = Opening(self._pace.opens(), "second"), self._budget.openings(now, self._pace.way)
        soonest: dict[Lane, Opening] = {}
        for call in self._waiting:
            opening = max(paced, openings(call.lane, call.key))
            if call.lane not in soonest or opening < soonest[call.lane]:
                soonest[call.lane] = opening
                yield call, opening

    async def sleep(self, seconds: float) -> None:
        """Sleeps; returns early when the gate is stopped."""
        nap = Nap()
        self._sleeping.add(nap.end)
        try:
            if not self._stopped:
                await nap.sleep(self._clock, seconds)
        finally:
            self._sleeping.discard(nap.end)

    def stop(self) -> None:
        """Lets no further call leave; waiting calls raise Stopped, calls in flight continue."""
        self._stopped = True
        for wake in (*self._sleeping, *(call.nap.end for call in self._waiting)):
            wake()
        self._nudge_leaving()

    def _nudge(self) -> None:
        """Wakes the call that may leave now after a change, and those that are next, to set their timers."""
        now, taken = self._clock.now(), self._exit_taken
        for call, opening in self._leaders(now):
            is_open = _chosen_from(opening) <= now
            if not (is_open and taken):
                call.nap.end()
            taken = taken or is_open

    def _nudge_leaving(self) -> None:
        if self._leaving:
            self._leaving.nap.end()

    async def _charge(self, call: QueuedCall) -> None:
        """Charges the leaving call durably, or makes it wait again if its window was closed meanwhile."""
        now = self._clock.now()
        if self._budget.unlimited(now):
            self._let_follow(call)
            await self._await_brake(call)
        else:
            call.booked = max(now, self._opening(call, now).at)
            await self._book.charge(call.booked, self._budget.counted(call.key), call.lane, self._news(now))
            if not await self._may_leave(call):
                await self._unbook(call)
                self._forget(call)
                self._queue(call)
                return
            if self._limiter:
                await self._limiter.acquire()
            self._check(call)
        call.charge = self._budget.charge(call.key, self._clock.now(), call.lane)

    def _news(self, now: float) -> Mapping[str, float] | None:
        """Returns, now and then, what was learned, to be stored for the next process with a charge."""
        if 0 <= now - self._taught_at < _TAUGHT_EVERY_S:
            return None
        return self.lessons(now)

    def lessons(self, now: float) -> Mapping[str, float]:
        """Returns what was learned so far."""
        self._taught_at = now
        return self._budget.add_lessons(self._pace.lessons)._replace(at=now).flat

    def recall(self, lessons: Lessons) -> None:
        """Continues with what an earlier process learned."""
        self._taught_at = self._clock.now()
        self._budget.recall(lessons)
        self._pace.recall(lessons)

    async def _may_leave(self, call: QueuedCall) -> bool:
        """Waits until the previous second is over. Returns False if the call must wait longer, so that others may go
        meanwhile.
        """
        braked = self._brake is not None
        while True:
            self.refuse_if_stopped()
            call.nap = Nap()
            now = self._clock.now()
            opening = self._opening(call, now)
            if opening.at <= now and not braked:
                return True
            if opening.at <= now:
                await self._await_brake(
                    call
                )  # last of all, so that calls leave at its pace; a window may have closed
                braked = False
                continue
            if _chosen_from(opening) > now:
                return False
            await call.nap.sleep(self._clock, opening.at - now)

    async def _await_brake(self, call: QueuedCall) -> None:
        """Waits for other companies' calls from the same address; returns early when the gate is stopped."""
        if self._brake is None:
            return
        brake, free = self._brake, anyio.Event()

        async def wait() -> None:
            await brake.wait()
            free.set()

        self._sleeping.add(free.set)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait, name="brake")
                while not free.is_set():
                    with anyio.move_on_after(_BRAKED_S) as patience:
                        await free.wait()
                    if patience.cancelled_caught:
                        self._progress.outranked(call.lane)
                tasks.cancel_scope.cancel()
        finally:
            self._sleeping.discard(free.set)
        self._check(call)

    async def _unbook(self, call: QueuedCall) -> None:
        """Refunds a call that never left, so that it does not spend the next process's quota: an outage would use up
        the day.
        """
        if call.booked is not None:
            with anyio.CancelScope(shield=True):
                await self._book.refund(call.booked, self._budget.counted(call.key))
            call.booked = None

    def _let_follow(self, call: QueuedCall) -> None:
        if self._leaving is call:
            self._leaving = None
            self._nudge()

    def _forget(self, call: QueuedCall) -> None:
        if call in self._waiting:
            self._waiting.remove(call)
        self._in_flight.discard(call)
        if self._leaving is call:
            self._leaving = None
        self._nudge()

    async def sent(self, call: QueuedCall) -> None:
        """Records that the request is written: the next one follows an interval after it."""
        assert call.charge is not None
        call.sent_at = self._clock.now()
        self._departures += 1
        self._budget.sent(call.charge, call.sent_at)
        call.trip = self._pace.sent(call.sent_at)
        if rate := self._budget.limits.per_second:
            # A fresh limiter, filled at once, counts from now. It keeps the bare limit; the budget adds its guard, so
            # that two timers never wait for each other's last millisecond.
            self._limiter = AsyncLimiter(1, 1 / (rate * self._clock.time_scale))
            await self._limiter.acquire()
        self._progress.called(call.lane, self._budget.left(call.sent_at))
        self._let_follow(call)
        if call.booked is not None and call.sent_at - call.booked > _LATE_SEND_S:
            booked, call.booked = call.booked, call.sent_at
            await self._book.move(booked, call.charge.counted, call.sent_at)

    def answered(self, call: QueuedCall, *, accepted: bool) -> None:
        """Records the answer, which may let the next call leave at once. `accepted`: it was no 429."""
        assert call.sent_at is not None
        assert call.trip is not None
        now = self._clock.now()
        self._latency = latency_after(self._latency, now - call.sent_at)
        self._pace.answered(call.trip, now, accepted=accepted)
        self._nudge_leaving()

    def refused_within_a_second(self, call: QueuedCall) -> None:
        assert call.trip is not None
        self._pace.refused(call.trip, self._clock.now())

    def clock_was_set(self) -> None:
        self._pace.forget_trips()


def _chosen_from(opening: Opening) -> float:
    """Returns when a call may be chosen to leave: its own windows must be open by then, because it keeps others from
    leaving.
    """
    return opening.at - (_AHEAD if opening.window == "second" else 0.0)
