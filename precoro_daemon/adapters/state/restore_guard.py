"""what tells a restored, copied or moved state from the one that sent

An engine keeps it where no copy of the state takes it along.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Testimony(Struct, frozen=True):
    """nonce: of the arming it belongs to · seq: the newest journal row of which something was sent, 0 for none · row:
    what that row says, since a restored store soon has another one of that number"""

    nonce: str
    seq: int = 0
    row: str = "-"


class RestoreGuard(Protocol):
    """Never ahead of the store that sent, so a store that lacks the row it names is an older copy. Blocking."""

    def create(self) -> Testimony:
        """A new arming; durable when it returns."""
        ...

    def advance(self, seq: int, row: str) -> None:
        """Something is about to be sent by leave of this journal row. Durable when it returns; raises OSError if what
        was armed is gone."""
        ...

    def read(self) -> Testimony | None:
        """None if there is none, or one that was copied here."""
        ...

    def remove(self) -> None: ...
