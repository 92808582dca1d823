"""the one place where calls are charged, and where the budget learns from answers"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, Body, Request, Transport, check
from precoro_daemon.adapters.http.faults import beginning
from precoro_daemon.adapters.http.gate import Gate
from precoro_daemon.adapters.http.key_guard import KeyGuard
from precoro_daemon.adapters.http.outcomes import outcome_of, outcome_of_failure, route_of
from precoro_daemon.adapters.http.queued_call import QueuedCall
from precoro_daemon.adapters.http.refusals import read_refusal
from precoro_daemon.errors import DaemonError
from precoro_daemon.quota.budget import MEMORY, Budget, Closure
from precoro_daemon.quota.lessons import Lessons
from precoro_daemon.quota.limits import Limits
from precoro_daemon.telemetry import get_logger

_log = get_logger()


_COMPLAINT = 2**16
"""Bytes that are read of a bad answer."""

_PRUNED_EVERY = 500
"""Answers between two prunings of the account of calls."""


class Throttled:
    """Implements `Exchange` within the limits of one key, whatever earlier processes spent of them.

    In addition to what `Exchange` raises: BudgetSpent when the day is over for the call's lane, AuthenticationError
    while the key is refused, StoreUnusable when a charge cannot be made durable, Deposed when another process now
    serves the company. A cancelled call holds nothing.
    """

    def __init__(
        self, transport: Transport, credentials: Credentials, limits: Limits, dependencies: GateDependencies
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._book = dependencies.book
        self._clock = dependencies.clock
        self._progress = dependencies.progress
        self._budget = Budget(limits)
        self._guard = KeyGuard(credentials, dependencies.book, dependencies.clock.now)
        self._answers = 0
        self._gate = Gate(self._budget, self._guard, dependencies)

    async def __aenter__(self) -> Self:
        await self._guard.recall()
        await self._recall()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Does nothing: every charge is already in the book."""

    async def _recall(self) -> None:
        now = self._clock.now()
        history = await self._book.load(now - MEMORY)
        lanes = await self._book.load_lanes(now - MEMORY)
        self._budget.restore(history, await self._book.load_closed(), now, lanes)
        self._gate.recall(Lessons.recalled(await self._book.load_lessons(), now))

    @property
    def account(self) -> Budget:
        """The budget, for reading only."""
        return self._budget

    @property
    def in_flight_bound(self) -> int:
        return self._gate.in_flight_bound

    def stop(self) -> None:
        """Lets no further call leave: waiting and new ones raise Stopped, calls in flight end normally."""
        self._gate.stop()

    def refuse_if_stopped(self) -> None:
        """Raises Stopped after `stop`, and what `Tenure` raises; for requests to other hosts that must end with the
        calls.
        """
        self._gate.refuse_if_stopped()

    async def sleep(self, seconds: float) -> None:
        await self._gate.sleep(seconds)

    async def send(self, request: Request) -> Answer:
        async with self._gate.leave(request) as call:
            answer = await self._carry(request, call)
            check(request, answer, self._credentials.secrets)
            await self._guard.prove(request)
        return answer

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Body]:
        async with AsyncExitStack() as stack:
            async with self._gate.leave(request) as call:
                with self._counting(request):
                    body = await stack.enter_async_context(
                        self._transport.open(request, partial(self._gate.sent, call))
                    )
                self._count(request, outcome_of(body.head.status))
                self._gate.answered(call, accepted=body.head.status != 429)
                answer = await _complaint(body)
                await self._learn(request, answer, call)
                check(request, answer, self._credentials.secrets, as_file=True)
                await self._guard.prove(request)
            yield body

    async def send_once(self, request: Request, permit: Callable[[], Awaitable[None]]) -> Answer:
        async with self._gate.leave(request) as call:
            await permit()
            return await self._carry(request, call)

    async def _carry(self, request: Request, call: QueuedCall) -> Answer:
        """Sends one request, and learns from its answer whatever it says."""
        with self._counting(request):
            answer = await self._transport.send(request, partial(self._gate.sent, call))
        self._count(request, outcome_of(answer.status))
        self._gate.answered(call, accepted=answer.status != 429)
        await self._learn(request, answer, call)
        return answer

    def _count(self, request: Request, outcome: str) -> None:
        self._progress.answered(request.method, route_of(request), outcome)

    @contextmanager
    def _counting(self, request: Request) -> Iterator[None]:
        try:
            yield
        except DaemonError as error:
            self._count(request, outcome_of_failure(error))
            raise

    async def _learn(self, request: Request, answer: Answer, call: QueuedCall) -> None:
        await self._set_clock(answer, call)
        assert call.sent_at is not None
        await self._guard.judge(request, answer, call.sent_at)
        if answer.status == 429:
            await self._close_window(request, answer, call)
        else:
            self._budget.accepted()

    async def _set_clock(self, answer: Answer, call: QueuedCall) -> None:
        """Stamps the call and reads the book again if the first answer shows that our clock was wrong."""
        self._answers += 1
        if answer.server_time is None or not self._clock.anchor(answer.server_time):
            await self._prune()
            return
        if call.booked is not None:
            counted = self._budget.counted(call.key)
            await self._book.charge(self._clock.now(), counted, call.lane)
            await self._book.refund(call.booked, counted)
        self._gate.clock_was_set()
        await self._recall()

    async def _prune(self) -> None:
        """Prunes the account now and then, and only once the clock is right: a wrong one would forget calls that
        still count.
        """
        if self._answers % _PRUNED_EVERY == 0:
            await self._book.prune(self._clock.now() - MEMORY)

    async def _close_window(self, request: Request, answer: Answer, call: QueuedCall) -> None:
        assert call.charge is not None
        now = self._clock.now()
        server_time = answer.server_time if answer.server_time is not None else now
        refusal = read_refusal(answer.headers, answer.body, server_time)
        closure = self._budget.refused(call.charge, refusal, now)
        if closure.window == "second":
            self._gate.refused_within_a_second(call)
        await self._book.close(closure.window, closure.until, self._gate.lessons(now))
        _log.warning(
            "call_refused",
            call=str(request),
            lane=request.lane.name.lower(),
            type=refusal.type,
            window=closure.window,
            wait=round(closure.until - now, 1),
        )
        _log_lessons(request, closure)


def _log_lessons(request: Request, closure: Closure) -> None:
    if closure.contradicts_scope:
        _log.warning("same_get_scope_contradicted", call=str(request), advice='set same_get_scope = "path"')
    if closure.counts_refused:
        _log.warning(
            "refused_calls_counted",
            call=str(request),
        )
    if shared := closure.shared:
        _log.warning(
            "quota_shared", window=shared.period, granted=shared.granted, ours=shared.ours, others=shared.made
        )


async def _complaint(body: Body) -> Answer:
    """Returns the answer's head, with the start of the body if it says why the answer is bad."""
    if body.head.status < 400:
        return body.head
    said, _ = await beginning(body, _COMPLAINT)
    return replace(body.head, body=said)
