"""one file being written: a name of its own, fsync, its final name, fsync of the folder"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

import anyio.lowlevel

from precoro_daemon.adapters.host.threads import run_to_end, to_end
from precoro_daemon.adapters.objects.failures import explained
from precoro_daemon.adapters.objects.paths import FILE_MODE, give_name, parent, partial_of, unlink
from precoro_daemon.files.ports.attachment_book import Kept
from precoro_daemon.files.rules.bodies import BEGINNING

_WRITE_BLOCK_BYTES = 2**21
"""Bytes written and hashed at a time. A trip to a thread costs more than most attached files: what is smaller makes
one trip to be opened and one to be written, hashed, made durable and named."""

_MOST_PIECES = 512
"""That one call writes; systems take 1,024 (IOV_MAX)."""


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
        self._file: int | None = None
        self.length = 0
        self.beginning = b""

    async def __aenter__(self) -> Self:
        self._file = await run_to_end(self._site.executor, self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._landed()
        finally:
            if not (self._settled and self._file is None):
                await run_to_end(self._site.executor, self._end)

    def _open(self) -> int:
        """One process holds the directory, so what is left of that name is an abandoned partial file of ours."""
        site = self._site
        with explained(site.path), parent(site.root, partial_of(site.path), make=True) as (folder, name):
            if self._take_up and _has_duplicate(folder, name):
                self._take_up = 0
            if not self._take_up:
                unlink(folder, name)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if self._take_up else os.O_EXCL)
            file = os.open(name, flags, 0o600, dir_fd=folder)
            try:
                if self._take_up:
                    self._reread(file)
            except BaseException:
                os.close(file)
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
        loop, executor = asyncio.get_running_loop(), self._site.executor
        hashed = loop.run_in_executor(executor, self._digest, pieces)
        try:
            await loop.run_in_executor(executor, self._write, pieces)
        finally:
            await hashed

    def _digest(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._hash.update(piece)

    async def restart(self) -> None:
        def work() -> None:
            with explained(self._site.path):
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.ftruncate(self._descriptor, 0)

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
            os.fsync(self._descriptor)
            os.fsync(folder)

    def _append(self, pieces: list[bytes]) -> None:
        self._write(pieces)
        self._digest(pieces)

    def _write(self, pieces: list[bytes]) -> None:
        with explained(self._site.path):
            write_all(self._descriptor, pieces)

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise ValueError(f"{self._site.path} is closed")
        return self._file

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

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
            os.fchmod(self._descriptor, FILE_MODE)
            os.fsync(self._descriptor)
            self._close()
            give_name(site.root, site.path, replaces=site.replaces)

    def _end(self) -> None:
        """Close it; what was neither kept nor left for later is removed."""
        site = self._site
        try:
            with explained(site.path):
                self._close()
        finally:
            if not self._settled:
                with explained(site.path), parent(site.root, partial_of(site.path), make=False) as (folder, name):
                    unlink(folder, name)


def write_all(file: int, pieces: Sequence[bytes]) -> None:
    """All of them, with as few calls as the system takes."""
    if len(pieces) > _MOST_PIECES:
        pieces = [b"".join(pieces)]
    left = [memoryview(piece) for piece in pieces if piece]
    while left:
        written = os.writev(file, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if left:
            left[0] = left[0][written:]


def _has_duplicate(folder: int, name: str) -> bool:
    """A killed process may have left a kept file under the name of a partial one; that must not be written into."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_nlink > 1
    except FileNotFoundError:
        return False
