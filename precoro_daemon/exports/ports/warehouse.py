"""tables in a database that people use, kept as those of the mirror"""

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
    """What becomes of what a table shows of some records: it is as `rows` has it, or no more."""

    table: Table
    records: Sequence[RecordKey]
    rows: Mapping[RecordKey, Sequence[Cells]]


class Warehouse(Protocol):
    """A database. What is written is there together with how far it then is, in one transaction, or not at all.

    Raises TemporaryError where the same may work later, PermanentError where it will not. Cancellation leaves a
    transaction done, or not begun.
    """

    async def standing(self) -> Standing | None:
        """How far it is; None where this export never wrote anything."""
        ...

    async def holds(self, tables: Sequence[Table]) -> bool:
        """Whether these are there, with all their columns: people may have dropped some."""
        ...

    async def fill(
        self,
        standing: Standing,
        tables: Sequence[Table],
        rows: Callable[[Table], AsyncIterator[Sequence[Cells]]],
        *,
        before: Standing | None,
    ) -> int:
        """The tables, made where they are not there and with their new columns, hold these rows and no others; how
        many. Readers see the former rows until then. Raises TemporaryError if it is not as `before`."""
        ...

    async def apply(self, standing: Standing, changes: AsyncIterator[TableChange], *, before: Standing) -> int:
        """The rows are as they are now, or gone; of how many records. Raises TemporaryError if it is not as
        `before`."""
        ...


OpenWarehouse = AbstractAsyncContextManager[Warehouse]
"""The database, connected until the context ends."""
