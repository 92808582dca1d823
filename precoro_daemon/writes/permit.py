"""the write-ahead permit: durable before the first byte leaves, and good for five seconds"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

PERMIT_GOOD_FOR_S = 5.0
"""Nothing may leave by an older permit: what it was given by may have changed since."""

Permit = Callable[[str], Awaitable[None]]
"""The sender calls it once, with a hash of the body, when the request may leave. It makes durable that the request
is being sent, or it raises and nothing leaves."""


@dataclass(slots=True)
class PermitState:
    """Whether the permit of one request was given, and when (Unix seconds)."""

    given_at: float | None = None

    @property
    def given(self) -> bool:
        return self.given_at is not None

    def lets_leave(self, now: float) -> bool:
        return self.given_at is not None and now - self.given_at <= PERMIT_GOOD_FOR_S
