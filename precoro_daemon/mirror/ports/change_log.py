"""the change log between the mirror and its followers"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from precoro_daemon.mirror.rules.change_log import Change, ChangeKind, Move

CHANGES_A_TRANSACTION = 500
"""Changes followed in one transaction: enough that making it durable costs little compared with reading them, and few
enough that their records take little memory.
"""


class Follower(Struct, frozen=True):
    """Reads the log in order, from its own durable position.

    name         the name of the position
    collections  whose changes come with their data
    kinds        of change that come with their data
    handle       stores what the changes mean, and the move of the position, in one transaction. If the position is no
                 longer at `move.after`, another process was faster, and nothing is stored
    """

    name: str
    collections: Sequence[str]
    kinds: Sequence[ChangeKind]
    handle: Callable[[Sequence[Change], Move], Awaitable[None]]


class Stretch(Struct, frozen=True):
    """The next changes for one follower, and the move of its position once it has handled them."""

    changes: Sequence[Change]
    move: Move


class ChangeLog(Protocol):
    """What happened to the mirror, in order. It is written only in the transactions that change the mirror.

    A new follower begins at the first change. Raises StoreUnusable.
    """

    async def is_behind(self, follower: str) -> bool:
        """Returns whether there are changes that the follower has not handled."""
        ...

    async def read(self, follower: Follower, limit: int) -> Stretch | None:
        """Returns the next `limit` changes after its position, None at the end. Each change of a record has the
        record's present data.
        """
        ...


async def follow(log: ChangeLog, follower: Follower, limit: int) -> None:
    """Brings the follower to the end of the log, `limit` changes at a time."""
    while stretch := await log.read(follower, limit):
        await follower.handle(stretch.changes, stretch.move)
