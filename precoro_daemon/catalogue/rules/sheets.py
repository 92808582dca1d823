"""the rows of a source of wanted items, and how they are read"""

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
    """The whole content of a source, with its name for people."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Writing:
    """How the source writes prices: the decimal mark and the thousands separator ("" for none)."""

    decimal_mark: str = "."
    grouping: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The names that Precoro is known to have; if none are known, any name is accepted.

    categories  their ids by name
    """

    currencies: Collection[str] = ()
    units: Collection[str] = ()
    categories: Mapping[str, int] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read.

    columns   which column holds which field; if empty, each column is named like its field
    supplier  the names that a supplier column may use; rows of other suppliers are skipped
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)
    currency: str = ""
    supplier: Collection[str] = ()
