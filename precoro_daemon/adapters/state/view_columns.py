"""what a column of a view is: its name, kind and meaning, and where the JSON of a record has it

Each meaning is written once, in the modules of columns: the manual, the view `data_dictionary` and the definitions of
all engines are made from it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What a column holds, in a word for people. An engine has a way to read each kind."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    JSON = "json"


class Column(Struct, frozen=True):
    """One column.

    path   the field in the record's JSON, as the API spells it: `supplier.name`; empty where the engine words it
    how    the engine's way to read it, where that is another than its kind's
    owner  the field in the document that a payment pays, for payments that do not say it themselves
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
    """An amount, and the same in whole minor units of the row's currency, which every database adds up exactly."""
    minor = f"`{name}` in whole minor units of `currency` (cents; JPY none, KWD thousandths); empty where it is finer"
    return (
        Column(name, Kind.DECIMAL, meaning, path, owner=owner),
        Column(f"{name}_minor", Kind.INTEGER, minor, path, how="minor", owner=owner),
    )


def base_money(name: str, path: str, meaning: str) -> Columns:
    """Precoro does not say what currency that is, so its minor units are hundredths whatever it is."""
    return (
        decimal(name, path, meaning),
        Column(
            f"{name}_hundredths", Kind.INTEGER, f"`{name}` in hundredths; empty where finer", path, how="hundredths"
        ),
    )


def reference(name: str, path: str, view: str, owner: bool = False) -> Columns:
    """What another record is called there, and its plain id."""
    whose = f"{path}." if owner else ""
    return (
        Column(
            name, Kind.TEXT, f"name of the {name.replace('_', ' ')}", f"{path}.name", owner=whose and f"{whose}name"
        ),
        Column(f"{name}_id", Kind.INTEGER, f"joins `{view}.id`", f"{path}.id", owner=whose and f"{whose}id"),
    )


def person(name: str, path: str, meaning: str, source: str = "") -> Columns:
    """A user by name, and by the plain id."""
    return (
        Column(name, Kind.TEXT, meaning, path, how=f"{source}person"),
        Column(f"{name}_id", Kind.INTEGER, "joins `users.id`", f"{path}.id", how=f"{source}integer"),
    )


def own(name: str, kind: Kind, meaning: str) -> Column:
    """One that the engines word themselves."""
    return Column(name, kind, meaning)
