"""what 401 and 403 say of a key: refused, in doubt, or welcome; when it is tried again

Theory of operation. Precoro says 403 of a missing role, of a single document, of a wrong key and of a blocked
address, and it blocks keys and addresses that keep failing. So the same answer is read by what was known before:

- A 401 refuses the key. So does a 403 before any success.
- A collection that never was open says nothing of the key: a missing role closes whole collections.
- In a collection that was open, two in a row bring the key into doubt: no single document or file is asked for until
  another call shows how it is, as some may be closed to a good key. The third in a row refuses the key.
- A key that stands refused is tried once in a quarter of an hour, one call at a time, also by the next process; any
  success proves it good.

Calls that were under way together say it once: what was sent before the last 403 came back is no further refusal.
"""

from __future__ import annotations

import math
from enum import Enum, auto

from precoro_daemon.quota.circuit_breaker import IDLE_S, MOST_FORBIDDEN

MOST_REFUSALS_OF_A_KEY = MOST_FORBIDDEN + 1
"""Of the key, after which the next process does not try it at once; 403 in a row that refuse it."""


class Ruling(Enum):
    """What a 403 says of the key."""

    NOTHING = auto()
    IN_DOUBT = auto()
    NEVER_WELCOME = auto()
    BLOCKED = auto()

    @property
    def refuses(self) -> bool:
        return self in (Ruling.NEVER_WELCOME, Ruling.BLOCKED)


class KeyStanding:
    """refusals  of the key in a row, those that earlier processes met among them
    proven    calls may go side by side
    """

    def __init__(self) -> None:
        self.refusals = 0
        self.proven = False
        self.reopens_at = -math.inf
        self._welcome: set[str] = set()
        self._forbidden: dict[str, float] = {}

    def recall(self, refusals: int, last: float, now: float) -> None:
        """What earlier processes met. `last` may lie ahead of a clock that was set back."""
        self.refusals = refusals
        if refusals >= MOST_REFUSALS_OF_A_KEY:
            self.reopens_at = min(last, now) + IDLE_S

    def is_refused(self, now: float) -> bool:
        return now < self.reopens_at

    def is_doubted(self, now: float) -> bool:
        """Whether a single document or file had better not be asked for."""
        return len(self._lately(now)) >= MOST_FORBIDDEN

    def forbidden(self, collection: str, target: str, sent_at: float, now: float) -> Ruling:
        """A call was answered 403. Where the key is refused, `refused` follows."""
        if not self._welcome:
            return Ruling.NEVER_WELCOME
        counted = collection in self._welcome and self._count(target, sent_at, now)
        if len(self._forbidden) >= MOST_REFUSALS_OF_A_KEY:
            return Ruling.BLOCKED
        return Ruling.IN_DOUBT if counted and len(self._forbidden) == MOST_FORBIDDEN else Ruling.NOTHING

    def _count(self, target: str, sent_at: float, now: float) -> bool:
        """From now on calls go one by one, until one succeeds."""
        self.proven = False
        self._forbidden = self._lately(now)
        if any(sent_at < at for at in self._forbidden.values()):
            return False
        self._forbidden[target] = now
        return True

    def _lately(self, now: float) -> dict[str, float]:
        return {target: at for target, at in self._forbidden.items() if at > now - IDLE_S}

    def refused(self, now: float) -> None:
        """The key is not tried for a while."""
        self.refusals += 1
        self.reopens_at = now + IDLE_S
        self.proven = False
        self._forbidden.clear()

    def proved(self, collection: str) -> bool:
        """A call was answered as it should be: the key is good. True: there were refusals, which are over."""
        refused, self.refusals = bool(self.refusals), 0
        self.proven = True
        self.reopens_at = -math.inf
        self._welcome.add(collection)
        self._forbidden.clear()
        return refused
