"""the record of a run so far: by collection, its calls, files and payments"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from precoro_daemon.files.ports.attachment_book import FileCounts
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.payments.ports.progress import PaymentsAfterRun
from precoro_daemon.quota.limits import Lane

_RATE_OVER_S = 60.0
"""The period over which the rate of calls is measured, in real seconds."""


@dataclass(slots=True)
class CollectionRecord:
    """One collection in this run.

    details, due, failed  of the current lap
    fetched               details of the laps before it
    """

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
    fetched: int = 0

    @property
    def all_details(self) -> int:
        return self.fetched + self.details

    @property
    def calls_left(self) -> int:
        pages = max((self.pages or self.page) - self.page, 0)
        return pages + max(self.due - self.details - self.failed, 0)

    @property
    def is_done(self) -> bool:
        return self.listed and self.details + self.failed >= self.due

    @property
    def has_news(self) -> bool:
        return bool(self.created or self.updated or self.rejected or self.all_details or self.failed)


@dataclass(slots=True)
class FilesRecord:
    """Attached files in this run.

    began, seen  the first and the last progress report of the current lap, in real seconds
    """

    began: float
    seen: float
    done: FileCounts
    failed: int
    due: FileCounts

    @property
    def left(self) -> int:
        return max(self.due.files - self.done.files - self.failed, 0)


@dataclass(slots=True)
class RunRecord:
    """Implements `Progress` for the screen during a run and for the summary after it."""

    collections: dict[str, CollectionRecord] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    recent: deque[float] = field(default_factory=deque)
    waits: tuple[str, float] | None = None
    files: FilesRecord | None = None
    files_stored: FileCounts = field(default_factory=lambda: FileCounts(0, 0))
    payments: PaymentsAfterRun = field(default_factory=PaymentsAfterRun)
    began: float = field(default_factory=time.monotonic)

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        row = self._row(collection)
        row.page, row.pages, row.total = scan.next_page - 1, scan.last_page or _pages(scan), scan.total
        row.rows, row.listed = scan.rows, scan.finished
        row.created += committed.created
        row.updated += committed.updated
        row.rejected += committed.rejected

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        row = self._row(collection)
        if done + failed <= 1:  # another lap counts from nothing
            row.fetched += row.details
        row.details, row.failed, row.due = done, failed, max(due, done + failed)

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        now, before = time.monotonic(), self.files
        began = now if before is None else before.began
        if before is not None and done.files + failed <= 1:  # another lap counts from nothing
            self.files_stored = _sum(self.files_stored, before.done)
            began = now if before.done.files else before.began
        self.files = FilesRecord(began, now, done, failed, due)

    def payments_ended(self, found: PaymentsAfterRun) -> None:
        self.payments = found

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        self.waits = (f"the {window} window for {lane.name.lower()}", until)

    def outranked(self, lane: Lane) -> None:
        """Does nothing, because the screen shows the lanes that go first."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        del lane  # all lanes spend the same quota
        now = time.monotonic()
        self.calls += 1
        self.left = dict(left)
        self.recent.append(now)
        while self.recent[0] < now - _RATE_OVER_S:
            self.recent.popleft()

    def answered(self, method: str, route: str, outcome: str) -> None:
        """Does nothing, because the report contains the failures."""

    def _row(self, collection: str) -> CollectionRecord:
        return self.collections.setdefault(collection, CollectionRecord())

    @property
    def calls_left(self) -> int:
        """The pages, details and files that are known to be due and have not been fetched."""
        left = self.files.left if self.files else 0
        return left + sum(row.calls_left for row in tuple(self.collections.values()))

    @property
    def rate(self) -> float:
        """Calls per second of real time, over the last minute."""
        seconds = self.recent[-1] - self.recent[0] if len(self.recent) > 1 else 0.0
        return (len(self.recent) - 1) / seconds if seconds > 0 else 0.0

    @property
    def fetched(self) -> FileCounts:
        """The attached files that the run stored, in all its laps."""
        return _sum(self.files_stored, self.files.done) if self.files else self.files_stored


def _sum(one: FileCounts, other: FileCounts) -> FileCounts:
    return FileCounts(one.files + other.files, one.bytes + other.bytes)


def _pages(scan: Scan) -> int | None:
    if scan.total is None or scan.next_page <= 1:
        return None
    per_page = (scan.rows + scan.rejected) / (scan.next_page - 1)
    return max(scan.next_page - 1, round(scan.total / per_page)) if per_page else None
