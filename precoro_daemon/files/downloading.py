"""downloads one attached file: from its source, checked, to its name on the disk"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import anyio

from precoro_daemon.errors import (
    ConnectionFault,
    DiskFault,
    DiskFull,
    FolderUnusable,
    MalformedAnswer,
    PermanentError,
    TooLarge,
)
from precoro_daemon.files.ports.attachment_book import AttachedFile, AttachmentBook, Kept
from precoro_daemon.files.ports.object_store import ObjectStore, PartialFile
from precoro_daemon.files.ports.source import AttachmentSource, Incoming
from precoro_daemon.files.rules.attachments import sizes_are_bytes
from precoro_daemon.files.rules.bodies import Part, Received, flaw, too_slow
from precoro_daemon.runtime.keyed_lock import KeyedLock
from precoro_daemon.runtime.ports import Clock

_WORTH_TAKING_UP = 8 * 2**20
"""Bytes from which the start of a file is kept for a resume if the download is interrupted."""

_CHECKPOINT_BYTES = 64 * 2**20
_CHECKPOINT_S = 5.0
"""New data is made durable once it exceeds both the bytes above and these seconds, so a power failure costs no more
than the larger of the two. On a fast line, waiting for the disk at each 64 MiB would take as long as the transfer.
"""

_LAST_WORDS = 3.0
"""Seconds that a cancelled download may take to save what it has."""


@dataclass(slots=True)
class Sizes:
    """How many files had the length that their document gives, and how many distinct other lengths arrived."""

    confirmed: int
    contradicted: int

    def of(self, file: AttachedFile) -> int | None:
        """Returns the bytes that the file must have, None if unknown."""
        return file.attachment.size if sizes_are_bytes(self.confirmed, self.contradicted) else None


@dataclass(slots=True)
class DownloadTask:
    """A file to fetch to a path.

    there     SHA-256 of a file at the path that was never assigned to ours, None if there is none
    replaces  whether a file at the path may be an earlier one of ours
    part      what is already on disk of it
    """

    file: AttachedFile
    path: str
    there: bytes | None
    replaces: bool
    part: Part | None


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads files.

    max_bytes  larger files are not fetched
    patience   seconds after which a slow download is given up
    locks      one for each attachment, so that the second of two equal downloads finds the first one's file
    """

    source: AttachmentSource
    book: AttachmentBook
    store: ObjectStore
    clock: Clock
    sizes: Sizes
    max_bytes: int
    patience: float
    locks: KeyedLock

    async def download(self, task: DownloadTask) -> Kept:
        """Fetches the file to its path, or links it if the same attachment is kept elsewhere. On return it is durable
        and recorded.

        Raises TemporaryError, PermanentError, and errors that end a lap. Cancellation leaves a partial file if it
        can be resumed safely, else nothing.
        """
        async with self.locks.of(task.file.attachment.id):
            try:
                return await self._duplicate(task) or await self._fetch(task)
            except (PermanentError, MalformedAnswer):
                # The start of a file is worth keeping only if nothing but the connection failed.
                if task.part is not None:
                    task.part = None
                    await self.book.save_part(task.file, None)
                raise

    async def _duplicate(self, task: DownloadTask) -> Kept | None:
        """Links an attachment that another document shares, without a second call. Returns None if it cannot be
        linked.
        """
        if not task.file.shared or task.there:
            return None
        known = await self.book.kept_elsewhere(task.file)
        kept = None if known is None else await self.store.link(known, task.path, replaces=task.replaces)
        if kept is not None:
            await self.book.save_kept(task.file, kept, at=self.clock.now())
        return kept

    async def _fetch(self, task: DownloadTask) -> Kept:
        """Downloads the file, checks it and records it.

        The partial file is opened first, so that no call is made for a file that the disk cannot hold.
        """
        file, begun = task.file, task.part.length if task.part else 0
        async with self.store.partial_file(task.path, take_up=begun, replaces=task.replaces) as partial:
            part = task.part if partial.length else None
            async with self.source.open(file.attachment.id, part, self.sizes.of(file)) as incoming:
                if partial.length and not incoming.start:
                    task.part = None
                    await self.book.save_part(file, None)  # first, because its bytes will be overwritten
                    await partial.restart()
                await self._copy(task, incoming, partial)
                await self._judge(file, incoming, partial)
            kept = await self._keep(partial, task)
        same = await self.book.save_kept(file, kept, at=self.clock.now())
        if same is not None and self.store.capabilities.links:
            with suppress(FolderUnusable, DiskFull, DiskFault):  # a second copy does no harm
                await self.store.link(same, kept.path, replaces=True)
        return kept

    async def _copy(self, task: DownloadTask, incoming: Incoming, partial: PartialFile) -> None:
        """Copies the body piece by piece. If the connection breaks or the copy is cancelled, it saves a large enough
        part for a resume.
        """
        if incoming.length is not None and incoming.length > self.max_bytes:
            raise await self._too_large(task.file, incoming.length)
        try:
            await self._take(task, incoming, partial)
        except ConnectionFault:
            await self._save_part(task, incoming, partial, least=_WORTH_TAKING_UP)
            raise
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_LAST_WORDS, shield=True):
                await self._save_part(task, incoming, partial, least=_WORTH_TAKING_UP)
            raise

    async def _take(self, task: DownloadTask, incoming: Incoming, partial: PartialFile) -> None:
        file, received, counted = task.file, incoming.start, incoming.start
        started = saved_at = anyio.current_time()
        most = self.sizes.of(file) if self.sizes.confirmed else None
        while piece := await incoming.piece():
            received += len(piece)
            if received > self.max_bytes:
                raise await self._too_large(file, received)
            if most is not None and received > most:
                raise MalformedAnswer(f"{file}: more came than the {most:,} bytes that it has")
            now = anyio.current_time()
            if too_slow(received - incoming.start, now - started, self.patience):
                raise ConnectionFault(f"{file}: it comes too slowly")
            await partial.write(piece)
            if received - counted >= _CHECKPOINT_BYTES:
                counted = received
                await self._keep_the_reserve()
                if now - saved_at >= _CHECKPOINT_S:
                    saved_at = now
                    await self._save_part(task, incoming, partial, least=0)

    async def _keep_the_reserve(self) -> None:
        if await self.store.room() <= 0:
            raise DiskFull("the disk has no more room than it must keep")

    async def _too_large(self, file: AttachedFile, length: int) -> PermanentError:
        """Returns the error, and records the length so that the file is not requested again. If the document gives
        another size, the length is not recorded, because the answer may be wrong.
        """
        size = self.sizes.of(file)
        if size is not None:
            return PermanentError(f"{file}: more than max_bytes came, though the document says {size:,} bytes")
        await self.book.note_size(file, length)
        return TooLarge(f"{file}: it has {length:,} bytes or more, and max_bytes allows {self.max_bytes:,}")

    async def _save_part(self, task: DownloadTask, incoming: Incoming, partial: PartialFile, *, least: int) -> None:
        if incoming.validator and partial.length >= least:
            task.part = Part(await partial.checkpoint(), incoming.validator)
            await self.book.save_part(task.file, task.part)

    async def _judge(self, file: AttachedFile, incoming: Incoming, partial: PartialFile) -> None:
        size = file.attachment.size
        received = Received(partial.length, partial.beginning, incoming.framed, incoming.as_file)
        if (reason := flaw(file.attachment.kind, self.sizes.of(file), received)) is None:
            if size and size == partial.length:
                self.sizes.confirmed += 1
            return
        if incoming.framed and size is not None and size != partial.length:
            await self.book.note_size(file, partial.length)
            _, self.sizes.contradicted = await self.book.sizes()
        raise MalformedAnswer(f"{file}: {reason}")

    async def _keep(self, partial: PartialFile, task: DownloadTask) -> Kept:
        if task.there is None:
            return await partial.keep()
        if task.there != await partial.hashed():
            raise FolderUnusable(f"{task.file}: another file bears its name, {task.path}; move it away")
        return Kept(task.path, partial.length, task.there)
