"""tables that lose nothing: side by side where the screen is wide enough, else row by row"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from precoro_daemon.values.visible_text import visible

_NARROWEST = 30
"""Letters of a column of sentences, which may be wrapped; no other column is."""

_ENDLESS = 10_000


@dataclass
class Sheet:
    """right: titles of columns of numbers; sentences: of the one column that holds sentences; sparse: of columns that
    are left out where no row has anything in them"""

    titles: Sequence[str]
    right: Collection[str] = ()
    sentences: str | None = None
    sparse: Collection[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *cells: str | Sequence[str]) -> None:
        """Each cell one line, or several; nothing in it acts on the terminal."""
        texts = ([cell] if isinstance(cell, str) else cell for cell in cells)
        self.rows.append(tuple("\n".join(map(visible, lines)) for lines in texts))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        if Measurement.get(console, options.update(max_width=_ENDLESS), table).minimum <= options.max_width:
            yield table
        else:
            for row in self.rows:
                yield from self._row(row)

    def _table(self) -> Table:
        table = Table(box=SIMPLE_HEAD)
        for title, *cells in self._columns():
            longest = max((cell_len(line) for cell in (title, *cells) for line in cell.splitlines()), default=0)
            least = min(longest, _NARROWEST) if title == self.sentences else longest
            table.add_column(
                title,
                justify="right" if title in self.right else "left",
                no_wrap=title != self.sentences,
                min_width=least,
            )
        for row in zip(*(cells for _, *cells in self._columns()), strict=True):
            table.add_row(*map(Text, row))
        return table

    def _columns(self) -> list[tuple[str, ...]]:
        """Each with its title first."""
        columns = zip(self.titles, *self.rows, strict=True)
        return [column for column in columns if column[0] not in self.sparse or any(column[1:])]

    def _row(self, row: Sequence[str]) -> RenderResult:
        """Its first cell, then the others by their titles; sentences on lines of their own."""
        yield Text(row[0], style="bold")
        others = [(title, cell) for title, cell in zip(self.titles[1:], row[1:], strict=True) if cell]
        if said := ", ".join(f"{title} {cell}".strip() for title, cell in others if title != self.sentences):
            yield Padding(Text(said), (0, 0, 0, 2))
        for title, cell in others:
            if title == self.sentences:
                yield Padding(Text(cell), (0, 0, 0, 2))
