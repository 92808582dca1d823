"""a store for files, in which a file is complete under its path, or absent"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.files.ports.attachment_book import Kept, StoredFile


class PartialFile(Protocol):
    """A file being written under its own temporary name. At the end of its context it is removed, unless it was kept
    or left with `checkpoint`.
    """

    @property
    def length(self) -> int:
        """The bytes written, including a resumed part."""
        ...

    @property
    def beginning(self) -> bytes:
        """The first bytes, as many as are needed to recognise a file's type."""
        ...

    async def write(self, block: bytes | memoryview) -> None:
        """Appends a block. Raises DiskFull."""
        ...

    async def restart(self) -> None:
        """Discards everything that was written."""
        ...

    async def checkpoint(self) -> int:
        """Makes the data durable for a later resume, and returns its length. Raises DiskFull, FolderUnusable."""
        ...

    async def hashed(self) -> bytes:
        """Returns the SHA-256 of everything written. Raises DiskFull."""
        ...

    async def keep(self) -> Kept:
        """Gives the complete, durable file its final name. Raises DiskFull, FolderUnusable, and BucketUnusable or
        DiskFault if what was uploaded is not there. Cancellation leaves a complete file, or none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store of files supports.

    manifest  it keeps a list of its files beside them
    links     the same content under two paths takes the space of one
    sweeps    partial files are kept apart from the others, so that finding those of killed processes costs nothing
    """

    manifest: bool
    links: bool
    sweeps: bool


class ObjectStore(Protocol):
    """A store for attached files. Paths are relative, with "/" as separator.

    A file under its path is complete: it appears atomically, after its content is durable. Raises FolderUnusable if
    something is in the way or the directory is not writable, BucketUnusable if a bucket cannot be used at present.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    async def room(self) -> int:
        """Returns the bytes that may still be written."""
        ...

    async def in_the_way(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        """Returns which of these paths exist: the SHA-256 of a plain file, None for anything else."""
        ...

    def partial_file(
        self, path: str, *, take_up: int = 0, replaces: bool = False
    ) -> AbstractAsyncContextManager[PartialFile]:
        """Starts a file for that path, or resumes one after its first `take_up` bytes, if they are still there.

        replaces  whether a file at the path is an earlier one of the same attachment
        """
        ...

    async def link(self, kept: Kept, path: str, *, replaces: bool = False) -> Kept | None:
        """Stores the same content under another path, without a second download. Returns None if the kept file is no
        longer what it should be, or if the file system cannot do that.
        """
        ...

    async def hash(self, path: str) -> tuple[int, bytes] | None:
        """Returns length and SHA-256 of a plain file, None if there is none."""
        ...

    async def write_manifest(self, lines: Sequence[StoredFile], *, anew: bool) -> None:
        """Appends lines to the manifest, or rewrites it with these; durable."""
        ...

    async def manifest_end(self) -> int:
        """Returns the `seq` of the manifest's last complete line, 0 if it has none."""
        ...

    async def drop_partials(self, *, but: Collection[str]) -> int:
        """Removes partial files of killed processes, except those for these paths, and returns their number."""
        ...

    def paths(self) -> AsyncIterator[Sequence[str]]:
        """Yields every file below the root that is not the program's own, in batches."""
        ...
