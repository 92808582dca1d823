"""the change log on SQLite: changes behind a follower's position, and the position itself"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict

from precoro_daemon.adapters.state.sqlite.statements import read_named
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.mirror.ports.change_log import Follower, Stretch
from precoro_daemon.mirror.rules.change_log import Change, Move

SQL = read_named("change_log.sql")


class SqlChangeLog:
    """ports.ChangeLog, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def is_behind(self, follower: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            (last,) = connection.execute(SQL["last_change"]).fetchone()
            return int(last) > _position(connection, follower)

        return await self._transactions.read(work)

    async def read(self, follower: Follower, limit: int) -> Stretch | None:
        asked = {
            "collections": json.dumps(list(follower.collections)),
            "kinds": json.dumps(list(follower.kinds)),
            "limit": limit,
        }

        def work(connection: sqlite3.Connection) -> Stretch | None:
            after = _position(connection, follower.name)
            rows = connection.execute(SQL["read_changes"], asked | {"after": after})
            changes = [Change(**row) for row in rows]
            return Stretch(changes, Move(follower.name, after, changes[-1].seq)) if changes else None

        return await self._transactions.read(work)


def move_position(connection: sqlite3.Connection, move: Move) -> bool:
    """Runs inside a transaction. False: it is no longer where the changes were read, and what they meant is known."""
    return connection.execute(SQL["move_position"], asdict(move)).rowcount > 0


def _position(connection: sqlite3.Connection, follower: str) -> int:
    row = connection.execute(SQL["read_position"], (follower,)).fetchone()
    return 0 if row is None else int(row["seq"])
