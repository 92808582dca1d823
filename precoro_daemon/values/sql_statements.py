"""named parameters in an SQL statement, kept apart from strings, comments and casts"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["sqlite", "postgresql", "mysql"]

_STRING = r"'(?:[^']|'')*'"
_STRING_WITH_BACKSLASHES = r"'(?:\\.|''|[^'\\])*'"
_LEFT_ALONE: Mapping[Dialect, tuple[str, ...]] = {
    # SQLite takes [any name] for a quoted name.
    "sqlite": (_STRING, r"\[[^\]]*\]"),
    # $$...$$ and $tag$...$tag$ are strings; E'...' knows backslashes, '...' does not.
    "postgresql": (
        rf"(?<![\w$])[eE]{_STRING_WITH_BACKSLASHES}",
        _STRING,
        r"(?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$",
    ),
    "mysql": (_STRING_WITH_BACKSLASHES, r'"(?:\\.|""|[^"\\])*"', r"\#[^\n]*"),
}
_LEFT_ALONE_EVERYWHERE = (r'"(?:[^"]|"")*"', r"`[^`]*`", r"--[^\n]*", r"/\*.*?\*/", "::", ":=")
_PARAMETER = r"(?<![\w:\]]):(?P<name>[A-Za-z_]\w*)"
_NOT_CLOSED = r"(?P<open>['\"`]|/\*)"


class StatementError(ValueError):
    """Why a statement cannot be used."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL cut at its parameters: texts[0], names[0], texts[1], …"""

    texts: tuple[str, ...]
    names: tuple[str, ...]

    def for_colons(self) -> str:
        """The statement as written: `:name`."""
        return self._joined(self.texts, [f":{name}" for name in self.names])

    def for_percent(self) -> str:
        """The statement with `%s`, and with every other % doubled, also in strings and comments.

        Not `%(name)s`: PostgreSQL would use one parameter for a name that occurs twice, and refuse it if the two
        places
        have different types.
        """
        return self._joined(tuple(text.replace("%", "%%") for text in self.texts), ["%s"] * len(self.names))

    def in_order(self, values: Mapping[str, Any]) -> list[Any]:
        """Returns the values in the order of `for_percent`."""
        return [values[name] for name in self.names]

    @staticmethod
    def _joined(texts: tuple[str, ...], marks: list[str]) -> str:
        return "".join(text + mark for text, mark in zip(texts, [*marks, ""], strict=True))


def parse(sql: str, dialect: Dialect) -> Statement:
    """Parses a statement. Raises StatementError if a quote or a comment is not closed."""
    texts, names, end, text = [], [], 0, ""
    for match in _tokens(dialect).finditer(sql):
        text += sql[end : match.start()]
        end = match.end()
        if match["open"]:
            line = sql.count("\n", 0, match.start()) + 1
            raise StatementError(f"{match['open']} in line {line} of the statement is not closed")
        if match["name"]:
            texts.append(text)
            names.append(match["name"])
            text = ""
        else:
            text += match[0]
    return Statement((*texts, text + sql[end:]), tuple(names))


def _tokens(dialect: Dialect) -> re.Pattern[str]:
    patterns = (*_LEFT_ALONE[dialect], *_LEFT_ALONE_EVERYWHERE, _PARAMETER, _NOT_CLOSED)
    return re.compile("|".join(patterns), re.DOTALL)
