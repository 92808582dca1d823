"""the outcome of each pushed record, in SQL"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from precoro_daemon.adapters.state.change_log import move_position, read_position
from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.exports.ports.pushes import Push
from precoro_daemon.mirror.rules.change_log import Move

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Row, Session, Transactions

_STOPPED = "stopped."
_KEPT_ANSWER_CHARS = 300


class SqlPushBook:
    """Implements exports.ports.PushBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def known(self, export: str, after: int, upto: int) -> Collection[str]:
        return {row["id"] for row in await self._transactions.rows("push_book.known", (export, after, upto))}

    async def save(self, export: str, pushes: Sequence[Push]) -> None:
        rows = [cells(one) | {"export": export, "answer": one.answer[:_KEPT_ANSWER_CHARS]} for one in pushes]

        def work(session: Session) -> None:
            session.run_many("push_book.save", rows)
            session.run_many("push_book.supersede", rows)

        if rows:
            await self._transactions.write(work)

    async def due(self, export: str, now: float, limit: int) -> Sequence[Push]:
        return _pushes(await self._transactions.rows("push_book.due", (export, now, limit)))

    async def listed(self, export: str, *, dead: bool, limit: int) -> Sequence[Push]:
        statement = "push_book.listed_dead" if dead else "push_book.listed"
        return _pushes(await self._transactions.rows(statement, (export, limit)))

    async def counts(self, export: str) -> dict[str, int]:
        rows = await self._transactions.rows("push_book.count", (export,))
        return {row["state"]: row["pushes"] for row in rows}

    async def forget(self, export: str, before: float, most: int) -> None:
        def work(session: Session) -> None:
            session.run("push_book.forget", (export, before))
            session.run("push_book.forget_more", {"export": export, "newest": most - 1})

        await self._transactions.write(work)

    async def stopped(self, export: str) -> str:
        row = await self._transactions.row("positions.read", (_STOPPED + export,))
        return "" if row is None else str(row["value"])

    async def stop(self, export: str, receiver: str) -> None:
        if receiver:
            await self._transactions.run("positions.save", (_STOPPED + export, receiver))
        else:
            await self._transactions.run("positions.forget", (_STOPPED + export,))

    async def revive(self, export: str, now: float) -> int:
        def work(session: Session) -> int:
            session.run("positions.forget", (_STOPPED + export,))
            return session.run("push_book.revive", {"export": export, "now": now})

        return await self._transactions.write(work)

    async def rewind(self, export: str, seq: int) -> bool:
        follower = f"export.{export}"

        def work(session: Session) -> bool:
            position = read_position(session, follower)
            if seq > position:
                return False
            session.run("positions.forget", (_STOPPED + export,))
            session.run("positions.forget", (follower,))
            return move_position(session, Move(follower, position, seq))

        return await self._transactions.write(work)

    async def change_before(self, at: float) -> int:
        return int(await self._transactions.value("push_book.change_before", (at,)))

    async def drop(self, export: str, ident: str | None) -> int:
        if ident is None:
            return await self._transactions.write(lambda session: session.run("push_book.drop_dead", (export,)))
        return await self._transactions.write(lambda session: session.run("push_book.drop", (export, ident)))


def read_stopped(session: Session) -> Collection[str]:
    """Returns the exports whose receiver is gone."""
    rows = session.rows("positions.read_under", (f"{_STOPPED}%",))
    return {str(row["name"]).removeprefix(_STOPPED) for row in rows}


def count_undelivered(session: Session) -> Mapping[str, Mapping[str, int]]:
    """Returns the counts by state and export."""
    found: dict[str, dict[str, int]] = {"waiting": {}, "dead": {}}
    for row in session.rows("push_book.count_undelivered"):
        found[row["state"]][row["export"]] = row["pushes"]
    return found


def _pushes(rows: Sequence[Row]) -> Sequence[Push]:
    return [Push(**{name: row[name] for name in row.keys()}) for row in rows]  # noqa: SIM118 - rows are no mappings
