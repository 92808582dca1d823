"""changed records and the current rows of tables, for exports that follow the change log"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.mirror.rules.change_log import Move

RecordKey = tuple[str, int]
"""Collection and record id."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A record whose rows in a table may have changed. It occurs once, however often the record changed.

    seq  the record's last change within the range
    """

    seq: int
    table: str
    record: RecordKey


class ExportFeed(Protocol):
    """The change log and the tables, as named exports read them. Each export has its own durable position and note.

    Raises StoreUnusable. Has one writer. A cancelled move is either done or not begun.
    """

    async def position(self, export: str) -> int: ...

    async def end(self, after: int, limit: int) -> int:
        """Returns the last of the next `limit` changes, or `after` if there are none."""
        ...

    async def newest(self) -> int:
        """Returns the newest change."""
        ...

    async def touched(self, tables: Sequence[Table], after: int, upto: int) -> Sequence[Touched]:
        """Returns the records whose rows in these tables may have changed after `after`, up to and including `upto`.

        They are ordered by their last change.
        """
        ...

    async def rows(self, table: Table, records: Sequence[RecordKey]) -> Mapping[RecordKey, Sequence[Cells]]:
        """Returns the current rows of these records in the table, always in the same order.

        A record has one row, or one for each thing that belongs to it. Records without a row are left out.
        """
        ...

    async def some_rows(
        self, table: Table, after: RecordKey | None, limit: int
    ) -> Sequence[tuple[RecordKey, Sequence[Cells]]]:
        """Returns the next `limit` records of the table's collections with their rows."""
        ...

    async def note(self, export: str) -> str | None:
        """Returns the note that the export saved last."""
        ...

    async def save_note(self, export: str, note: str) -> None: ...

    async def move(self, move: Move, note: str) -> bool:
        """Moves the position and saves the note in one transaction.

        Returns False and changes nothing if the position has moved meanwhile.
        """
        ...
