"""finds records with files, in collections whose details nothing else requests"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.errors import DaemonError, PermanentError, TemporaryError
from precoro_daemon.files.ports.attachment_book import AttachmentBook
from precoro_daemon.mirror.ports.precoro import ListRequest, Precoro
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import Scan, advance
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.rules.reach import Skew
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_WITH_FILES = Filter(attached_files_only=True)

_UNPROVED_REPEAT_S = 86_400.0
"""The most seconds until a whole listing that could not be proved complete is repeated."""


@dataclass(frozen=True, slots=True)
class FindAttachments:
    """Lists the records that have files: all of them at first and at intervals, else those that changed. A lap costs
    a call or two.

    After a listing of changes, the position moves only if the scan was proved complete. A whole listing always
    moves it, but is repeated within a day if it was not proved. An interrupted scan starts again; the records it
    found stay noted.

    overlap  seconds, as for the mirror
    every    seconds between two whole listings, as for the census
    skew     returns Precoro's skew in reading `modifiedSince`; listings from before it was found do not count
    """

    precoro: Precoro
    book: AttachmentBook
    clock: Clock
    collections: Sequence[Collection]
    overlap: float
    every: float
    skew: Callable[[], Awaitable[Skew]]
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "find_attachments"

    async def due(self, now: float) -> bool:
        return bool(self.collections) and self.rounds.due(now)

    async def lap(self) -> LapReport:
        report = await self._find()
        self.rounds.lap_ended()
        return report

    async def _find(self) -> LapReport:
        found, failed = 0, []
        for collection in self.collections:
            try:
                found += await self._list(collection)
            except (TemporaryError, PermanentError) as error:
                _log.warning("attachments_not_listed", collection=collection.name, reason=str(error))
                failed.append(f"{collection.name} with files: {error}")
            except DaemonError as error:
                return LapReport(found, failed, error)
        return LapReport(found, failed)

    async def _list(self, collection: Collection) -> int:
        at, whole_at = await self.book.listing(collection.name)
        skew = await self.skew()
        old = whole_at is None or self.clock.now() >= whole_at + self.every or whole_at < skew.found_at
        whole = at is None or old
        since = None if whole or at is None else at - self.overlap - skew.under(self.overlap)
        scan, found = await self._scan(collection, since)
        started = scan.started_at if scan.started_at is not None else self.clock.now()
        if whole:
            await self.book.save_listing(
                collection.name,
                started,
                started if scan.proved else started - self.every + min(self.every, _UNPROVED_REPEAT_S),
            )
        elif scan.proved:
            await self.book.save_listing(collection.name, started, whole_at)
        if found:
            _log.info("attachments_noted", collection=collection.name, count=found)
        return found

    async def _scan(self, collection: Collection, since: float | None) -> tuple[Scan, int]:
        scan = Scan(collection.name, "whole" if since is None else "changes", since, _WITH_FILES.fingerprint)
        seen, found = set[int](), 0
        wanted = ListRequest(collection, _WITH_FILES, since)
        async with self.precoro.scan(wanted, Lane.FILES, scan.next_page) as batches:
            async for pages in batches:
                ids = [record.id for page in pages for record in page.records]
                found += await self.book.note_with_attachments(collection.name, ids)
                seen.update(ids)
                scan = advance(scan, pages, len(seen))
        return scan, found
