"""how an engine reads the columns of views from JSON"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from precoro_daemon.adapters.state.view_columns import Column, Columns
from precoro_daemon.mirror.rules.collections import DOCUMENTS, STATUSES
from precoro_daemon.values.money import OTHER_DIGITS, USUAL_DIGITS


class Engine(Struct, frozen=True):
    """The fragments of one engine.

    words     the fragments of its `views.sql`
    record    the place of a record's JSON
    detailed  the place of its detail's JSON, or of its own if there is no detail
    document  the same in views that are built on the view of all documents
    owner     the place of the JSON of the document that a payment pays
    line      the place of a line's JSON
    """

    words: Mapping[str, str]
    record: str
    detailed: str
    document: str
    owner: str
    line: str


def render_columns(engine: Engine, source: str, columns: Columns, currency: str) -> str:
    """Returns the columns of a SELECT. `currency` is the expression for the row's currency."""
    return "".join(f"    {_render(engine, source, column, currency)} AS {column.name},\n" for column in columns)


def render_code(engine: Engine, source: str, *, owned: bool = False) -> str:
    """Returns the expression for the currency of a row, or of the document that it pays."""
    code = engine.words["code"].format(json=source)
    return f"coalesce({code}, {engine.words['code'].format(json=engine.owner)})" if owned else code


def render_word(engine: Engine, how: str, source: str, path: str) -> str:
    """Returns the expression for one value, read in one of the engine's ways."""
    return engine.words[how].format(json=source, path=path, steps=path.replace(".", ","), **_SPOKEN)


def singular(plural: str) -> str:
    """requests_for_proposals → request_for_proposal"""
    return "_".join(word.removesuffix("s") for word in plural.split("_"))


def _render(engine: Engine, source: str, column: Column, currency: str) -> str:
    how = column.how or column.kind.value
    if how.startswith("detail_"):
        how, source = how.removeprefix("detail_"), engine.detailed
    if how in _OF_CURRENCY:
        digits = str(USUAL_DIGITS) if how == "hundredths" else _digits(engine, currency)
        return _OF_CURRENCY[how](engine, source, column.path, digits)
    text = render_word(engine, how, source, column.path)
    if not column.owner:
        return text
    return f"coalesce({text}, {render_word(engine, how, engine.owner, column.owner)})"


def _digits(engine: Engine, currency: str) -> str:
    """Returns the expression for the number of decimals of a row's currency."""
    return engine.words["digits"].format(currency=currency, **_CURRENCIES)


def _minor(engine: Engine, source: str, path: str, digits: str) -> str:
    decimal = render_word(engine, "decimal", source, path)
    return engine.words["minor"].format(json=source, path=path, decimal=decimal, digits=digits)


def _open_minor(engine: Engine, source: str, _path: str, digits: str) -> str:
    return engine.words["open_minor"].format(
        sum=_minor(engine, source, "sum", digits),
        paid=_minor(engine, source, "sumPaid", digits),
        said=render_word(engine, "text", source, "sumPaid"),
        **_SPOKEN,
    )


def _open_sum(engine: Engine, source: str, path: str, digits: str) -> str:
    return engine.words["open_sum"].format(minor=_open_minor(engine, source, path, digits), digits=digits)


_OF_CURRENCY = {"minor": _minor, "hundredths": _minor, "open_minor": _open_minor, "open_sum": _open_sum}
"""What depends on the decimals of a currency."""

_CURRENCIES = {
    word: " ".join(("", *(code for code, digits in OTHER_DIGITS.items() if digits == count), ""))
    for word, count in (("without", 0), ("thousandths", 3))
}
"""The currencies without hundredths, as fragments name them."""

_SPOKEN = {
    "names": " ".join(f"WHEN {number} THEN '{name.replace('_', ' ')}'" for name, number in STATUSES.items()),
    "payable": f"{STATUSES['approved']}, {STATUSES['partly_paid']}",
    "canceled": str(STATUSES["canceled"]),
    "kinds": " ".join(f"WHEN '{name}' THEN '{singular(name).replace('_', ' ')}'" for name in DOCUMENTS),
}
"""Statuses and kinds of documents, as fragments name them."""
