"""the live screen during a run"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.run_record import CollectionRecord, RunRecord
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.values.humanize import amount, many, span

_REFRESHES_A_SECOND = 2
"""Enough to show that it works. More would flicker on slow terminals."""

_LINES_BESIDE = 9
"""The lines of the screen besides the collections: title, files, calls, what it waits for, and the prompt."""


class LiveScreen(RunRecord):
    """Implements `Progress` for a terminal: a line for each collection, then quota, rate and remaining time."""

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__()
        self.console = console
        self.clock = clock

    def live(self) -> Live:
        """Returns the display, which is shown while entered. Output printed meanwhile appears above it."""
        return Live(
            console=self.console, get_renderable=self._render, refresh_per_second=_REFRESHES_A_SECOND, transient=True
        )

    def _render(self) -> RenderableType:
        table = Table(box=None, padding=(0, 1), show_edge=False)
        for title, align in (("", "left"), ("list", "left"), ("", "right"), ("details", "left"), ("", "right")):
            table.add_column(as_line(title, style="dim"), justify=align)  # type: ignore[arg-type]
        shown = self._shown()
        for name, row in shown.items():
            table.add_row(name.replace("_", " "), *_list_cells(row), *_detail_cells(row))
        over = len(self.collections) - len(shown)
        lines = [as_line(f" {many(over, 'other list')} done", style="dim")] if over else []
        return Group(table, *lines, *self._file_lines(), as_line(), self._footer(), self._waiting_line())

    def _shown(self) -> dict[str, CollectionRecord]:
        """Returns all collections if there is room, otherwise the first ones that are not done."""
        rows, room = dict(self.collections), max(self.console.height - _LINES_BESIDE, 1)
        if len(rows) <= room:
            return rows
        busy = [name for name, row in rows.items() if not row.is_done][:room]
        return {name: rows[name] for name in busy}

    def _file_lines(self) -> Iterator[RenderableType]:
        """Yields count, bytes, rate and remaining time of the files."""
        if (files := self.files) is None:
            return
        parts = [f"files  {files.done.files:,} of {files.due.files:,}", amount(files.done.bytes)]
        if files.failed:
            parts.append(f"{files.failed:,} failed")
        if (spent := files.seen - files.began) > 1:
            parts.append(f"{amount(files.done.bytes / spent)} a second")
            if files.left and files.done.files:
                parts.append(f"about {span(files.left * spent / files.done.files)} to go")
        yield as_line()
        yield as_line(" · ".join(parts))

    def _footer(self) -> Text:
        parts = [f"{self.calls:,} calls"]
        rate = self.rate
        if rate:
            parts.append(f"{rate * 60:,.0f} a minute" if rate < 20 else f"{rate:,.0f} a second")
        parts += [f"{self.left[window]:,} left this {window}" for window in ("hour", "day") if window in self.left]
        if rate and self.calls_left:
            parts.append(f"about {span(self.calls_left / rate)} to go")
        return as_line(" · ".join(parts), style="bold")

    def _waiting_line(self) -> Text:
        if self.waits is None:
            return as_line()
        window, until = self.waits
        left = until - self.clock.now()
        return as_line(f"waiting for {window}: {span(left)}" if left > 1 else "", style="yellow")


def _list_cells(row: CollectionRecord) -> tuple[RenderableType, str]:
    if row.listed:
        return as_line("✓", style="green"), f"{row.rows:,}"
    bar = ProgressBar(total=row.pages or 1, completed=row.page, width=16)
    return bar, f"{row.rows:,} of {row.total:,}" if row.total is not None else f"{row.rows:,}"


def _detail_cells(row: CollectionRecord) -> tuple[RenderableType, str]:
    if not row.due:
        return as_line(), ""
    failed = f" ({row.failed} failed)" if row.failed else ""
    if row.details + row.failed >= row.due:
        return as_line("✓", style="green" if not row.failed else "yellow"), f"{row.details:,}{failed}"
    bar = ProgressBar(total=row.due, completed=row.details + row.failed, width=16)
    return bar, f"{row.details:,} of {row.due:,}{failed}"


class _Above:
    """A stream whose lines appear above the live display."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        """Does nothing, because every write is shown at once."""

    def isatty(self) -> bool:
        return False


def width_of(console: Console) -> Callable[[], int]:
    """Returns a function that returns the console's current width."""
    return lambda: console.width


def above(console: Console) -> TextIO:
    return cast("TextIO", _Above(console))
