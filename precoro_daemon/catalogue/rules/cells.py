"""one cell of a row as the exact value of a field, or the reason why it is none"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from precoro_daemon.catalogue.rules.item_fields import CUSTOM
from precoro_daemon.catalogue.rules.items import CustomField, Value, shortest
from precoro_daemon.catalogue.rules.sheets import Known, Reading
from precoro_daemon.values.money import CURRENCY_CODE, read_amount, ungrouped

_LONGEST_CELL_CHARS = 65_535
_UNWRITABLE = ("Cc", "Cs")
_BREAKS_AND_TABS = dict.fromkeys(map(ord, "\n\t"))
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class CellError(ValueError):
    """Why a value cannot be used."""


class CellReader:
    """Reads the cells of each field. An empty cell clears the field, if the field can be empty."""

    def __init__(self, reading: Reading, known: Known) -> None:
        self._reading = reading
        self._known = known
        self._categories = {name.casefold(): ident for name, ident in known.categories.items()}
        self._units = {unit.casefold(): unit for unit in known.units}
        self._readers: Mapping[str, Callable[[Any], Value]] = {
            "price": self._price,
            "currency": self._currency,
            "unit": self._unit,
            "category": self._category,
            "freeOfCharge": _truth,
            "hiddenInCatalog": _truth,
        }

    def read(self, name: str, cell: Any) -> Iterator[tuple[str, Value]]:
        if isinstance(cell, float):
            raise CellError(
                "comes as a binary float, which is not exact; have it come as text or as a decimal number"
            )
        if isinstance(cell, list | dict):
            raise CellError("is no single value")
        text = _text(cell)
        if text:
            reader = self._readers.get(name)
            yield name, reader(cell) if reader else self._custom(name, text) if name.startswith(CUSTOM) else text
        elif name == "name":
            raise CellError("is empty")
        elif name == "currency" and self._reading.currency:
            yield name, self._reading.currency
        elif name in ("description", "unit", "category", "price") or name.startswith(CUSTOM):
            yield name, None

    def _price(self, cell: Any) -> Value:
        writing, text = self._reading.writing, _text(cell)
        if isinstance(cell, str):
            if writing.grouping:
                together = ungrouped(text, writing.grouping, writing.decimal_mark)
                if together is None:
                    raise CellError(f"has {writing.grouping!r} where it does not stand between thousands")
                text = together
            if writing.decimal_mark != "." and "." in text:
                raise CellError(f"has a point, but the decimal mark is {writing.decimal_mark!r}")
            text = text.replace(writing.decimal_mark, ".")
        amount = None if isinstance(cell, bool) else read_amount(text)
        if amount is None:
            hint = "; set decimal_mark if prices are written so" if "," in text else ""
            raise CellError(f"is no price, such as 1234{writing.decimal_mark}50{hint}")
        if amount < 0:
            raise CellError("is less than nothing")
        return amount or None

    def _currency(self, cell: Any) -> Value:
        text = _text(cell).upper()
        if not CURRENCY_CODE.fullmatch(text):
            raise CellError("is no currency code of three letters, such as EUR")
        if self._known.currencies and text not in self._known.currencies:
            raise CellError(f"is no currency of this company; it uses {', '.join(sorted(self._known.currencies))}")
        return text

    def _unit(self, cell: Any) -> Value:
        text = _text(cell)
        if not self._units:
            return text
        if (unit := self._units.get(text.casefold())) is None:
            raise CellError(f"is no unit at Precoro{_offer(text, self._known.units)}")
        return unit

    def _category(self, cell: Any) -> Value:
        text = _text(cell)
        ident = int(text) if text.isdecimal() and len(text) < 19 else self._categories.get(text.casefold())
        if ident not in self._categories.values():
            offer = _offer(text, self._known.categories)
            raise CellError(f"is no category that any item at Precoro is in{offer}")
        return str(ident)

    def _custom(self, name: str, text: str) -> Value:
        field_ = self._known.fields[int(name.removeprefix(CUSTOM))]
        if field_.type == "options":
            return tuple(sorted(_option(field_, part.strip()) for part in text.split(";") if part.strip()))
        return (_plain_custom(field_, text),)


def _plain_custom(known: CustomField, text: str) -> str:
    match known.type:
        case "option":
            return _option(known, text)
        case "number":
            amount = read_amount(text)
            if amount is None:
                raise CellError("is no number, such as 12.5")
            return shortest(amount)
        case "date":
            return _day(text)
        case "boolean":
            return "true" if _truth(text) else "false"
    return text


def _option(known: CustomField, text: str) -> str:
    """Returns the option with this path, name, code, external id or Precoro id."""
    options = known.options.values()
    for naming in ("path", "name", "code", "external_id", "id"):
        found = [option for option in options if (getattr(option, naming) or "").casefold() == text.casefold()]
        if len(found) == 1:
            return found[0].id
        if found:
            paths = ", ".join(option.path for option in found)
            raise CellError(f'is the name of several options of "{known.name}"; write one of {paths}')
    raise CellError(f'is no option of "{known.name}"{_offer(text, [option.path for option in options])}')


def _truth(cell: Any) -> bool:
    found = _TRUTHS.get(_text(cell).lower())
    if found is None:
        raise CellError("is neither true nor false")
    return found


def _day(text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise CellError("is no date, such as 2026-01-31") from None


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return shortest(cell) if cell.is_finite() else str(cell)
        case datetime() | date():
            return cell.isoformat()
    text = str(cell).replace("\r\n", "\n").strip()
    if len(text) > _LONGEST_CELL_CHARS:
        raise CellError(f"is longer than {_LONGEST_CELL_CHARS:,} characters")
    if not text.isprintable() and any(
        unicodedata.category(sign) in _UNWRITABLE for sign in text.translate(_BREAKS_AND_TABS)
    ):
        raise CellError("has control characters in it")
    return text


def _offer(text: str, names: Iterable[str]) -> str:
    """Suggests the likely name, or lists what exists."""
    known = sorted(set(names))
    if close := get_close_matches(text, known, n=1, cutoff=0.6):
        return f" (did you mean {close[0]}?)"
    return f"; there are {', '.join(known[:12])}{', …' if len(known) > 12 else ''}" if known else "; there are none"
