"""a column of a view: its name, kind and meaning, and its place in a record's JSON

Each meaning is written once, in the modules of columns: the manual, the view `data_dictionary` and the definitions of
all engines are generated from it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """The type of a column, in a word for people. Each engine has a way to read each kind."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    JSON = "json"


class Column(Struct, frozen=True):
    """One column.

    path   the field in the record's JSON, as the API spells it: `supplier.name`; empty if the engine words it
    how    the engine's way to read it, if it differs from its kind's
    owner  the field in the document that a payment pays, for payments that do not have it themselves
    """

    name: str
    kind: Kind
    meaning: str
    path: str = ""
    how: str = ""
    owner: str = ""


Columns = tuple[Column, ...]


def text(name: str, path: str, meaning: str) -> Column:
    return Column(name, Kind.TEXT, meaning, path)


def decimal(name: str, path: str, meaning: str) -> Column:
    return Column(name, Kind.DECIMAL, meaning, path)


def date(name: str, path: str, meaning: str) -> Column:
    return Column(name, Kind.DATE, f"{meaning}: the day as Precoro wrote it", path)


def money(name: str, path: str, meaning: str, owner: str = "") -> Columns:
    """Returns an amount, and the same in whole minor units of the row's currency, which every database adds up
    exactly.
    """
    minor = f"`{name}` in whole minor units of `currency` (cents; JPY none, KWD thousandths); empty where it is finer"
    return (
        Column(name, Kind.DECIMAL, meaning, path, owner=owner),
        Column(f"{name}_minor", Kind.INTEGER, minor, path, how="minor", owner=owner),
    )


def base_money(name: str, path: str, meaning: str) -> Columns:
    """Returns an amount in the base currency, which Precoro does not name: its minor units are hundredths in any
    case.
    """
    return (
        decimal(name, path, meaning),
        Column(
            f"{name}_hundredths", Kind.INTEGER, f"`{name}` in hundredths; empty where finer", path, how="hundredths"
        ),
    )


def reference(name: str, path: str, view: str, owner: bool = False) -> Columns:
    """Returns another record's name, and its plain id."""
    whose = f"{path}." if owner else ""
    return (
        Column(
            name, Kind.TEXT, f"name of the {name.replace('_', ' ')}", f"{path}.name", owner=whose and f"{whose}name"
        ),
        Column(f"{name}_id", Kind.INTEGER, f"joins `{view}.id`", f"{path}.id", owner=whose and f"{whose}id"),
    )


def person(name: str, path: str, meaning: str, source: str = "") -> Columns:
    """Returns a user's name, and the plain id."""
    return (
        Column(name, Kind.TEXT, meaning, path, how=f"{source}person"),
        Column(f"{name}_id", Kind.INTEGER, "joins `users.id`", f"{path}.id", how=f"{source}integer"),
    )


def own(name: str, kind: Kind, meaning: str) -> Column:
    """Returns a column that the engines word themselves."""
    return Column(name, kind, meaning)
