"""one file being written: a name of its own, fsync, its final name, fsync of the folder"""

from __future__ import annotations

import asyncio
import hashlib
import os
from concurrent.futures import Executor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiofiles
import anyio.lowlevel

from precoro_daemon.adapters.disk.failures import explained
from precoro_daemon.adapters.disk.places import FILE_MODE, draft_of, give_name, parent, unlink
from precoro_daemon.adapters.threads import run_to_end, to_end
from precoro_daemon.domain.attachments import BEGINNING
from precoro_daemon.ports import Kept

_BLOCK = 2**20
"""Bytes written and hashed at a time: a trip to a thread costs next to nothing beside them."""


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


class FileDraft:
    """Implements `ports.Draft`. One task at a time."""

    def __init__(self, site: Site, *, take_up: int) -> None:
        self._site = site
        self._take_up = take_up
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._held = 0
        self._left = False
        self.length = 0
        self.beginning = b""

    async def __aenter__(self) -> Self:
        opened = aiofiles.open(
            draft_of(self._site.path), "r+b", buffering=0, opener=self._open, executor=self._site.executor
        )
        with explained(self._site.path):
            self._file = await to_end(opened)
        try:
            if self._take_up:
                await run_to_end(self._site.executor, self._reread)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        try:
            await to_end(self._file.close())
        finally:
            if not self._left:
                await run_to_end(self._site.executor, self._discard)

    def _open(self, path: str, flags: int) -> int:
        """One process holds the directory, so what is left of that name is an abandoned draft of ours."""
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC
        with parent(self._site.root, path, make=True) as (folder, name):
            if not self._take_up:
                unlink(folder, name)
                flags |= os.O_EXCL
            return os.open(name, flags | os.O_CREAT, 0o600, dir_fd=folder)

    def _reread(self) -> None:
        """Take the part up: its hash, its beginning, and nothing behind it; nothing at all if less is left of it."""
        with explained(self._site.path):
            descriptor = self._file.fileno()
            part = self._take_up if os.fstat(descriptor).st_size >= self._take_up else 0
            os.ftruncate(descriptor, part)
            while self.length < part:
                self._count(os.pread(descriptor, _BLOCK, self.length))
            os.lseek(descriptor, part, os.SEEK_SET)

    def _count(self, block: bytes) -> None:
        self._hash.update(block)
        self.length += len(block)
        if len(self.beginning) < BEGINNING:
            self.beginning += block[: BEGINNING - len(self.beginning)]

    async def write(self, block: bytes) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()  # what follows is never cut short
        self._pieces.append(block)
        self._held += len(block)
        if self._held >= _BLOCK:
            await self._flush()

    async def _flush(self) -> None:
        block = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        if block:
            await to_end(self._put(block))

    async def _put(self, block: bytes) -> None:
        """Hashed and written at the same time, on two threads."""
        hashed = asyncio.get_running_loop().run_in_executor(self._site.executor, self._count, block)
        try:
            with explained(self._site.path):
                view = memoryview(block)
                while view:
                    view = view[await self._file.write(view) :]
        finally:
            await hashed

    async def restart(self) -> None:
        def work() -> None:
            with explained(self._site.path):
                os.ftruncate(self._file.fileno(), 0)
                os.lseek(self._file.fileno(), 0, os.SEEK_SET)

        await run_to_end(self._site.executor, work)
        self._hash, self._pieces, self._held = hashlib.sha256(), [], 0
        self.length, self.beginning = 0, b""

    async def checkpoint(self) -> int:
        await self._flush()
        await run_to_end(self._site.executor, self._sync)
        self._left = True
        return self.length

    def _sync(self) -> None:
        with explained(self._site.path), parent(self._site.root, self._site.path, make=False) as (folder, _):
            os.fsync(self._file.fileno())
            os.fsync(folder)

    async def finish(self) -> Kept:
        await self._flush()
        self._left = False
        return Kept(self._site.path, self.length, self._hash.digest())

    async def keep(self) -> Kept:
        kept = await self.finish()
        await run_to_end(self._site.executor, self._name)
        return kept

    def _name(self) -> None:
        site = self._site
        with explained(site.path):
            os.fchmod(self._file.fileno(), FILE_MODE)
            os.fsync(self._file.fileno())
            give_name(site.root, site.path, replaces=site.replaces)

    def _discard(self) -> None:
        with (
            explained(self._site.path),
            parent(self._site.root, draft_of(self._site.path), make=False) as (folder, name),
        ):
            unlink(folder, name)
