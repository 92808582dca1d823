"""tables that lose nothing: in columns if there is room, else with sentences below, else row by row"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from precoro_daemon.cli.lines import RULE, Block, Line, cells, laid_out, padded, wrapped
from precoro_daemon.cli.output import is_verbose
from precoro_daemon.values.visible_text import visible

_NARROWEST = 30
"""The least width of the column of sentences. Only this column and those of `wraps` may be wrapped."""

_GAP = "  "
"""The gap between two columns."""

_Column = tuple[str, ...]
"""A title, then a cell for each row."""


class Sheet(Block):
    """A table whose columns are named by their titles.

    right      columns aligned to the right, for numbers
    sentences  the column that holds sentences
    wraps      columns that are wrapped on a narrow screen, with their width there
    sparse     columns that are left out if no row has anything in them
    """

    def __init__(
        self,
        titles: Sequence[str],
        *,
        right: Collection[str] = (),
        sentences: str | None = None,
        sparse: Collection[str] = (),
        wraps: Mapping[str, int] | None = None,
    ) -> None:
        self._titles = titles
        self._right = right
        self._sentences = sentences
        self._sparse = sparse
        self._wraps = wraps or {}
        self.rows: list[Sequence[str]] = []

    def add(self, *row: str | Sequence[str]) -> None:
        """Adds a row. A cell is one line or several. Control characters are made visible."""
        texts = ([cell] if isinstance(cell, str) else cell for cell in row)
        self.rows.append(tuple("\n".join(map(visible, lines)) for lines in texts))

    def lines(self, columns: int) -> Iterator[Line]:
        shown = self._columns()
        for narrow in ({}, self._wraps):
            if widths := self._widths(shown, columns, narrow):
                yield from self._table(shown, widths)
                return
        if self._sentences and max(map(cells, self._first_lines(shown))) <= columns:
            yield from self._with_sentences_below(shown, columns)
        else:
            for row in self.rows:
                yield from self._row(row, columns)

    def _widths(self, shown: Sequence[_Column], columns: int, narrow: Mapping[str, int]) -> Sequence[int]:
        """Returns the width of each column, or () if there is no room for all. The sentences get the remaining
        width.
        """
        most = [max(cells(line) for cell in column for line in cell.split("\n")) for column in shown]
        widths = [
            min(most_of_it, narrow.get(title, most_of_it))
            for (title, *_), most_of_it in zip(shown, most, strict=True)
        ]
        at = next((number for number, (title, *_) in enumerate(shown) if title == self._sentences), None)
        if at is not None:
            widths[at] = max(min(most[at], _NARROWEST), *(cells(word) for cell in shown[at] for word in cell.split()))
        left = columns - sum(widths) - len(_GAP) * len(widths)
        if left < 0:
            return ()
        if at is not None:
            widths[at] = min(most[at], widths[at] + left)
        return widths

    def _table(self, shown: Sequence[_Column], widths: Sequence[int]) -> Iterator[Line]:
        titles, *rows = zip(*shown, strict=True)
        yield Line("")
        for line in self._laid_out(titles, shown, widths, bottom=True):
            yield Line(line, "bold")
        yield Line(f" {RULE * (sum(widths) + len(_GAP) * (len(widths) - 1))}")
        for row in rows:
            yield from map(Line, self._laid_out(row, shown, widths))
        yield Line("")

    def _laid_out(
        self, row: _Column, shown: Sequence[_Column], widths: Sequence[int], *, bottom: bool = False
    ) -> Iterator[str]:
        """Yields the lines of one row.

        bottom  whether short cells are aligned to the bottom, as titles are
        """
        stacks = [list(wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, stacks))
        blank = [[""] * (height - len(stack)) for stack in stacks]
        full = [above + stack if bottom else stack + above for above, stack in zip(blank, stacks, strict=True)]
        for line in zip(*full, strict=True):
            yield f" {self._joined(line, shown, widths)}"

    def _joined(self, line: Sequence[str], shown: Sequence[_Column], widths: Sequence[int]) -> str:
        return _GAP.join(
            padded(cell, width, right=title in self._right)
            for cell, (title, *_), width in zip(line, shown, widths, strict=True)
        ).rstrip()

    def _first_lines(self, shown: Sequence[_Column]) -> Sequence[str]:
        """Returns the titles, then the first line of each row, without sentences. Each column is as wide as its
        longest cell.
        """
        columns = [
            tuple(cell.partition("\n")[0] for cell in column) for column in shown if column[0] != self._sentences
        ]
        widths = [max(map(cells, column)) for column in columns]
        return [self._joined(line, columns, widths) for line in zip(*columns, strict=True)]

    def _with_sentences_below(self, shown: Sequence[_Column], columns: int) -> Iterator[Line]:
        titles, *lines = self._first_lines(shown)
        yield Line(titles, "bold")
        for line, row in zip(lines, self.rows, strict=True):
            yield Line(line)
            by_title = dict(zip(self._titles, row, strict=True))
            sentence = by_title.pop(self._sentences or "")
            below = [cell.partition("\n")[2] for cell in by_title.values()]
            if words := "\n".join(filter(None, (*below, sentence))):
                yield from laid_out(words, columns, "dim", indent=4)
        yield Line("")

    def _columns(self) -> list[_Column]:
        columns = zip(self._titles, *self.rows, strict=True)
        return [column for column in columns if column[0] not in self._sparse or any(column[1:]) or is_verbose()]

    def _row(self, row: Sequence[str], columns: int) -> Iterator[Line]:
        """Yields a row as its first cell, then the others with their titles. Sentences have lines of their own."""
        yield from laid_out(row[0], columns, "bold")
        titles = [" ".join(title.split("\n")) for title in self._titles]
        texts = [
            cell if title == self._sentences else " ".join(cell.split("\n"))
            for title, cell in zip(titles, row, strict=True)
        ]
        others = [(title, cell) for title, cell in zip(titles[1:], texts[1:], strict=True) if cell]
        if said := ", ".join(f"{title} {cell}".strip() for title, cell in others if title != self._sentences):
            yield from laid_out(said, columns, indent=2)
        for title, cell in others:
            if title == self._sentences:
                yield from laid_out(cell, columns, indent=2)
