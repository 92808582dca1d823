"""finds the line of each table, key and list item of a TOML document"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

_TOML_TOKEN = re.compile(
    r'''
      (?P<text> """ (?: \\. | [^\\] )*? "{3,5} | \'\'\' .*? '{3,5} | " (?: \\. | [^"\\] )* " | ' [^']* ' )
    | (?P<end> \n )
    | (?P<mark> [\[\]{},=.] )
    | (?P<bare> [^\s\[\]{},=.#"']+ )
    | (?P<nothing> [^\S\n]+ | \#[^\n]* )
    ''',
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def line_numbers(document: str) -> dict[KeyPath, int]:
    """Returns the line of each table, key and list item of a valid TOML document, by path. A list item's path ends
    with its index.
    """
    return _Locator(document).lines


class _Locator:
    """Reads only the structure of a document. It checks nothing, because tomllib has already accepted the
    document.
    """

    def __init__(self, document: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        self._tokens = _tokens(document)
        self._next = next(self._tokens, None)
        self._read_document()

    def _read_document(self) -> None:
        table: KeyPath = ()
        while self._next:
            if self._skip("\n"):
                continue
            table = self._read_header() if self._next.text == "[" else self._read_pair(table)

    def _read_header(self) -> KeyPath:
        line = self._take().line
        is_list = self._skip("[")
        path: KeyPath = ()
        for key in self._read_key():
            path = self._in_last_table((*path, key))
            self.lines.setdefault(path, line)
        self._skip("]")
        self._skip("]")
        return self._open_table(path, line) if is_list else path

    def _open_table(self, path: KeyPath, line: int) -> KeyPath:
        """Opens the next item of a list of tables. From then on, the name in `[[a]]` refers to this item."""
        name = path[:-1] if path and isinstance(path[-1], int) else path
        self._tables[name] = self._tables.get(name, -1) + 1
        path = self._in_last_table(name)
        self.lines[path] = line
        return path

    def _in_last_table(self, path: KeyPath) -> KeyPath:
        return (*path, self._tables[path]) if path in self._tables else path

    def _read_pair(self, table: KeyPath) -> KeyPath:
        assert self._next
        line = self._next.line
        path = table
        for key in self._read_key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._skip("=")
        self._read_value(path)
        return table

    def _read_key(self) -> list[str]:
        keys = [self._read_name()]
        while self._skip("."):
            keys.append(self._read_name())
        return keys

    def _read_name(self) -> str:
        token = self._take()
        return str(tomllib.loads(f"name = {token.text}")["name"]) if token.kind == "text" else token.text

    def _read_value(self, path: KeyPath) -> None:
        if self._skip("["):
            self._read_items(path)
        elif self._skip("{"):
            self._read_inline_table(path)
        else:
            # A number or a date may be several tokens: 1.5, 2026-01-31 08:00:00.
            while self._next and self._next.text not in {"\n", ",", "]", "}"}:
                self._take()

    def _read_items(self, path: KeyPath) -> None:
        index = 0
        while not self._skip("]"):
            if self._skip("\n"):
                continue
            if self._skip(","):
                index += 1
                continue
            assert self._next
            self.lines[*path, index] = self._next.line
            self._read_value((*path, index))

    def _read_inline_table(self, path: KeyPath) -> None:
        while not self._skip("}"):
            if not (self._skip(",") or self._skip("\n")):
                self._read_pair(path)

    def _take(self) -> _Token:
        token = self._next
        assert token
        self._next = next(self._tokens, None)
        return token

    def _skip(self, mark: str) -> bool:
        """Consumes the next token if it is this mark, and returns whether it was. A string is never a mark, because
        its token includes its quotes.
        """
        found = self._next is not None and self._next.text == mark
        if found:
            self._take()
        return found


def _tokens(document: str) -> Iterator[_Token]:
    line = 1
    for match in _TOML_TOKEN.finditer(document):
        if match.lastgroup != "nothing":
            yield _Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
