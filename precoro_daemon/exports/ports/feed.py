"""what changed, and the rows of tables as they are now, for exports that follow the change log"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.mirror.rules.change_log import Move

RecordKey = tuple[str, int]
"""Collection and id."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a table shows of a record may be other rows, once, however often that changed. seq: of the last change in
    the range"""

    seq: int
    table: str
    record: RecordKey


class ExportFeed(Protocol):
    """The change log and the tables, for named exports. Each has a position and a note of its own, both durable.

    Raises StoreUnusable. One writer; cancellation leaves a move done or not begun.
    """

    async def position(self, export: str) -> int: ...

    async def end(self, after: int, limit: int) -> int:
        """The last of the next `limit` changes; `after` itself where there is none."""
        ...

    async def newest(self) -> int:
        """The last change of all."""
        ...

    async def touched(self, tables: Sequence[Table], after: int, upto: int) -> Sequence[Touched]:
        """Of which records these tables may show others behind `after` up to `upto`, in the order of the last
        changes."""
        ...

    async def rows(self, table: Table, records: Sequence[RecordKey]) -> Mapping[RecordKey, Sequence[Cells]]:
        """What a table shows of these records now: a row, or all rows of what belongs to it, always in the same
        order; without those of which it shows nothing."""
        ...

    async def some_rows(
        self, table: Table, after: RecordKey | None, limit: int
    ) -> Sequence[tuple[RecordKey, Sequence[Cells]]]:
        """The next records of a table's collections, with what the table shows of each."""
        ...

    async def note(self, export: str) -> str | None:
        """What the export noted last."""
        ...

    async def save_note(self, export: str, note: str) -> None: ...

    async def move(self, move: Move, note: str) -> bool:
        """The position and the note, in one transaction. False, and neither: the position is elsewhere by now."""
        ...
