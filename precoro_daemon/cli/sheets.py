"""tables that lose nothing: columns where there is room, else sentences below, else row by row"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from precoro_daemon.cli.output import is_verbose
from precoro_daemon.values.visible_text import visible

_NARROWEST = 30
"""Letters of a column of sentences, which may be wrapped; no other column is."""

_ENDLESS = 10_000


@dataclass
class Sheet:
    """Columns by their titles.

    right      of numbers
    sentences  the one that holds sentences
    wraps      others that are wrapped on a narrow screen, with the letters that they have there
    sparse     left out where no row has anything in them
    """

    titles: Sequence[str]
    right: Collection[str] = ()
    sentences: str | None = None
    sparse: Collection[str] = ()
    wraps: Mapping[str, int] = field(default_factory=dict)
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *cells: str | Sequence[str]) -> None:
        """Each cell one line, or several; nothing in it acts on the terminal."""
        texts = ([cell] if isinstance(cell, str) else cell for cell in cells)
        self.rows.append(tuple("\n".join(map(visible, lines)) for lines in texts))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in (self._table({}), self._table(self.wraps)):
            if Measurement.get(console, options.update(max_width=_ENDLESS), table).minimum <= options.max_width:
                yield table
                return
        if self.sentences and max(map(cell_len, self._lines)) <= options.max_width:
            yield from self._with_sentences_below()
        else:
            for row in self.rows:
                yield from self._row(row)

    @cached_property
    def _lines(self) -> Sequence[str]:
        """Titles, then the first line of each row, without the sentences; each column as wide as its longest cell."""
        columns = [
            [cell.partition("\n")[0] for cell in column] for column in self._columns() if column[0] != self.sentences
        ]
        widths = [max(map(cell_len, column)) for column in columns]
        return [
            "  ".join(
                " " * (width - cell_len(cell)) + cell if column[0] in self.right else set_cell_size(cell, width)
                for cell, column, width in zip(cells, columns, widths, strict=True)
            ).rstrip()
            for cells in zip(*columns, strict=True)
        ]

    def _with_sentences_below(self) -> RenderResult:
        titles, *lines = self._lines
        yield Text(titles, style="bold")
        for line, row in zip(lines, self.rows, strict=True):
            yield Text(line)
            cells = dict(zip(self.titles, row, strict=True))
            sentence = cells.pop(self.sentences or "")
            below = [cell.partition("\n")[2] for cell in cells.values()]
            if words := "\n".join(filter(None, (*below, sentence))):
                yield Padding(Text(words, style="dim"), (0, 0, 0, 4))
        yield Text()

    def _table(self, narrow: Mapping[str, int]) -> Table:
        columns = self._columns()
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for title, *cells in columns:
            longest = max((cell_len(line) for cell in (title, *cells) for line in cell.splitlines()), default=0)
            least = _NARROWEST if title == self.sentences else narrow.get(title, longest)
            table.add_column(
                title,
                justify="right" if title in self.right else "left",
                no_wrap=title != self.sentences and title not in narrow,
                min_width=min(longest, least),
                max_width=least if title in narrow else None,
            )
        for row in zip(*(cells for _, *cells in columns), strict=True):
            table.add_row(*map(Text, row))
        return table

    def _columns(self) -> list[tuple[str, ...]]:
        """Each with its title first."""
        columns = zip(self.titles, *self.rows, strict=True)
        return [column for column in columns if column[0] not in self.sparse or any(column[1:]) or is_verbose()]

    def _row(self, row: Sequence[str]) -> RenderResult:
        """Its first cell, then the others by their titles; sentences on lines of their own."""
        yield Text(row[0], style="bold")
        titles = [" ".join(title.split("\n")) for title in self.titles]
        cells = [
            cell if title == self.sentences else " ".join(cell.split("\n"))
            for title, cell in zip(titles, row, strict=True)
        ]
        others = [(title, cell) for title, cell in zip(titles[1:], cells[1:], strict=True) if cell]
        if said := ", ".join(f"{title} {cell}".strip() for title, cell in others if title != self.sentences):
            yield Padding(Text(said), (0, 0, 0, 2))
        for title, cell in others:
            if title == self.sentences:
                yield Padding(Text(cell), (0, 0, 0, 2))
