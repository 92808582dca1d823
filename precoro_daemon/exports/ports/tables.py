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
    """A view that people query. collections: whose records it shows, none for one that is not of records"""

    name: str
    columns: tuple[TableColumn, ...]
    collections: tuple[str, ...] = ()


Cells = Sequence[Any]
"""A row in the order of its table's columns: decimals, dates, times and JSON as exact text, None for nothing."""


class Tables(Protocol):
    """All tables as of one moment, beside who holds the state. Blocking."""

    def rows(self, table: Table) -> Iterator[Cells]:
        """Every row, read as it is asked for. Raises StoreUnusable."""
        ...
