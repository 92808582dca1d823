"""what a source of wanted items holds, and how its rows are to be read"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from precoro_daemon.catalogue.rules.items import Fields


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the source: its number there, and its cells in the order of the columns."""

    number: int
    cells: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a source holds: named as people know it, read whole."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Writing:
    """How the source writes prices: what stands before the cents, and between thousands ("" for nothing)."""

    decimal_mark: str = "."
    grouping: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What Precoro is known to have; where no name is known, any is taken. `categories`: their ids by name."""

    currencies: Collection[str] = ()
    units: Collection[str] = ()
    categories: Mapping[str, int] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read. `columns`: which column holds which field; empty: each column has the name of its field.

    supplier  what the supplier may be called in a column of that name; rows of others are passed over
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)
    currency: str = ""
    supplier: Collection[str] = ()
