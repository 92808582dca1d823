"""where files are kept: complete under their paths, or not there"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.files.ports.attachment_book import Kept, StoredFile


class PartialFile(Protocol):
    """A file being written, under a name nobody else uses. What was not kept is gone when its context ends, unless it
    was left with `checkpoint`."""

    @property
    def length(self) -> int:
        """Bytes of all that was written, what was taken up included."""
        ...

    @property
    def beginning(self) -> bytes:
        """The first bytes, as many as tell the kind of a file."""
        ...

    async def write(self, block: bytes | memoryview) -> None:
        """Raises DiskFull."""
        ...

    async def restart(self) -> None:
        """Forget all that was written."""
        ...

    async def checkpoint(self) -> int:
        """Bytes that survive a loss of power from now on, to be taken up later. Raises DiskFull, FolderUnusable."""
        ...

    async def hashed(self) -> bytes:
        """SHA-256 of all that was written. Raises DiskFull."""
        ...

    async def keep(self) -> Kept:
        """The file under its final name, complete and durable. Raises DiskFull, FolderUnusable; BucketUnusable or
        DiskFault where what was written elsewhere is not there. Cancellation leaves a whole file there, or none."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store of files can do.

    manifest    it keeps a list of its files beside them
    links       the same content under two paths takes the room of one
    sweeps      partial files lie apart from the others, so that finding those of killed processes costs nothing
    """

    manifest: bool
    links: bool
    sweeps: bool


class ObjectStore(Protocol):
    """Where attached files are kept. Paths are relative, with "/" between.

    A file under its path is complete: it appears there all at once, after its content is durable. Raises
    FolderUnusable where something is in the way or the directory cannot be written, BucketUnusable where a bucket
    cannot be used at present.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    async def room(self) -> int:
        """Bytes that may still be written."""
        ...

    async def in_the_way(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        """Which of these paths exist already: the SHA-256 of a plain file, None of anything else."""
        ...

    def partial_file(
        self, path: str, *, take_up: int = 0, replaces: bool = False
    ) -> AbstractAsyncContextManager[PartialFile]:
        """Begin a file for that path, or go on behind its first `take_up` bytes, if they are still there.

        replaces  what bears the path now is an earlier file of the same attachment
        """
        ...

    async def link(self, kept: Kept, path: str, *, replaces: bool = False) -> Kept | None:
        """The same content at another path, without a second download. None if what is kept is no longer what it
        should be, or if the file system cannot do that."""
        ...

    async def hash(self, path: str) -> tuple[int, bytes] | None:
        """Length and SHA-256 of what is there, None if there is no plain file."""
        ...

    async def write_manifest(self, lines: Sequence[StoredFile], *, anew: bool) -> None:
        """Add lines to the manifest, or make it anew of these; durable."""
        ...

    async def manifest_end(self) -> int:
        """`seq` of the manifest's last whole line, 0 if it has none."""
        ...

    async def drop_partials(self, *, but: Collection[str]) -> int:
        """Remove partial files that killed processes left behind, but not those for these paths; how many."""
        ...

    def paths(self) -> AsyncIterator[Sequence[str]]:
        """Every file below the root that is not the program's own, some at a time."""
        ...
