"""the tables that can be exported, with their columns and a consistent snapshot of their rows"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class TableColumn:
    """kind  text, integer, decimal, boolean, date, timestamp or json, as in the data dictionary"""

    name: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A view that people query.

    collections  the collections whose records, or whose records' parts, it shows; empty if it shows something else
    key          the column with the record's id; with several collections, the column `collection` names the record's
    unique       columns that identify a row, empty if none do
    """

    name: str
    columns: tuple[TableColumn, ...]
    collections: tuple[str, ...] = ()
    key: str = "id"
    unique: tuple[str, ...] = ("id",)

    @property
    def is_of_records(self) -> bool:
        """Whether each row is a record, and not a part of one."""
        return self.key == "id"

    def at(self, column: str) -> int:
        """Returns the index of a column."""
        return next(at for at, one in enumerate(self.columns) if one.name == column)


Cells = Sequence[Any]
"""A row in the order of its table's columns.

Decimals, dates and times are exact text, JSON is UTF-8 as it was received, and a missing value is None.
"""

RowBatch = Sequence[Sequence[Any]]
"""A batch of rows as columns: one sequence of cells for each column."""


class Tables(Protocol):
    """A snapshot of all tables, read beside the process that holds the state. Blocking."""

    def batches(self, table: Table) -> Iterator[RowBatch]:
        """Yields all rows in batches, and reads each batch when it is asked for. Raises StoreUnusable."""
        ...
