"""texts with {names} to fill in: addresses, headers, forms and JSON"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*)(?::(?P<form>[a-z]+))?\}", re.ASCII)
_FORMS = ("text", "int")
_AS_WRITTEN = "/:@!$&'()*+,;=~-._?%"
_ENDS_A_QUOTE = re.compile(r"[\"'\\\x00-\x1f]")

Values = Mapping[str, Any]


class TemplateError(ValueError):
    """Why a template cannot be used, or why a value does not fit into it."""


def plain(value: Any) -> str:
    """Returns a value as text: an amount with all its digits and no exponent, a day as 2026-01-31, "" for None."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
    return str(value)


def names_in(template: Any) -> Iterator[str]:
    """Yields every {name} in a text, or in the texts of a JSON value. Raises TemplateError for an unknown
    {name:form}.
    """
    match template:
        case str():
            for mark in _PLACEHOLDER.finditer(template):
                if mark["form"] not in (None, *_FORMS):
                    raise TemplateError(f"{mark[0]}: after the colon may stand {' or '.join(_FORMS)}")
                yield mark["name"]
        case Mapping():
            for held in template.values():
                yield from names_in(held)
        case list() | tuple():
            for held in template:
                yield from names_in(held)


def fill_text(template: str, values: Values) -> str:
    return _PLACEHOLDER.sub(lambda mark: plain(_value(mark, values)), template)


def fill_header(template: str, values: Values) -> str:
    """Fills a header. Only printable ASCII is accepted, so that no value can end it and begin another."""
    text = fill_text(template, values)
    if not (text.isascii() and text.isprintable()):
        raise TemplateError("a header cannot hold what is not printable ASCII")
    return text


def fill_address(template: str, values: Values) -> str:
    """Fills a path with query. Values are percent-encoded whole; the rest is kept, except for spaces and the like.

    A value that could end a quoted text is refused, because addresses often contain query languages.
    """

    def encoded(mark: re.Match[str]) -> str:
        text = plain(_value(mark, values))
        if _ENDS_A_QUOTE.search(text):
            raise TemplateError(f"{mark['name']} {text!r} has a quote in it, which cannot stand in an address")
        return quote(text, safe="")

    pieces, end = [], 0
    for mark in _PLACEHOLDER.finditer(template):
        pieces += [quote(template[end : mark.start()], safe=_AS_WRITTEN), encoded(mark)]
        end = mark.end()
    return "".join([*pieces, quote(template[end:], safe=_AS_WRITTEN)])


def fill_json(template: Any, values: Values) -> Any:
    """Fills a JSON value. A text that consists of one {name} becomes that value: an amount becomes a number with all
    its
    digits, None becomes null. {name:text} keeps text, {name:int} makes an integer.
    """
    match template:
        case str():
            mark = _PLACEHOLDER.fullmatch(template)
            return _json_value(mark, values) if mark else fill_text(template, values)
        case Mapping():
            return {name: fill_json(held, values) for name, held in template.items()}
        case list() | tuple():
            return [fill_json(held, values) for held in template]
    return template


def _json_value(mark: re.Match[str], values: Values) -> Any:
    value = _value(mark, values)
    match mark["form"], value:
        case "text", _:
            return plain(value)
        case "int", _:
            return _whole(mark["name"], value)
        case _, None | int() | Decimal():
            return value
        case _, date():
            return value.isoformat()
    return plain(value)


def _whole(name: str, value: Any) -> int:
    text = plain(value)
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise TemplateError(f"{name} is {text!r}, but a whole number is wanted here")
    return int(text)


def _value(mark: re.Match[str], values: Values) -> Any:
    try:
        return values[mark["name"]]
    except KeyError:
        raise TemplateError(f"nothing is known of {mark[0]} here") from None
