"""what can be exported: tables with their columns, and their rows as of one moment"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class TableColumn:
    """kind: text, integer, decimal, boolean, date, timestamp or json, as the data dictionary has it"""

    name: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A view that people query.

    collections  of whose records it shows them or what belongs to them, none for one of anything else
    key          the column with the number of that record; where there are several collections, `collection` has its
    unique       columns that no two rows have alike, none where there are no such
    """

    name: str
    columns: tuple[TableColumn, ...]
    collections: tuple[str, ...] = ()
    key: str = "id"
    unique: tuple[str, ...] = ("id",)

    @property
    def is_of_records(self) -> bool:
        """Each row is a record, and not one of several things that belong to it."""
        return self.key == "id"

    def at(self, column: str) -> int:
        """Where a column stands in a row."""
        return next(at for at, one in enumerate(self.columns) if one.name == column)


Cells = Sequence[Any]
"""A row in the order of its table's columns: decimals, dates and times as exact text, JSON as it is in UTF-8, None
for nothing."""

RowBatch = Sequence[Sequence[Any]]
"""Some rows by columns: of each column their cells."""


class Tables(Protocol):
    """All tables as of one moment, beside who holds the state. Blocking."""

    def batches(self, table: Table) -> Iterator[RowBatch]:
        """All rows, some at a time, read as they are asked for. Raises StoreUnusable."""
        ...
