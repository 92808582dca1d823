"""retries a failed call later, as long as that can help"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from precoro_daemon.adapters.http.exchange import Answer, Exchange, Request
from precoro_daemon.errors import DoubtfulError, MalformedAnswer, RateLimited, TemporaryError, WebPage
from precoro_daemon.quota.retries import pause
from precoro_daemon.telemetry import get_logger

_log = get_logger()

T = TypeVar("T")


class Retrying:
    """Sends and reads, both inside the retried call. It wraps the throttle, so a sleeping retry holds no slot.

    Raises what `Exchange` and the reader raise, after the last attempt.
    """

    def __init__(self, exchange: Exchange, jitter: Callable[[], float] = random.random) -> None:
        self._exchange = exchange
        self._jitter = jitter
        self._has_read = False

    @property
    def in_flight_bound(self) -> int:
        return self._exchange.in_flight_bound

    async def send(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Sends a request. `read` turns the answer into the result; MalformedAnswer from it is a failure like any
        other.
        """
        is_first = not self._has_read
        failures: list[TemporaryError] = []
        while True:
            try:
                return await self._once(request, read)
            except TemporaryError as error:
                failures.append(error)
                # Before any good answer a web page is a login's, which stays for hours.
                wait = None if is_first and isinstance(error, WebPage) else pause(failures, self._jitter())
                if wait is None:
                    raise
            _log_retry(request, failures, wait)
            await self._exchange.sleep(wait)

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


def _log_retry(request: Request, failures: Sequence[TemporaryError], wait: float) -> None:
    """Logs a retry. A 429 was already logged when its window was closed."""
    if not isinstance(failures[-1], RateLimited):
        reason = str(failures[-1])
        _log.warning("call_retried", call=str(request), attempt=len(failures), reason=reason, wait=wait)
