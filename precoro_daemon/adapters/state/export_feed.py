"""what exports follow, in SQL: changes, rows as they are now, and what each export noted"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from precoro_daemon.adapters.state.change_log import move_position, read_position
from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.adapters.state.view_rows import reader_of, statement_for
from precoro_daemon.exports.ports.feed import Touched
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.mirror.rules.change_log import Move


class SqlExportFeed:
    """exports.ports.ExportFeed, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def position(self, export: str) -> int:
        return await self._transactions.read(lambda session: read_position(session, _name(export)))

    async def end(self, after: int, limit: int) -> int:
        return int(await self._transactions.value("change_log.end_of_range", {"after": after, "limit": limit}))

    async def newest(self) -> int:
        return int(await self._transactions.value("change_log.last_change"))

    async def touched(self, after: int, upto: int) -> Sequence[Touched]:
        rows = await self._transactions.rows("change_log.read_touched", {"after": after, "upto": upto})
        return [Touched(*row) for row in rows]

    async def rows(self, table: Table, ids: Sequence[int]) -> Mapping[int, Sequence[Cells]]:
        [collection] = table.collections
        return await self._transactions.read(lambda session: _read(session, table.name, collection, ids))

    async def some_rows(self, table: Table, after: int, limit: int) -> Sequence[tuple[int, Sequence[Cells]]]:
        [collection] = table.collections
        asked = {"collection": collection, "after": after, "limit": limit}

        def work(session: Session) -> Sequence[tuple[int, Sequence[Cells]]]:
            ids = [int(row["id"]) for row in session.rows("record_rows.next_ids", asked)]
            found = _read(session, table.name, collection, ids)
            return [(id_, found.get(id_, ())) for id_ in ids]

        return await self._transactions.read(work)

    async def note(self, export: str) -> str | None:
        row = await self._transactions.row("positions.read", (_name(export),))
        return None if row is None else str(row["value"])

    async def save_note(self, export: str, note: str) -> None:
        await self._transactions.run("positions.save", (_name(export), note))

    async def move(self, move: Move, note: str) -> bool:
        def work(session: Session) -> bool:
            named = Move(_name(move.follower), move.after, move.upto)
            if not move_position(session, named):
                return False
            session.run("positions.save", (named.follower, note))
            return True

        return await self._transactions.write(work)


def _name(export: str) -> str:
    """Of its position and of its note, which nothing else has."""
    return f"export.{export}"


def _read(session: Session, view: str, collection: str, ids: Sequence[int]) -> Mapping[int, Sequence[Cells]]:
    rows = session.rows(
        statement_for(collection, some=True), {"collection": collection, "ids": json.dumps(list(ids))}
    )
    found: dict[int, list[Cells]] = {}
    for cells in zip(*reader_of(view)(rows), strict=True):
        found.setdefault(int(cells[0]), []).append(cells)
    return found
