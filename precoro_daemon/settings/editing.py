"""changes one setting in a TOML file and keeps the rest as it was typed"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from precoro_daemon.settings.lines import line_numbers
from precoro_daemon.settings.writing import toml_value

_VALUE_IN_LINE = re.compile(r"""(\s*=\s*)("(?:\\.|[^"\\])*"|'[^']*'|[^\s#,]+)""")
"""The equals sign and the value after a key, if the value is on the same line."""


def with_setting(text: str, section: str, key: str, value: str | int) -> str:
    """Returns the document with this value.

    Raises ValueError if the document is written in a way that cannot be changed safely.
    """
    lines = text.split("\n")
    at_line = line_numbers(text)
    if (section, key) in at_line:
        at = at_line[section, key] - 1
        lines[at] = _replaced(lines[at], key, value)
    elif (section,) in at_line and lines[at_line[(section,)] - 1].lstrip().startswith("["):
        lines.insert(at_line[(section,)], f"{key} = {toml_value(value)}")
    elif (section,) in at_line:
        raise ValueError(f"{section} has no table of its own")
    else:
        lines = [*text.rstrip("\n").split("\n"), "", f"[{section}]", f"{key} = {toml_value(value)}", ""]
    changed = "\n".join(lines)
    _check(tomllib.loads(text), changed, section, {key: value})
    return changed


def _replaced(line: str, key: str, value: str | int) -> str:
    head, found, rest = line.partition(key)
    match = _VALUE_IN_LINE.match(rest.removeprefix('"').removeprefix("'"))
    if not found or match is None:
        raise ValueError(f"{key} is written in a way that cannot be changed here")
    quote = rest[: len(rest) - len(rest.removeprefix('"').removeprefix("'"))]
    tail = rest[len(quote) + match.end() :]
    return f"{head}{key}{quote}{match[1]}{toml_value(value)}{tail}"


def _check(before: Mapping[str, Any], changed: str, section: str, wanted: Mapping[str, str | int]) -> None:
    """Raises ValueError if anything besides the wanted values has changed its meaning."""
    expected = {**before, section: {**before.get(section, {}), **wanted}}
    try:
        after = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"the file would not be valid any more: {error}") from None
    if after != expected:
        raise ValueError("something else would change with it")
