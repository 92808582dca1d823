"""what a person sees while a run goes on, and what it brought"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TextIO, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from precoro_daemon.cli.console import as_line
from precoro_daemon.files.ports.attachment_book import FileCounts
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.values.humanize import amount, span

_RATE_OVER_S = 60.0
"""Real seconds over which the rate of calls is measured."""


@dataclass(slots=True)
class _Row:
    """What is known of one collection in this run."""

    page: int = 0
    pages: int | None = None
    total: int | None = None
    rows: int = 0
    created: int = 0
    updated: int = 0
    rejected: int = 0
    listed: bool = False
    details: int = 0
    due: int = 0
    failed: int = 0

    @property
    def calls_left(self) -> int:
        pages = max((self.pages or self.page) - self.page, 0)
        return pages + max(self.due - self.details - self.failed, 0)


@dataclass(slots=True)
class _Files:
    """Attached files in this run. `began` and `seen`: when they were first and last heard of, in real seconds."""

    began: float
    seen: float
    done: FileCounts
    failed: int
    due: FileCounts

    @property
    def left(self) -> int:
        return max(self.due.files - self.done.files - self.failed, 0)


@dataclass(slots=True)
class LiveScreen:
    """Implements `ports.Progress` for a terminal: a line a collection, below them quota, rate and time to go."""

    console: Console
    clock: Clock
    _rows: dict[str, _Row] = field(default_factory=dict)
    _left: dict[str, int] = field(default_factory=dict)
    _calls: int = 0
    _recent: deque[float] = field(default_factory=deque)
    _waiting: tuple[str, float] | None = None
    _files: _Files | None = None

    def live(self) -> Live:
        """Shows itself four times a second while entered; what is printed meanwhile appears above."""
        return Live(console=self.console, get_renderable=self._render, refresh_per_second=4, transient=True)

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        row = self._row(collection)
        row.page, row.pages, row.total = scan.next_page - 1, scan.last_page or _pages(scan), scan.total
        row.rows, row.listed = scan.rows, scan.finished
        row.created += committed.created
        row.updated += committed.updated
        row.rejected += committed.rejected

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        row = self._row(collection)
        row.details, row.failed, row.due = done, failed, max(due, done + failed)

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        now = time.monotonic()
        began = now if self._files is None or done.files < self._files.done.files else self._files.began
        self._files = _Files(began, now, done, failed, due)

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        self._waiting = (f"the {window} window for {lane.name.lower()}", until)

    def outranked(self, lane: Lane) -> None:
        """Those that go first are shown."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        del lane  # all lanes spend the same quota
        now = time.monotonic()
        self._calls += 1
        self._left = dict(left)
        self._recent.append(now)
        while self._recent[0] < now - _RATE_OVER_S:
            self._recent.popleft()

    def answered(self, method: str, route: str, outcome: str) -> None:
        """Failures are in the summary."""

    def _row(self, collection: str) -> _Row:
        return self._rows.setdefault(collection, _Row())

    def _render(self) -> RenderableType:
        table = Table(box=None, padding=(0, 1), show_edge=False)
        for title, align in (("", "left"), ("list", "left"), ("", "right"), ("details", "left"), ("", "right")):
            table.add_column(as_line(title, style="dim"), justify=align)  # type: ignore[arg-type]
        for name, row in tuple(self._rows.items()):
            table.add_row(_title(name), *_list_cells(row), *_detail_cells(row))
        return Group(table, *self._file_lines(), as_line(), self._footer(), self._waiting_line())

    def _file_lines(self) -> Iterator[RenderableType]:
        """Count, bytes, rate, time to go."""
        if (files := self._files) is None:
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
        parts = [f"{self._calls:,} calls"]
        rate = self._rate()
        if rate:
            parts.append(f"{rate * 60:,.0f} a minute" if rate < 20 else f"{rate:,.0f} a second")
        parts += [f"{self._left[window]:,} left this {window}" for window in ("hour", "day") if window in self._left]
        if rate and self.calls_left:
            parts.append(f"about {span(self.calls_left / rate)} to go")
        return as_line(" · ".join(parts), style="bold")

    def _waiting_line(self) -> Text:
        if self._waiting is None:
            return as_line()
        window, until = self._waiting
        left = until - self.clock.now()
        return as_line(f"waiting for {window}: {span(left)}" if left > 1 else "", style="yellow")

    @property
    def calls_left(self) -> int:
        """Pages, details and files that are known to be due and were not fetched yet."""
        left = self._files.left if self._files else 0
        return left + sum(row.calls_left for row in tuple(self._rows.values()))

    def _rate(self) -> float:
        """Calls a second of real time, over the last minute."""
        seconds = self._recent[-1] - self._recent[0] if len(self._recent) > 1 else 0.0
        return (len(self._recent) - 1) / seconds if seconds > 0 else 0.0

    def summary(self) -> Table:
        """What this run brought, collection by collection."""
        table = Table(box=SIMPLE_HEAD, title=None)
        for title in ("collection", "listed", "new", "changed", "details", "failed", "unreadable"):
            table.add_column(title, justify="left" if title == "collection" else "right")
        for name, row in tuple(self._rows.items()):
            counts = (row.rows, row.created, row.updated, row.details, row.failed, row.rejected)
            table.add_row(_title(name), *(f"{count:,}" if count else "·" for count in counts))
        return table


def _pages(scan: Scan) -> int | None:
    if scan.total is None or scan.next_page <= 1:
        return None
    per_page = (scan.rows + scan.rejected) / (scan.next_page - 1)
    return max(scan.next_page - 1, round(scan.total / per_page)) if per_page else None


def _list_cells(row: _Row) -> tuple[RenderableType, str]:
    if row.listed:
        return as_line("✓", style="green"), f"{row.rows:,}"
    bar = ProgressBar(total=row.pages or 1, completed=row.page, width=16, pulse=row.pages is None)
    return bar, f"{row.rows:,} of {row.total:,}" if row.total is not None else f"{row.rows:,}"


def _detail_cells(row: _Row) -> tuple[RenderableType, str]:
    if not row.due:
        return as_line(), ""
    failed = f" ({row.failed} failed)" if row.failed else ""
    if row.details + row.failed >= row.due:
        return as_line("✓", style="green" if not row.failed else "yellow"), f"{row.details:,}{failed}"
    bar = ProgressBar(total=row.due, completed=row.details + row.failed, width=16)
    return bar, f"{row.details:,} of {row.due:,}{failed}"


def _title(name: str) -> str:
    return name.replace("_", " ")


class _Above:
    """A stream whose lines appear above what is shown live."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        """Every write is shown at once."""

    def isatty(self) -> bool:
        return False


def above(console: Console) -> TextIO:
    return cast("TextIO", _Above(console))
