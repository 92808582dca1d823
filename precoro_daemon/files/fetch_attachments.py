"""fetches missing files to disk"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.errors import FilesBlocked, FolderUnusable, KeyInDoubt
from precoro_daemon.files.download_lap import DownloadLap
from precoro_daemon.files.downloading import Downloader, Sizes
from precoro_daemon.files.follow_details import follow_details
from precoro_daemon.files.manifest import write_manifest
from precoro_daemon.files.ports.attachment_book import AttachmentBook, WantedFiles
from precoro_daemon.files.ports.object_store import ObjectStore
from precoro_daemon.files.ports.progress import FileProgress
from precoro_daemon.files.ports.source import AttachmentSource
from precoro_daemon.mirror.ports.change_log import ChangeLog
from precoro_daemon.mirror.ports.mirror import Mirror
from precoro_daemon.quota.circuit_breaker import MOST_FAULTS_IN_A_ROW, CircuitBreaker
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.runtime.keyed_lock import KeyedLock
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@dataclass(slots=True)
class FetchAttachments:
    """Fetches every file that the store says is missing, newest first; what fails is quarantined.

    stores     opens the directory of files for one lap
    in_flight  number of concurrent downloads
    patience   seconds after which a slow file is given up
    """

    source: AttachmentSource
    log: ChangeLog
    book: AttachmentBook
    mirror: Mirror
    stores: Callable[[], AbstractAsyncContextManager[ObjectStore]]
    clock: Clock
    progress: FileProgress
    wanted: WantedFiles
    in_flight: int
    patience: float
    breaker: CircuitBreaker = field(init=False)
    round_at: float | None = field(default=None, init=False)
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "fetch_attachments"

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(most_faults=self.in_flight + MOST_FAULTS_IN_A_ROW)

    async def due(self, now: float) -> bool:
        """Returns whether files are due. The first lap of a round also updates the manifest, even if none are."""
        self.round_at = now
        await follow_details(self.log, self.book)
        if self.rounds.due(now):
            return True
        if self.breaker.is_idle(self.clock.now()):
            return False
        return (await self.book.count_due_files(self.wanted, before=now)).files > 0

    async def lap(self) -> LapReport:
        """Does a lap. What failed in this round is left alone."""
        started_at = self.clock.now() if self.round_at is None else self.round_at
        await follow_details(self.log, self.book)
        try:
            async with self.stores() as store:
                report = await self._fill(store, started_at)
        except (FolderUnusable, FilesBlocked) as error:
            _log.error("files_paused", reason=str(error))
            report = LapReport(failed=[f"attached files: {error}"], ended=error)
        blocked = isinstance(report.ended, FolderUnusable | FilesBlocked)
        await self.book.hold_back(str(report.ended) if blocked else None, at=self.clock.now())
        self.rounds.lap_ended()
        return report

    async def _fill(self, store: ObjectStore, started_at: float) -> LapReport:
        await write_manifest(self.book, store)
        if store.capabilities.sweeps:
            await store.drop_partials(but=await self.book.begun())
        sizes = Sizes(*await self.book.sizes())
        downloader = Downloader(
            source=self.source,
            book=self.book,
            store=store,
            clock=self.clock,
            sizes=sizes,
            max_bytes=self.wanted.max_bytes,
            patience=self.patience,
            locks=KeyedLock(),
        )
        lap = DownloadLap(
            downloader, self.mirror, self.progress, self.wanted, self.in_flight, self.breaker.fresh(), started_at
        )
        try:
            await lap.run()
        finally:
            await write_manifest(self.book, store)
        await self._log_too_large()
        self.breaker = lap.breaker.at_end(lap.ended, self.clock.now())
        ended = None if isinstance(lap.ended, KeyInDoubt) else lap.ended
        return LapReport(brought=lap.done.files, failed=lap.failed, ended=ended)

    async def _log_too_large(self) -> None:
        if large := await self.book.too_large(self.wanted):
            _log.warning("files_omitted", count=len(large), file=str(large[0]), max_bytes=self.wanted.max_bytes)
