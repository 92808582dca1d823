"""one write that is never repeated, and the meaning of Precoro's answer"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any, TypeVar

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.exchange import Answer, Exchange, Request, describe
from precoro_daemon.adapters.http.refusals import read_refusal
from precoro_daemon.errors import DaemonError
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.values.json_reading import read_json
from precoro_daemon.writes.outcome import Convention, Outcome, Reply, outcome_of_failure, outcome_of_reply
from precoro_daemon.writes.permit import Permit, PermitState
from precoro_daemon.writes.sending import real_seconds

T = TypeVar("T")


class SingleWrites:
    """Sends a write once, under a permit. Every gateway that writes to Precoro uses it."""

    def __init__(
        self,
        exchange: Exchange,
        credentials: Credentials,
        clock: Clock,
        real_seconds: Callable[[], float] = real_seconds,
    ) -> None:
        self._exchange = exchange
        self._secrets = credentials.secrets
        self._clock = clock
        self._real_seconds = real_seconds

    async def write(
        self, request: Request, permit: Permit, read: Callable[[bytes], T | None], convention: Convention
    ) -> Outcome[T]:
        """Sends the write. `read` returns the created object from a good answer, or None.

        Raises only what `permit` raises, or what happened before it was called: BudgetSpent, AuthenticationError,
        Stopped.
        """
        state = PermitState()

        def may_leave() -> bool:
            return state.lets_leave(self._clock.now(), self._real_seconds())

        async def obtain() -> None:
            state.asked_at = self._real_seconds()
            await permit(blake2b(request.body, digest_size=16).hexdigest())
            state.given_at = self._clock.now()

        try:
            answer = await self._exchange.send_once(replace(request, may_leave=may_leave, once=True), obtain)
        except DaemonError as error:
            if not state.given:
                raise
            return outcome_of_failure(error)
        return outcome_of_reply(_reply(answer, describe(request, answer, self._secrets), read), convention)

    async def wait(self, seconds: float) -> None:
        """Sleeps; returns early when no more calls may leave."""
        await self._exchange.sleep(seconds)


def _reply(answer: Answer, text: str, read: Callable[[bytes], T | None]) -> Reply[T]:
    own = _is_documented(answer) if answer.status == 429 else read_json(answer.body) is not None
    result = read(answer.body) if 200 <= answer.status < 300 else None
    return Reply(answer.status, text, own, result, list(_errors_in(answer.body)))


def _errors_in(body: bytes) -> Mapping[str, Any]:
    """Returns what Precoro refused, by field, if the body has Precoro's error shape; else nothing."""
    answer = read_json(body)
    errors = answer.get("errors") if isinstance(answer, dict) else None
    inner = errors.get("errors", errors) if isinstance(errors, dict) else None
    return inner if isinstance(inner, dict) else {}


def _is_documented(answer: Answer) -> bool:
    """Returns whether this is Precoro's own 429. A proxy's does not tell whether Precoro received the request."""
    return bool(read_refusal(answer.headers, answer.body, answer.server_time or 0.0).type)
