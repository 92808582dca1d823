"""a log line for people: short, and wrapped to the width of the screen"""

from __future__ import annotations

import textwrap
from collections.abc import MutableMapping, Sequence
from typing import Any

from precoro_daemon.values.visible_text import visible, visible_lines

_INDENT = 9
"""Columns that indent a continued line: the width of the time of day."""


_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "info": "\x1b[1m", "debug": "\x1b[2m"}
_COLOUR_END = "\x1b[0m"


def line_for_people(event: MutableMapping[str, Any], columns: int | None, *, is_colourful: bool) -> str:
    """Returns time, event and fields. A terminal gets the time of day only, and empty fields are left out.

    Foreign text is escaped. A traceback has lines of its own.
    """
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
    """Escapes foreign text."""
    if isinstance(value, bool | int | float):
        return value
    return visible(value if isinstance(value, str) else repr(value))


def wrapped(words: str, fields: Sequence[str], columns: int | None) -> list[str]:
    """Puts as many fields after the words as fit on a line, and breaks a longer field at its spaces.

    `columns` None puts all on one line.
    """
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
