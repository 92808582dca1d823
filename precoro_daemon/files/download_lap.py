"""one lap of downloads, in rounds: a file that fails is tried again after the others"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from precoro_daemon.errors import (
    DaemonError,
    DiskFull,
    FatalError,
    FilesBlocked,
    KeyInDoubt,
    LockedOut,
    PermanentError,
    ServerFault,
    TemporaryError,
    TooLarge,
    most_severe,
)
from precoro_daemon.files.disk_room import DiskRoom
from precoro_daemon.files.downloading import Downloader, DownloadTask
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts, WantedFiles
from precoro_daemon.files.ports.progress import FileProgress
from precoro_daemon.files.reserve_paths import reserve_paths
from precoro_daemon.mirror.ports.mirror import Mirror, Quarantined
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.circuit_breaker import CircuitBreaker, Outcome, outcome_of
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_DOWNLOADS_A_READ = 50
"""Files read from the store in one step. The number is small, so that files that change meanwhile come first."""

_TRIES_A_LAP = 3
"""Attempts for one file in a lap. The second and third follow after all other files, because an identical call is
refused within a minute, and a server's trouble seldom ends within a second.
"""

_FILES_A_LOG_LINE = 100
"""Files between two lines in the log."""


@dataclass(slots=True)
class DownloadLap:
    """started_at  files that are quarantined until this time or later are left alone"""

    downloader: Downloader
    mirror: Mirror
    progress: FileProgress
    wanted: WantedFiles
    in_flight: int
    breaker: CircuitBreaker
    started_at: float
    room: DiskRoom = field(init=False)
    due: FileCounts = field(default_factory=lambda: FileCounts(0, 0))
    done: FileCounts = field(default_factory=lambda: FileCounts(0, 0))
    failed: list[str] = field(default_factory=list)
    again: list[DownloadTask] = field(default_factory=list)
    busy: set[tuple[str, int, int]] = field(default_factory=set)
    tries: int = 1
    ended: DaemonError | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def __post_init__(self) -> None:
        self.room = DiskRoom(self.downloader.store)

    async def run(self) -> None:
        self.due = await self.downloader.book.count_due_files(self.wanted, before=self.started_at)
        if not self.due.files:
            return
        await self._round(self._fresh())
        while self.again and self.tries < _TRIES_A_LAP and self.ended is None:
            self.tries += 1
            tasks, self.again = self.again, []
            await self._round(_each(tasks))
        self._log_counts()

    async def _round(self, tasks: AsyncIterator[DownloadTask]) -> None:
        send, receive = anyio.create_memory_object_stream[DownloadTask](0)
        async with anyio.create_task_group() as group, send, receive:
            self.scope = group.cancel_scope
            for number in range(self.in_flight):
                group.start_soon(self._work, receive.clone(), name=f"files {number}")
            receive.close()
            async for task in tasks:
                if self.ended is not None:
                    break
                await send.send(task)

    async def _fresh(self) -> AsyncIterator[DownloadTask]:
        """Yields due files that were not handed out yet."""
        book, store = self.downloader.book, self.downloader.store
        while True:
            limit = _DOWNLOADS_A_READ + len(self.busy)
            files = await book.due_files(self.wanted, before=self.started_at, limit=limit)
            files = [file for file in files if file.key not in self.busy]
            if not files:
                return
            self.busy.update(file.key for file in files)
            tasks, obstructed = await reserve_paths(book, store, files)
            for file, error in obstructed:
                await self._quarantine(file, error)
            while tasks:  # after a fault, an older file shows whether all fail or only the newest
                yield tasks.pop(-1 if self.breaker.faults else 0)

    async def _work(self, receive: MemoryObjectReceiveStream[DownloadTask]) -> None:
        async with receive:
            async for task in receive:
                if self.ended is None:
                    await self._settle(task)

    async def _settle(self, task: DownloadTask) -> None:
        try:
            await self._download(task)
        except FilesBlocked as error:
            self._hold_back(error)
        except TooLarge:
            self.busy.discard(task.file.key)  # its length is recorded, so it is no longer due
        except KeyInDoubt as error:
            self._end(error)
        except TemporaryError as error:
            self._feed_breaker(error)
            await self._later(task, error)
        except PermanentError as error:
            self._feed_breaker(error)
            await self._quarantine(task.file, error)
        except LockedOut as error:
            await self._quarantine(task.file, error)  # so that the next lap tries another file
            self._end(error)
        except DaemonError as error:
            self._end(error)

    def _end(self, error: DaemonError) -> None:
        self.ended = most_severe([error] if self.ended is None else [self.ended, error])
        if isinstance(error, FatalError | KeyInDoubt | ServerFault):
            self.scope.cancel()

    def _feed_breaker(self, error: DaemonError) -> None:
        """Reports a failure to the breaker, unless it shows nothing about the server.

        A broken connection may be the fault of the file; trouble that the server itself reports is not. Later
        rounds request failed files again, so their server faults show nothing new.
        """
        if isinstance(error, TemporaryError) and not (isinstance(error, ServerFault) and self.tries == 1):
            return
        self.breaker = self.breaker.after(outcome_of(error))
        if verdict := self.breaker.verdict(error):
            if isinstance(error, ServerFault):
                self.failed.append(str(error))
            self._end(verdict)

    async def _download(self, task: DownloadTask) -> None:
        await self.room.take(task.file.attachment.size or 0)
        kept = await self.downloader.download(task)
        self.breaker = self.breaker.after(Outcome.GOOD)
        self.room.correct(task.file.attachment.size or 0, kept.length)
        self.busy.discard(task.file.key)
        self.done = FileCounts(self.done.files + 1, self.done.bytes + kept.length)
        _log.debug("file_stored", path=kept.path, bytes=kept.length)
        self._show_progress()
        if self.done.files % _FILES_A_LOG_LINE == 0:
            self._log_counts()

    def _hold_back(self, error: FilesBlocked) -> None:
        """Stops downloads first: everything else on the disk continues, and downloads resume when there is space
        again.
        """
        if self.ended is None:
            self.ended = error
            how_much = "; reserve_bytes in [fetch_attachments] says how much" if isinstance(error, DiskFull) else ""
            self.failed.append(f"attached files wait: {error}{how_much}")
            _log.error("files_paused", reason=str(error))

    async def _later(self, task: DownloadTask, error: TemporaryError) -> None:
        if self.tries < _TRIES_A_LAP:
            _log.info("file_postponed", file=str(task.file), attempt=self.tries, reason=str(error))
            self.again.append(task)
        else:
            await self._quarantine(task.file, error)

    async def _quarantine(self, file: AttachedFile, error: DaemonError) -> None:
        """Quarantines the file. It stays in `busy`, so this lap does not try it again even if it becomes due."""
        now, attempts = self.downloader.clock.now(), file.attempts + 1
        self.failed.append(str(error) if str(file) in str(error) else f"{file}: {error}")
        _log.warning("file_failed", file=str(file), attempts=attempts, reason=str(error))
        of = (file.collection, file.attachment.id)
        item = Quarantined.failed(Stage.FILE, of, error, attempts, now, reason=self.failed[-1])
        with anyio.CancelScope(shield=True):  # the lap may have been cancelled
            await self.mirror.quarantine(item)
        self._show_progress()

    def _show_progress(self) -> None:
        self.progress.files_advanced(self.done, len(self.failed), self.due)

    def _log_counts(self) -> None:
        left = max(self.due.files - self.done.files - len(self.failed), 0)
        _log.info("files_advanced", done=self.done.files, bytes=self.done.bytes, failed=len(self.failed), due=left)


async def _each(tasks: Sequence[DownloadTask]) -> AsyncIterator[DownloadTask]:
    for task in tasks:
        yield task
