"""one file being written: a name of its own, fsync, its final name, fsync of the folder"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from io import BufferedWriter
from types import TracebackType
from typing import Self

import anyio.lowlevel
from aiofiles.threadpool import wrap

from precoro_daemon.adapters.host.threads import run_to_end, to_end
from precoro_daemon.adapters.objects.failures import explained
from precoro_daemon.adapters.objects.paths import FILE_MODE, give_name, parent, partial_of, unlink
from precoro_daemon.files.ports.attachment_book import Kept
from precoro_daemon.files.rules.bodies import BEGINNING

_WRITE_BLOCK_BYTES = 2**21
"""Bytes written and hashed at a time. A trip to a thread costs more than most attached files: what is smaller makes
one trip to be opened and one to be written, hashed, made durable and named."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a file is written.

    root      descriptor of the directory; path: below it
    executor  its threads do what blocks
    replaces  what bears the path is an earlier file of ours
    """

    root: int
    path: str
    executor: Executor
    replaces: bool


class LocalPartialFile:
    """Implements `ports.PartialFile`. One task at a time."""

    def __init__(self, site: Site, *, take_up: int) -> None:
        self._site = site
        self._take_up = take_up
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._held = 0
        self._landing: asyncio.Future[None] | None = None
        self._settled = False
        self.length = 0
        self.beginning = b""

    async def __aenter__(self) -> Self:
        self._file: BufferedWriter = await run_to_end(self._site.executor, self._open)
        self._written = wrap(self._file, executor=self._site.executor)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._landed()
        finally:
            if not (self._settled and self._file.closed):
                await run_to_end(self._site.executor, self._end)

    def _open(self) -> BufferedWriter:
        """One process holds the directory, so what is left of that name is an abandoned partial file of ours."""
        site = self._site
        with explained(site.path), parent(site.root, partial_of(site.path), make=True) as (folder, name):
            if self._take_up and _has_duplicate(folder, name):
                self._take_up = 0
            if not self._take_up:
                unlink(folder, name)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if self._take_up else os.O_EXCL)
            file = os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb")
            try:
                if self._take_up:
                    self._reread(file.fileno())
            except BaseException:
                file.close()
                raise
        return file

    def _reread(self, file: int) -> None:
        """Take the part up: its hash, its beginning, and nothing behind it; nothing at all if less is left of it."""
        part = self._take_up if os.fstat(file).st_size >= self._take_up else 0
        os.ftruncate(file, part)
        while self.length < part:
            block = os.pread(file, _WRITE_BLOCK_BYTES, self.length)
            self._hash.update(block)
            self._count(block)
        os.lseek(file, part, os.SEEK_SET)

    def _count(self, block: bytes) -> None:
        self.length += len(block)
        if len(self.beginning) < BEGINNING:
            self.beginning += block[: BEGINNING - len(self.beginning)]

    async def write(self, block: bytes) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()  # what follows is never cut short
        self._count(block)
        self._pieces.append(block)
        self._held += len(block)
        if self._held >= _WRITE_BLOCK_BYTES:
            await self._landed()
            self._landing = asyncio.ensure_future(self._put(self._taken()))

    async def _landed(self) -> None:
        """Wait for the block that is being written while the next one comes."""
        landing, self._landing = self._landing, None
        if landing is not None:
            await to_end(landing)

    def _taken(self) -> list[bytes]:
        pieces, self._pieces, self._held = self._pieces, [], 0
        return pieces

    async def _put(self, pieces: list[bytes]) -> None:
        """Hashed and written at the same time, on two threads."""
        hashed = asyncio.get_running_loop().run_in_executor(self._site.executor, self._digest, pieces)
        try:
            with explained(self._site.path):
                await self._written.writelines(pieces)
        finally:
            await hashed

    def _digest(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._hash.update(piece)

    async def restart(self) -> None:
        def work() -> None:
            with explained(self._site.path):
                self._file.seek(0)
                self._file.truncate()

        await self._landed()
        await run_to_end(self._site.executor, work)
        self._taken()
        self._hash, self.length, self.beginning = hashlib.sha256(), 0, b""

    async def checkpoint(self) -> int:
        await self._landed()
        await run_to_end(self._site.executor, partial(self._sync, self._taken()))
        self._settled = True
        return self.length

    def _sync(self, pieces: list[bytes]) -> None:
        site = self._site
        self._append(pieces)
        with explained(site.path), parent(site.root, site.path, make=False) as (folder, _):
            os.fsync(self._file.fileno())
            os.fsync(folder)

    def _append(self, pieces: list[bytes]) -> None:
        with explained(self._site.path):
            self._file.writelines(pieces)
            self._file.flush()
        self._digest(pieces)

    async def hashed(self) -> bytes:
        await self._landed()
        await run_to_end(self._site.executor, partial(self._append, self._taken()))
        return self._hash.digest()

    async def held_whole(self) -> tuple[Sequence[bytes], bytes] | None:
        """The pieces of it and its SHA-256, if nothing went to the disk yet; else None. What it gives is held no
        longer."""
        if self._held != self.length:
            return None
        pieces = self._taken()
        await run_to_end(self._site.executor, partial(self._digest, pieces))
        return pieces, self._hash.digest()

    async def keep(self) -> Kept:
        self._settled = False
        await self._landed()
        await run_to_end(self._site.executor, partial(self._name, self._taken()))
        self._settled = True
        return Kept(self._site.path, self.length, self._hash.digest())

    def _name(self, pieces: list[bytes]) -> None:
        site = self._site
        self._append(pieces)
        with explained(site.path):
            os.fchmod(self._file.fileno(), FILE_MODE)
            os.fsync(self._file.fileno())
            self._file.close()
            give_name(site.root, site.path, replaces=site.replaces)

    def _end(self) -> None:
        """Close it; what was neither kept nor left for later is removed."""
        site = self._site
        try:
            with explained(site.path):
                self._file.close()
        finally:
            if not self._settled:
                with explained(site.path), parent(site.root, partial_of(site.path), make=False) as (folder, name):
                    unlink(folder, name)


def _has_duplicate(folder: int, name: str) -> bool:
    """A killed process may have left a kept file under the name of a partial one; that must not be written into."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_nlink > 1
    except FileNotFoundError:
        return False
