"""a failed call is tried again, later, as long as that can help"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState

from precoro_daemon.adapters.http.exchange import Answer, Exchange, Request
from precoro_daemon.errors import DoubtfulError, MalformedAnswer, RateLimited, WebPage
from precoro_daemon.quota.retries import pause
from precoro_daemon.telemetry import get_logger

_log = get_logger()

T = TypeVar("T")


class Retrying:
    """Sends and reads, both inside the retried call. Wrapped around the throttle: a sleeping retry holds no slot.

    Raises what `Exchange` and the reader raise, after the last try.
    """

    def __init__(self, exchange: Exchange, jitter: Callable[[], float] = random.random) -> None:
        self._exchange = exchange
        self._jitter = jitter
        self._has_read = False

    @property
    def in_flight_bound(self) -> int:
        return self._exchange.in_flight_bound

    async def send(self, request: Request, read: Callable[[Answer], T]) -> T:
        """`read` turns the answer into what the caller wants; MalformedAnswer from it is a failure like any other."""
        course = _Course(request, self._jitter, is_first=not self._has_read)
        retrying = AsyncRetrying(
            retry=course.goes_on,
            wait=course.wait,
            before_sleep=course.log,
            sleep=self._exchange.sleep,
            reraise=True,
        )
        return await retrying(self._once, request, read)

    async def _once(self, request: Request, read: Callable[[Answer], T]) -> T:
        answer = await self._exchange.send(request)
        try:
            result = read(answer)
        except MalformedAnswer as error:
            if request.repeatable:
                raise
            raise DoubtfulError(f"{request}: it was carried out, but the answer cannot be read: {error}") from error
        self._has_read = True
        return result


class _Course:
    """The tries of one call. `is_first`: no good answer came before it."""

    def __init__(self, request: Request, jitter: Callable[[], float], *, is_first: bool) -> None:
        self._is_first = is_first
        self._request = request
        self._jitter = jitter
        self._failures: list[BaseException] = []
        self._pause: float | None = None

    def goes_on(self, state: RetryCallState) -> bool:
        failure = state.outcome.exception() if state.outcome else None
        if failure is None or (self._is_first and isinstance(failure, WebPage)):
            return False
        self._failures.append(failure)
        self._pause = pause(self._failures, self._jitter())
        return self._pause is not None

    def wait(self, _: RetryCallState) -> float:
        return self._pause or 0.0

    def log(self, state: RetryCallState) -> None:
        """A 429 was logged where its window was closed."""
        failure = self._failures[-1]
        if not isinstance(failure, RateLimited):
            _log.warning(
                "call_retried",
                call=str(self._request),
                attempt=state.attempt_number,
                reason=str(failure),
                wait=self._pause,
            )
