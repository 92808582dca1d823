"""output for people as lines that fit their screen: sentences, and blocks that lay themselves out

This module does without rich, because importing rich takes longer than most commands run. A console of rich can print
these blocks too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from precoro_daemon.values.visible_text import visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

RULE = "─"
"""The character of the line below titles."""

PLAIN = str.maketrans(f"{RULE}▲●…·", "-!*.-")
"""Replacements for this program's own symbols where the output cannot show them. Each takes one column."""


class Line(NamedTuple):
    """One line of a screen. `style` is a list of words, such as "bold red"."""

    text: str
    style: str = ""


class Block:
    """Consecutive lines of output."""

    def lines(self, columns: int) -> Iterator[Line]:
        """Yields the lines. None is longer than `columns`, except for text that people copy, such as a command."""
        raise NotImplementedError

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        for line in self.lines(options.max_width):
            yield Text(line.text, style=line.style, no_wrap=True, overflow="ignore")


class Blocks(Block):
    """Several blocks, one below the other."""

    def __init__(self, *blocks: Block) -> None:
        self._blocks = blocks

    def lines(self, columns: int) -> Iterator[Line]:
        for block in self._blocks:
            yield from block.lines(columns)


class Sentence(Block):
    """Words for people. Control characters in them are made visible; line breaks at both ends are kept.

    whole  whether the sentence is never wrapped
    """

    def __init__(self, words: str = "", style: str = "", *, indent: int = 0, whole: bool = False) -> None:
        body = words.strip("\n")
        before, _, after = words.partition(body) if body else (words, "", "")
        self.text = f"{before}{visible(body)}{after}"
        self._style = style
        self._indent = indent
        self._whole = whole

    def lines(self, columns: int) -> Iterator[Line]:
        if self._whole:
            return (Line(line, self._style) for line in self.text.split("\n"))
        return laid_out(self.text, columns, self._style, indent=self._indent)


def laid_out(text: str, columns: int, style: str = "", *, indent: int = 0) -> Iterator[Line]:
    """Yields the lines of a text whose control characters are already visible.

    indent  empty columns before each line
    """
    for line in wrapped(text, max(columns - indent, 1)):
        yield Line(f"{' ' * indent}{line}" if line else "", style)


def wrapped(text: str, columns: int) -> Iterator[str]:
    """Yields the lines of a text, wrapped between words. A word that is longer than a line is cut."""
    for line in text.split("\n"):
        if cells(line) <= columns:
            yield line
        else:
            yield from _wrapped_line(line, columns)


def _wrapped_line(line: str, columns: int) -> Iterator[str]:
    row: str | None = None
    for word in line.split(" "):
        longer = word if row is None else f"{row} {word}"
        if cells(longer) <= columns:
            row = longer
            continue
        if row and row.strip():
            yield row.rstrip()
        *whole, row = _cut(word, columns)
        yield from whole
    if row:
        yield row


def _cut(word: str, columns: int) -> list[str]:
    parts = [""]
    for sign in word:
        if parts[-1] and cells(parts[-1] + sign) > columns:
            parts.append("")
        parts[-1] += sign
    return parts


def cells(text: str) -> int:
    """Returns the number of columns that a text takes."""
    if text.isascii() or text.translate(PLAIN).isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Returns the text with blanks added up to a width of `columns`.

    right  whether the text is aligned to the right
    """
    blanks = " " * (columns - cells(text))
    return f"{blanks}{text}" if right else f"{text}{blanks}"
