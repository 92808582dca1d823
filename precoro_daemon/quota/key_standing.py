"""what 401 and 403 say about a key: refused, in doubt, or welcome; and when it is tried again

Theory of operation. Precoro answers 403 for a missing role, a single document, a wrong key and a blocked address, and
it blocks keys and addresses that keep failing. So the same answer is interpreted by what was known before:

- A 401 refuses the key. So does a 403 before any success.
- A collection that was never open says nothing about the key: a missing role closes whole collections.
- In a collection that was open, two in a row bring the key into doubt. Single documents and files, some of which
may be
  closed to a good key, are then not requested until another call shows how the key is. The third in a row refuses it.
- A refused key is tried once in a quarter of an hour, one call at a time, also by the next process. Any success
proves
  it good.

Concurrent calls count once: a call sent before the last 403 arrived is no further refusal.
"""

from __future__ import annotations

import math
from enum import Enum, auto

from precoro_daemon.quota.circuit_breaker import IDLE_S, MOST_FORBIDDEN

MOST_REFUSALS_OF_A_KEY = MOST_FORBIDDEN + 1
"""Refusals of the key after which the next process does not try it at once; also the number of 403 in a row that
refuse it.
"""


class Ruling(Enum):
    """What a 403 says about the key."""

    NOTHING = auto()
    IN_DOUBT = auto()
    NEVER_WELCOME = auto()
    BLOCKED = auto()

    @property
    def refuses(self) -> bool:
        return self in (Ruling.NEVER_WELCOME, Ruling.BLOCKED)


class KeyStanding:
    """refusals  of the key in a row, including those of earlier processes
    proven    whether calls may be concurrent
    """

    def __init__(self) -> None:
        self.refusals = 0
        self.proven = False
        self.reopens_at = -math.inf
        self._welcome: set[str] = set()
        self._forbidden: dict[str, float] = {}

    def recall(self, refusals: int, last: float, now: float) -> None:
        """Continues with the refusals of earlier processes. `last` may be ahead of a clock that was set back."""
        self.refusals = refusals
        if refusals >= MOST_REFUSALS_OF_A_KEY:
            self.reopens_at = min(last, now) + IDLE_S

    def is_refused(self, now: float) -> bool:
        return now < self.reopens_at

    def is_doubted(self, now: float) -> bool:
        """Returns whether single documents and files should not be requested now."""
        return len(self._lately(now)) >= MOST_FORBIDDEN

    def forbidden(self, collection: str, target: str, sent_at: float, now: float) -> Ruling:
        """Records a 403. If it refuses the key, the caller calls `refused` next."""
        if not self._welcome:
            return Ruling.NEVER_WELCOME
        counted = collection in self._welcome and self._count(target, sent_at, now)
        if len(self._forbidden) >= MOST_REFUSALS_OF_A_KEY:
            return Ruling.BLOCKED
        return Ruling.IN_DOUBT if counted and len(self._forbidden) == MOST_FORBIDDEN else Ruling.NOTHING

    def _count(self, target: str, sent_at: float, now: float) -> bool:
        """Counts a 403; from now on calls go one by one until one succeeds."""
        self.proven = False
        self._forbidden = self._lately(now)
        if any(sent_at < at for at in self._forbidden.values()):
            return False
        self._forbidden[target] = now
        return True

    def _lately(self, now: float) -> dict[str, float]:
        return {target: at for target, at in self._forbidden.items() if at > now - IDLE_S}

    def refused(self, now: float) -> None:
        """Records that the key is refused: it is not tried for a while."""
        self.refusals += 1
        self.reopens_at = now + IDLE_S
        self.proven = False
        self._forbidden.clear()

    def proved(self, collection: str) -> bool:
        """Records a good answer, which proves the key. Returns whether that ends a row of refusals."""
        refused, self.refusals = bool(self.refusals), 0
        self.proven = True
        self.reopens_at = -math.inf
        self._welcome.add(collection)
        self._forbidden.clear()
        return refused
