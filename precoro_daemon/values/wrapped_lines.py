"""a line of the log for people: short, and several where the screen is narrower than it"""

from __future__ import annotations

import textwrap
from collections.abc import MutableMapping, Sequence
from typing import Any

from precoro_daemon.values.visible_text import visible, visible_lines

_INDENT = 9
"""Columns before what continues a line: as much as the time of day takes."""


_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "info": "\x1b[1m", "debug": "\x1b[2m"}
_COLOUR_END = "\x1b[0m"


def line_for_people(event: MutableMapping[str, Any], columns: int | None, *, is_colourful: bool) -> str:
    """When, what, then the fields. On a terminal, which has columns, the time is that of the day, and what there is
    none of goes without saying. Foreign text acts on nothing. A traceback has lines of its own."""
    at, level, name = (str(event.pop(key)) for key in ("timestamp", "level", "event"))
    traceback = event.pop("exception", None)
    shown = {key: _shown(value) for key, value in event.items() if value is not None}
    if columns is not None:
        shown = {key: value for key, value in shown.items() if value != 0 or isinstance(value, bool)}
    at = f"{at[:19]}Z" if columns is None else at[11:19]
    words = f"{at} {'' if level == 'info' else f'{level} '}{name}"
    lines = wrapped(words, [f"{key}={value}" for key, value in shown.items()], columns)
    if is_colourful and level in _COLOURS:
        lines[0] = f"{at} {_COLOURS[level]}{lines[0].removeprefix(f'{at} ')}{_COLOUR_END}"
    return "\n".join([*lines, visible_lines(traceback)] if traceback else lines)


def _shown(value: Any) -> Any:
    """Foreign text acts on no terminal."""
    if isinstance(value, bool | int | float):
        return value
    return visible(value if isinstance(value, str) else repr(value))


def wrapped(words: str, fields: Sequence[str], columns: int | None) -> list[str]:
    """The fields behind the words, as many as a line holds; one that is longer than a line is broken at its spaces.
    `columns`: None: all on one line."""
    if columns is None:
        return [" ".join((words, *fields))]
    lines, width, begin = [words], max(columns, 2 * _INDENT), " " * _INDENT
    for field in fields:
        if len(lines[-1]) + 1 + len(field) <= width:
            lines[-1] += f" {field}"
        else:
            lines += textwrap.wrap(
                field,
                width,
                initial_indent=begin,
                subsequent_indent=f"{begin}  ",
                break_long_words=False,
                break_on_hyphens=False,
            ) or [begin]
    return lines
