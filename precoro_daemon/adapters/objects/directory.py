"""the directory of attached files: its owner, its free space, and every file in it"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from precoro_daemon.adapters.host.threads import WorkThreads, run_to_end
from precoro_daemon.adapters.objects.failures import explained
from precoro_daemon.adapters.objects.manifest import Manifest
from precoro_daemon.adapters.objects.partial_file import LocalPartialFile, Site
from precoro_daemon.adapters.objects.paths import (
    FOLDER_MODE,
    digest,
    duplicate,
    kept_files,
    parent,
    partial_of,
    partials,
    stat_of,
    unlink,
)
from precoro_daemon.errors import FolderHeld, FolderUnusable
from precoro_daemon.files.ports.attachment_book import Kept, StoredFile
from precoro_daemon.files.ports.object_store import Capabilities

MARK_FILE = ".precoro-daemon"
_THREADS = 16
_SOME = 1_000


class DirectoryStore:
    """Implements `ports.ObjectStore`."""

    capabilities = Capabilities(manifest=True, links=True, sweeps=False)

    def __init__(self, directory: Path, root: int, executor: Executor, reserve: int) -> None:
        self.directory = directory
        self._root = root
        self._executor = executor
        self._reserve = reserve
        self._spare: list[bytearray] = []
        self._manifest = Manifest(root, directory)

    async def room(self) -> int:
        def work() -> int:
            with explained(self.directory):
                found = os.fstatvfs(self._root)
            return found.f_bavail * found.f_frsize - self._reserve

        return await run_to_end(self._executor, work)

    async def in_the_way(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        def work() -> dict[str, bytes | None]:
            found: dict[str, bytes | None] = {}
            for path in paths:
                try:
                    with explained(self._shown(path)):
                        there = stat_of(self._root, path)
                        plain = there is not None and stat.S_ISREG(there.st_mode)
                        read = digest(self._root, path) if plain else None
                except FolderUnusable:  # a file or a link where a folder should be
                    found[path] = None
                    continue
                if there is not None:
                    found[path] = read[1] if read else None
            return found

        return await run_to_end(self._executor, work)

    def partial_file(self, path: str, *, take_up: int = 0, replaces: bool = False) -> LocalPartialFile:
        return LocalPartialFile(self.site(path, replaces=replaces), take_up=take_up)

    def site(self, path: str, *, replaces: bool) -> Site:
        """Returns where a file for this path is written."""
        return Site(self._root, path, self._executor, self._spare, replaces)

    async def link(self, kept: Kept, path: str, *, replaces: bool = False) -> Kept | None:
        def work() -> bool:
            with explained(self._shown(path)):
                if digest(self._root, kept.path) != (kept.length, kept.sha256):
                    return False
                return kept.path == path or duplicate(self._root, path, kept.path, replaces=replaces)

        done = await run_to_end(self._executor, work)
        return Kept(path, kept.length, kept.sha256) if done else None

    async def hash(self, path: str) -> tuple[int, bytes] | None:
        def work() -> tuple[int, bytes] | None:
            with explained(self._shown(path)):
                return digest(self._root, path)

        return await run_to_end(self._executor, work)

    async def manifest_end(self) -> int:
        return await run_to_end(self._executor, self._manifest.end)

    async def write_manifest(self, lines: Sequence[StoredFile], *, anew: bool) -> None:
        await run_to_end(self._executor, partial(self._manifest.write, lines, anew=anew))

    async def drop_partials(self, *, but: Collection[str]) -> int:
        spared = set(map(partial_of, but))

        def work() -> int:
            with explained(self.directory):
                left = [path for path in partials(self.directory) if path not in spared]
                for path in left:
                    with parent(self._root, path, make=False) as (folder, name):
                        unlink(folder, name)
            return len(left)

        return await run_to_end(self._executor, work)

    async def paths(self) -> AsyncIterator[Sequence[str]]:
        found = kept_files(self.directory)

        def some() -> list[str]:
            with explained(self.directory):
                return list(islice(found, _SOME))

        while paths := await run_to_end(self._executor, some):
            yield paths

    def _shown(self, path: str) -> str:
        return f"{self.directory}/{path}"


@asynccontextmanager
async def open_directory(directory: Path, *, identity: str, reserve: int) -> AsyncIterator[DirectoryStore]:
    """Opens the directory, creates it if its parent exists, and locks it against every other process.

    `identity` is the hash of the company that owns the files; `reserve` bytes of the disk stay free. Raises
    FolderUnusable.
    """
    executor = WorkThreads("files", _THREADS)
    resources = ExitStack()
    try:
        root = await run_to_end(executor, lambda: _open(directory, identity, resources))
        yield DirectoryStore(directory, root, executor, reserve)
    finally:
        await run_to_end(executor, resources.close)
        executor.shutdown()


def _open(directory: Path, identity: str, resources: ExitStack) -> int:
    with explained(directory):
        if not directory.exists():
            if not directory.parent.is_dir():
                raise FolderUnusable(f"{directory}: the directory {directory.parent.absolute()} does not exist")
            directory.mkdir(mode=FOLDER_MODE)
            above = os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            resources.callback(os.close, above)
            os.fsync(above)
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        resources.callback(os.close, root)
        mark = os.open(MARK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=root)
        resources.callback(os.close, mark)
        _hold(directory, mark)
        _refuse_other(directory, mark, identity)
    return root


def _hold(directory: Path, mark: int) -> None:
    """Takes the kernel's lock, which ends with the process however it ends."""
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FolderHeld(
            f"{directory}: another process is writing files there; give every configuration a directory of its own"
        ) from error


def _refuse_other(directory: Path, mark: int, identity: str) -> None:
    owner = os.pread(mark, 200, 0).decode("ascii", "replace").strip()
    if not owner:
        os.pwrite(mark, f"{identity}\n".encode(), 0)
        os.fsync(mark)
    elif owner != identity:
        raise FolderUnusable(
            f"{directory}: it holds the files of another company; give every configuration a directory of its own"
        )
