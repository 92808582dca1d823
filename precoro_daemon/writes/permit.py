"""the write-ahead permit: durable before the first byte leaves, and good for five seconds"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

PERMIT_GOOD_FOR_S = 5.0
"""Nothing is sent under an older permit: the facts it was granted on may have changed."""

Permit = Callable[[str], Awaitable[None]]
"""The sender calls it once, with a hash of the body, just before the request leaves. It makes durable that the
request
is being sent; or it raises, and nothing leaves.
"""


@dataclass(slots=True)
class PermitState:
    """Whether the permit for one request was granted.

    given_at  Unix seconds of the program's clock
    asked_at  real seconds, read before the permit was asked for: a process that stood still while it was made durable
              learns of it late, and another process may have decided since
    """

    asked_at: float = 0.0
    given_at: float | None = None

    @property
    def given(self) -> bool:
        return self.given_at is not None

    def lets_leave(self, now: float, real_now: float) -> bool:
        if self.given_at is None:
            return False
        return max(now - self.given_at, real_now - self.asked_at) <= PERMIT_GOOD_FOR_S


@dataclass(slots=True)
class TimedPermit:
    """A permit that knows how long it is still good.

    elapsed  returns real seconds; they count from before the permit is asked for, because making it durable may
    take long
    """

    permit: Permit
    elapsed: Callable[[], float]
    _asked_at: float | None = field(default=None, init=False)

    async def obtain(self) -> None:
        """Asks for the permit. Raises whatever it raises."""
        self._asked_at = self.elapsed()
        await self.permit("")

    @property
    def left(self) -> float:
        """The seconds for which it is still good, none before it was obtained."""
        return -1.0 if self._asked_at is None else self._asked_at + PERMIT_GOOD_FOR_S - self.elapsed()

    def lets_leave(self) -> bool:
        return self.left >= 0
