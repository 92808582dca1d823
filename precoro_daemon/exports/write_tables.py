"""exports into tables of a database, each change exactly once"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from precoro_daemon.exports.ports.feed import ExportFeed
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.exports.ports.warehouse import OpenWarehouse, TableChange, Warehouse
from precoro_daemon.exports.rules.standings import Standing, can_go_on
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_CHANGES_A_COMMIT = 2_000
"""The most changes in one transaction: a few megabytes of rows, and locks held for a moment."""

_RECORDS_A_COPY = 500


@dataclass(slots=True)
class WriteTables:
    """Brings the tables of one database to the end of the change log.

    The position is written in the transaction that writes the rows, so every change is applied exactly once,
    whichever
    side is killed. The state also keeps the position it knows, which distinguishes a restored state from a restored
    database.
    """

    name: str
    feed: ExportFeed
    tables: Sequence[Table]
    warehouses: Callable[[], OpenWarehouse]

    async def behind(self) -> bool:
        """Returns whether there is anything to write."""
        position = await self.feed.position(self.name)
        return position < await self.feed.newest() or await self._noted() != self._note(position)

    async def follow(self) -> int:
        """Writes all pending changes and returns the number of rows written or removed."""
        async with self.warehouses() as warehouse:
            standing, written = await self._begun(warehouse)
            while (end := await self.feed.end(standing.position, _CHANGES_A_COMMIT)) > standing.position:
                position = await self._plan(end)
                fresh = Standing(end, standing.schema)
                written += await warehouse.apply(fresh, self._changes(standing.position, end), before=standing)
                await self._done(position, fresh)
                standing = fresh
        return written

    async def _begun(self, warehouse: Warehouse) -> tuple[Standing, int]:
        """Returns the tables' position, and the number of rows written if they had to be filled again."""
        before, position = await warehouse.standing(), await self.feed.position(self.name)
        noted = await self._noted()
        planned = None if noted is None else json.loads(noted)["upto"]
        goes_on = can_go_on(before, self._schema, position, planned) and await warehouse.holds(self.tables)
        if before is not None and goes_on:
            await self._done(position, before)
            return before, 0
        fresh = Standing(await self.feed.newest(), self._schema)
        _log.info("tables_refilled", export=self.name, upto=fresh.position)
        position = await self._plan(fresh.position)
        written = await warehouse.fill(fresh, self.tables, self._everything, before=before)
        await self._done(position, fresh)
        return fresh, written

    async def _noted(self) -> str | None:
        return await self.feed.note(self.name)

    def _note(self, upto: int) -> str:
        return json.dumps({"upto": upto, "schema": self._schema})

    async def _plan(self, upto: int) -> int:
        """Saves the position that the next write is to reach, before writing, and returns the present one."""
        await self.feed.save_note(self.name, self._note(upto))
        return await self.feed.position(self.name)

    async def _done(self, position: int, standing: Standing) -> None:
        await self.feed.move(Move(self.name, position, standing.position), self._note(standing.position))

    @property
    def _schema(self) -> str:
        said = [(table.name, [(one.name, one.kind) for one in table.columns]) for table in self.tables]
        return blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()

    async def _changes(self, after: int, upto: int) -> AsyncIterator[TableChange]:
        """Yields the changes in batches: renaming one custom field changes every record that has a value for it."""
        touched = await self.feed.touched(self.tables, after, upto)
        for table in self.tables:
            due = [each.record for each in touched if each.table == table.name]
            for start in range(0, len(due), _RECORDS_A_COPY):
                some = due[start : start + _RECORDS_A_COPY]
                yield TableChange(table, some, await self.feed.rows(table, some))

    async def _everything(self, table: Table) -> AsyncIterator[Sequence[Cells]]:
        after = None
        while some := await self.feed.some_rows(table, after, _RECORDS_A_COPY):
            after = some[-1][0]
            yield [cells for _, shown in some for cells in shown]
