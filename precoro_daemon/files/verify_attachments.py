"""compares kept files with what is known about them"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil

import anyio

from precoro_daemon.errors import DiskFault, FilesBlocked, FolderUnusable
from precoro_daemon.files.ports.attachment_book import AttachmentBook, FileCounts, StoredFile
from precoro_daemon.files.ports.object_store import ObjectStore
from precoro_daemon.runtime.ports import Clock

_FILES_A_READ = 500
_FILES_AT_ONCE = 4


@dataclass(slots=True)
class Verdict:
    """The result of checking files.

    damaged, missing  files that are due again now
    orphans           paths that no document's file has
    """

    good: FileCounts = field(default_factory=lambda: FileCounts(0, 0))
    damaged: list[StoredFile] = field(default_factory=list)
    missing: list[StoredFile] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def all_good(self) -> bool:
        return not (self.damaged or self.missing)


@dataclass(frozen=True, slots=True)
class VerifyAttachments:
    """Reads kept files again, starting with those that were read longest ago; damaged and missing ones become due.

    Orphans are reported and left alone; partial files of killed processes are removed.
    """

    book: AttachmentBook
    store: ObjectStore
    clock: Clock

    async def run(self, share: float) -> Verdict:
        """Checks a `share` of all files (0 to 1, rounded up), removes old partial files, and finds orphans."""
        verdict = Verdict()
        left = ceil(await self.book.count_stored() * share)
        # Later than any earlier stamp, even if our clock is behind the one that set it: each file is read once.
        stamp = max(self.clock.now(), await self.book.verified_last() + 1.0)
        while left > 0 and (files := await self.book.least_verified(min(left, _FILES_A_READ))):
            await self._verify(files, verdict, stamp)
            left -= len(files)
        await self.store.drop_partials(but=await self.book.begun())
        async for paths in self.store.paths():
            verdict.orphans += await self.book.orphans(paths)
        return verdict

    async def _verify(self, files: Sequence[StoredFile], verdict: Verdict, stamp: float) -> None:
        """Checks files. Raises BucketUnusable if the store itself cannot be used; then none of these files is
        judged.
        """
        limiter = anyio.CapacityLimiter(_FILES_AT_ONCE)
        blocked: list[FilesBlocked] = []

        async def check(stored: StoredFile) -> None:
            found: tuple[int, bytes] | None = (-1, b"")
            async with limiter:
                try:
                    with suppress(FolderUnusable, DiskFault):  # an unreadable file is damaged
                        found = await self.store.hash(stored.kept.path)
                except FilesBlocked as error:
                    blocked.append(error)
                    group.cancel_scope.cancel()
            if found == (stored.kept.length, stored.kept.sha256):
                verdict.good = FileCounts(verdict.good.files + 1, verdict.good.bytes + stored.kept.length)
            else:
                (verdict.missing if found is None else verdict.damaged).append(stored)

        async with anyio.create_task_group() as group:
            for stored in files:
                group.start_soon(check, stored, name=f"verify {stored.kept.path}")
        if blocked:
            raise blocked[0]
        wrong = {stored.file.key for stored in (*verdict.damaged, *verdict.missing)}
        await self.book.requeue([stored.file.key for stored in files if stored.file.key in wrong])
        await self.book.verified([stored.file.key for stored in files], at=stamp)
