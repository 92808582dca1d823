"""distinguishes a restored, copied or moved state from the one that sent

An engine keeps the guard where a copy of the state does not include it.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Testimony(Struct, frozen=True):
    """nonce  identifies the arming
    seq    the newest journal row under which something was sent, 0 for none
    row    the content of that row, because a restored store soon has another one with its number
    """

    nonce: str
    seq: int = 0
    row: str = "-"


class RestoreGuard(Protocol):
    """Never ahead of the store that sent, so a store that lacks its row is an older copy. Blocking."""

    def create(self) -> Testimony:
        """Arms; durable on return."""
        ...

    def advance(self, seq: int, row: str) -> None:
        """Records that something is about to be sent under this journal row. Durable on return. Raises OSError if the
        guard of the arming is gone.
        """
        ...

    def read(self) -> Testimony | None:
        """Returns the guard, None if there is none, or one that was copied here."""
        ...

    def remove(self) -> None: ...
