"""a database whose tables follow those of the mirror"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.exports.ports.feed import RecordKey
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.exports.rules.standings import Standing


@dataclass(frozen=True, slots=True)
class TableChange:
    """The new rows of changed records. A record that `rows` lacks is deleted from the table."""

    table: Table
    records: Sequence[RecordKey]
    rows: Mapping[RecordKey, Sequence[Cells]]


class Warehouse(Protocol):
    """A database. Rows and the position they bring it to are written in one transaction.

    Raises TemporaryError if a retry may succeed, else PermanentError. A cancelled transaction is either done or
    not begun.
    """

    async def standing(self) -> Standing | None:
        """Returns the database's position, None if this export has never written to it."""
        ...

    async def holds(self, tables: Sequence[Table]) -> bool:
        """Returns whether these tables exist with all their columns: people may have dropped some."""
        ...

    async def fill(
        self,
        standing: Standing,
        tables: Sequence[Table],
        rows: Callable[[Table], AsyncIterator[Sequence[Cells]]],
        *,
        before: Standing | None,
    ) -> int:
        """Replaces all rows of the tables, creates missing tables and columns, and returns the number of rows.

        Readers see the former rows until the commit. Raises TemporaryError if the position is not `before`.
        """
        ...

    async def apply(self, standing: Standing, changes: AsyncIterator[TableChange], *, before: Standing) -> int:
        """Replaces or deletes the rows of changed records and returns the number of records.

        Raises TemporaryError if the position is not `before`.
        """
        ...


OpenWarehouse = AbstractAsyncContextManager[Warehouse]
"""Connects to the database for the duration of the context."""
