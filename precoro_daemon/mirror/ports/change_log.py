"""the change log between the mirror and what follows it"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from precoro_daemon.mirror.rules.change_log import Change, ChangeKind, Move

CHANGES_A_TRANSACTION = 500
"""Changes followed in one transaction: enough that making it durable costs little beside reading them, few enough
that their records take little memory."""


class Follower(Struct, frozen=True):
    """Somebody who reads the log in order, from a position of its own that survives a restart.

    name         of the position
    collections  whose changes come with their data
    kinds        of change that come with their data
    handle       stores what the changes mean, and the move of the position in the same transaction. Where the
                 position is no longer at `move.after`, somebody else was faster: it stores nothing
    """

    name: str
    collections: Sequence[str]
    kinds: Sequence[ChangeKind]
    handle: Callable[[Sequence[Change], Move], Awaitable[None]]


class Stretch(Struct, frozen=True):
    """The next changes for one follower, and how its position moves once it has handled them."""

    changes: Sequence[Change]
    move: Move


class ChangeLog(Protocol):
    """What happened to the mirror, in order. It is written in the transactions that change the mirror, and by nobody
    else. A new follower begins at the first change. Raises StoreUnusable.
    """

    async def is_behind(self, follower: str) -> bool:
        """Are there changes that it has not handled?"""
        ...

    async def read(self, follower: Follower, limit: int) -> Stretch | None:
        """The next `limit` changes behind its position; None at the end. Of a record that changed several times each
        change shows what it is now."""
        ...


async def follow(log: ChangeLog, follower: Follower, limit: int) -> None:
    """Bring the follower to the end of the log, `limit` changes at a time."""
    while stretch := await log.read(follower, limit):
        await follower.handle(stretch.changes, stretch.move)
