"""the change log in SQL: the changes after a follower's position, and the position itself"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.mirror.ports.change_log import Follower, Stretch
from precoro_daemon.mirror.rules.change_log import Change, Move

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Session, Transactions


class SqlChangeLog:
    """Implements mirror.ports.ChangeLog, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def is_behind(self, follower: str) -> bool:
        return await self._transactions.read(
            lambda session: bool(session.value("change_log.last_change") > read_position(session, follower))
        )

    async def read(self, follower: Follower, limit: int) -> Stretch | None:
        asked = {
            "collections": json.dumps(list(follower.collections)),
            "kinds": json.dumps(list(follower.kinds)),
            "limit": limit,
        }

        def work(session: Session) -> Stretch | None:
            after = read_position(session, follower.name)
            changes = [Change(**row) for row in session.rows("change_log.read_changes", asked | {"after": after})]
            return Stretch(changes, Move(follower.name, after, changes[-1].seq)) if changes else None

        return await self._transactions.read(work)


def move_position(session: Session, move: Move) -> bool:
    """Moves the position inside a transaction. Returns False if it has moved since the changes were read: they were
    handled.
    """
    return session.run("change_log.move_position", cells(move)) > 0


def read_position(session: Session, follower: str) -> int:
    row = session.row("change_log.read_position", (follower,))
    return 0 if row is None else int(row["seq"])
