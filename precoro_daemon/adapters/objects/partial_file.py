"""a file being written: its own temporary name, fsync, the final name, fsync of the folder"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from io import FileIO
from types import TracebackType
from typing import Self

import anyio.lowlevel
from aiofiles.threadpool import wrap

from precoro_daemon.adapters.host.threads import run_to_end, to_end
from precoro_daemon.adapters.objects.failures import explained
from precoro_daemon.adapters.objects.paths import FILE_MODE, give_name, parent, partial_of, unlink
from precoro_daemon.files.ports.attachment_book import Kept
from precoro_daemon.files.rules.bodies import BEGINNING

_WRITE_BLOCK_BYTES = 2**20
"""Bytes that are hashed and written in one step. A trip to a thread costs more than most attached files, so a file up
to
this size makes only two: one to open it, and one to hash, write, sync and rename it.
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a file is written.

    root      the descriptor of the directory
    path      the path below it
    executor  the threads for blocking work
    spare     memory blocks that no file is using: allocating new ones takes as long as hashing a file
    replaces  the path holds an earlier file of ours
    """

    root: int
    path: str
    executor: Executor
    spare: list[bytearray]
    replaces: bool


class _HashedFile(FileIO):
    """Hashes and writes data in one trip to a thread."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb")
        self.hashed = hashlib.sha256()

    def writelines(self, lines: Iterable[memoryview]) -> None:  # type: ignore[override]
        for left in lines:
            self.hashed.update(left)
            while left:
                left = left[self.write(left) :]  # noqa: PLW2901


class LocalPartialFile:
    """Implements `ports.PartialFile`. One task at a time."""

    def __init__(self, site: Site, *, take_up: int) -> None:
        self._site = site
        self._take_up = take_up
        self._block = bytearray()
        self._held = 0
        self._landing: asyncio.Future[None] | None = None
        self._settled = False
        self.length = 0
        self.beginning = b""

    async def __aenter__(self) -> Self:
        self._file = await run_to_end(self._site.executor, self._open)
        self._written = wrap(self._file, executor=self._site.executor)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._landed()
        finally:
            self._give_back(self._taken())
            if not (self._settled and self._file.closed):
                await run_to_end(self._site.executor, self._end)

    def _open(self) -> _HashedFile:
        """Opens the file. One process locks the directory, so a file of this name is a leftover of ours."""
        site = self._site
        with explained(site.path), parent(site.root, partial_of(site.path), make=True) as (folder, name):
            if self._take_up and _has_duplicate(folder, name):
                self._take_up = 0
            if not self._take_up:
                unlink(folder, name)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if self._take_up else os.O_EXCL)
            file = _HashedFile(os.open(name, flags, 0o600, dir_fd=folder))
            try:
                if self._take_up:
                    self._reread(file)
            except BaseException:
                file.close()
                raise
        return file

    def _reread(self, file: _HashedFile) -> None:
        """Resumes a partial file: reads its hash and its beginning, and cuts off the rest; restarts if it is too
        short.
        """
        part = self._take_up if os.fstat(file.fileno()).st_size >= self._take_up else 0
        file.truncate(part)
        while self.length < part:
            block = os.pread(file.fileno(), _WRITE_BLOCK_BYTES, self.length)
            file.hashed.update(block)
            self._count(block)
        file.seek(part)

    def _count(self, block: bytes | memoryview) -> None:
        self.length += len(block)
        if len(self.beginning) < BEGINNING:
            self.beginning += block[: BEGINNING - len(self.beginning)]

    async def write(self, block: bytes | memoryview) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()  # what follows is never cut short
        left = memoryview(block)
        while left:
            if self._held == _WRITE_BLOCK_BYTES:
                await self._landed()
                self._landing = asyncio.ensure_future(self._land(self._taken()))
            if not self._block:
                self._block = self._site.spare.pop() if self._site.spare else bytearray(_WRITE_BLOCK_BYTES)
            room = min(len(left), _WRITE_BLOCK_BYTES - self._held)
            self._block[self._held : self._held + room] = left[:room]
            self._held += room
            self._count(left[:room])
            left = left[room:]

    async def _land(self, held: memoryview) -> None:
        try:
            await self._written.writelines([held])
        finally:
            self._give_back(held)

    async def _landed(self) -> None:
        """Waits for the block that is written while the next one arrives."""
        landing, self._landing = self._landing, None
        if landing is not None:
            with explained(self._site.path):
                await to_end(landing)

    def _taken(self) -> memoryview:
        """Returns the data held in memory, which from now on belongs to the caller."""
        held = memoryview(self._block)[: self._held]
        self._block, self._held = bytearray(), 0
        return held

    def _give_back(self, held: memoryview) -> None:
        if held.obj and isinstance(held.obj, bytearray):
            self._site.spare.append(held.obj)

    async def _with_held(self, work: Callable[[memoryview], None]) -> None:
        """Runs `work` on a thread with the data held in memory."""
        await self._landed()
        held = self._taken()
        try:
            await run_to_end(self._site.executor, lambda: work(held))
        finally:
            self._give_back(held)

    async def restart(self) -> None:
        def work(_: memoryview) -> None:
            with explained(self._site.path):
                self._file.seek(0)
                self._file.truncate()

        await self._with_held(work)
        self._file.hashed, self.length, self.beginning = hashlib.sha256(), 0, b""

    async def checkpoint(self) -> int:
        await self._with_held(self._sync)
        self._settled = True
        return self.length

    def _sync(self, held: memoryview) -> None:
        site = self._site
        self._append(held)
        with explained(site.path), parent(site.root, site.path, make=False) as (folder, _):
            os.fsync(self._file.fileno())
            os.fsync(folder)

    def _append(self, held: memoryview) -> None:
        with explained(self._site.path):
            self._file.writelines([held])

    async def hashed(self) -> bytes:
        await self._with_held(self._append)
        return self._file.hashed.digest()

    async def held_whole(self) -> tuple[bytes, bytes] | None:
        """Returns the whole content and its SHA-256, and releases it; None if any of it is on disk."""
        if self._held != self.length:
            return None
        held = self._taken()
        content = bytes(held)
        self._give_back(held)
        return content, await run_to_end(self._site.executor, lambda: hashlib.sha256(content).digest())

    async def keep(self) -> Kept:
        self._settled = False
        await self._with_held(self._name)
        self._settled = True
        return Kept(self._site.path, self.length, self._file.hashed.digest())

    def _name(self, held: memoryview) -> None:
        site = self._site
        self._append(held)
        with explained(site.path):
            os.fchmod(self._file.fileno(), FILE_MODE)
            os.fsync(self._file.fileno())
            self._file.close()
            give_name(site.root, site.path, replaces=site.replaces)

    def _end(self) -> None:
        """Closes the file, and removes it unless it was kept or left for a later resume."""
        site = self._site
        try:
            with explained(site.path):
                self._file.close()
        finally:
            if not self._settled:
                with explained(site.path), parent(site.root, partial_of(site.path), make=False) as (folder, name):
                    unlink(folder, name)


def _has_duplicate(folder: int, name: str) -> bool:
    """Returns whether a killed process left a kept file under a partial file's name: that must not be written to."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_nlink > 1
    except FileNotFoundError:
        return False
