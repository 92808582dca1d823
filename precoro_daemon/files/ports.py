"""attached files: where they come from, what is known of them, where they are kept"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.files.rules import Attachment, NamedFiles, Part
from precoro_daemon.mirror.rules.change_log import Move


class Incoming(Protocol):
    """A file on its way. It can be read for as long as its context is entered.

    start      offset of its first byte: 0, or the length of the part that is taken up
    length     bytes of the whole file as announced, None if nobody says
    framed     its end is announced, so that it cannot be cut unnoticed
    as_file    the answer calls it an attachment, not a page
    validator  what the rest can be asked for with, "" if nothing
    """

    start: int
    length: int | None
    framed: bool
    as_file: bool
    validator: str

    async def piece(self) -> bytes:
        """The next bytes; b"" after the last. Raises ConnectionFault or MalformedAnswer."""
        ...


class AttachmentSource(Protocol):
    """The files behind the ids, at Precoro or where it says they are."""

    def open(self, attachment: int, part: Part | None, size: int | None) -> AbstractAsyncContextManager[Incoming]:
        """Ask for a file; from the end of `part` on, if that is still the same file and has `size` bytes (None: any).

        Every call to Precoro is charged to the lane of files; one to another host is not, and never has the key.
        Raises TemporaryError, PermanentError (AddressRefused), AuthenticationError, BudgetSpent. Cancellation leaves
        nothing behind but the charge.
        """
        ...


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a document, as the store knows it.

    claimed   the path below the root that was given to it, None before
    shared    the same attachment hangs on another document too
    ours      something was kept under that path before
    part      what is on disk of it already
    attempts  failures since it was last good
    """

    collection: str
    record_id: int
    idn: int | str | None
    attachment: Attachment
    claimed: str | None = None
    shared: bool = False
    ours: bool = False
    part: Part | None = None
    attempts: int = 0

    @property
    def key(self) -> tuple[str, int, int]:
        return (self.collection, self.record_id, self.attachment.id)

    def __str__(self) -> str:
        number = f"id {self.record_id}" if self.idn is None else self.idn
        return f"{self.collection} {number}, attachment {self.attachment.id} ({self.attachment.name or 'no name'})"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on disk under a path below the root: complete, with this length and SHA-256."""

    path: str
    length: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept, and whose it is. `seq` rises with every file stored; `stored_at` in Unix seconds."""

    seq: int
    file: AttachedFile
    kept: Kept
    stored_at: float


@dataclass(frozen=True, slots=True)
class WantedFiles:
    """Of which collections files are kept, and how large one may be."""

    collections: Sequence[str]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Files that are due, and the bytes their documents say they have (those that say nothing count none)."""

    files: int
    bytes: int


class AttachmentBook(Protocol):
    """What is known of attached files. One writer; durable on return; cancellation leaves it done or not begun.

    Raises StoreUnusable when the disk of the state is full, read-only or the file damaged.
    """

    async def save_named(self, named: Sequence[NamedFiles], move: Move) -> None:
        """Store which files details name, and move the position of the follower that read them; nothing of both if
        that was moved meanwhile. A file that a detail names no longer is marked gone; one whose size or date changed
        is due again."""
        ...

    async def note_carriers(self, collection: str, ids: Sequence[int]) -> int:
        """These records are listed as having files, which makes their details due; how many were not known to."""
        ...

    async def listing(self, collection: str) -> tuple[float | None, float | None]:
        """When the carriers of a collection were last listed, and when last whole (server's clock); None: never."""
        ...

    async def save_listing(self, collection: str, at: float, whole_at: float | None) -> None: ...

    async def due_files(self, wanted: WantedFiles, *, before: float, limit: int) -> Sequence[AttachedFile]:
        """Without a good file, newest first, without what is set aside until `before` or later. Files of documents
        that vanished or are not wanted are not due, nor are files that are too large."""
        ...

    async def count_due_files(self, wanted: WantedFiles, *, before: float) -> FileCounts: ...

    async def too_large(self, wanted: WantedFiles) -> Sequence[AttachedFile]:
        """Those that would be due if they were smaller, with the bytes that came or are said to come as `size`."""
        ...

    async def claim(self, paths: Mapping[tuple[str, int, int], str]) -> None:
        """Give files (by their keys) their paths, before anything appears there."""
        ...

    async def save_part(self, file: AttachedFile, part: Part | None) -> None:
        """That much is on disk for certain and may be taken up again; None: nothing."""
        ...

    async def save_kept(self, file: AttachedFile, kept: Kept, *, at: float) -> Kept | None:
        """The file is complete on disk. Clears what was set aside for the stage FILE. Another place where the same
        content is kept, None if there is none."""
        ...

    async def kept_elsewhere(self, file: AttachedFile) -> Kept | None:
        """Another place where the same attachment (by id, size and date) is kept."""
        ...

    async def note_size(self, file: AttachedFile, length: int) -> None:
        """A file came whole by its own framing, with another length than its document says."""
        ...

    async def sizes(self) -> tuple[int, int]:
        """Files kept whose length is what their document says; files that came with another one."""
        ...

    async def hold_back(self, reason: str | None, *, at: float) -> None:
        """Why no file can be kept at present, for people to see; None: nothing hinders any more."""
        ...

    async def requeue(self, keys: Sequence[tuple[str, int, int]]) -> None:
        """What is kept of these is not good any more: they are due again, at their present paths."""
        ...

    async def stored(self, after: int, limit: int) -> Sequence[StoredFile]:
        """Files that are kept, by `seq` after that one."""
        ...

    async def newest_stored(self) -> int:
        """The highest `seq` ever given, 0 if none."""
        ...

    async def count_stored(self) -> int:
        """Files that are kept."""
        ...

    async def begun(self) -> Sequence[str]:
        """Paths of files whose beginning is on disk and may be taken up."""
        ...

    async def orphans(self, paths: Sequence[str]) -> Sequence[str]:
        """Those of the paths that were given to no file."""
        ...

    async def verified(self, keys: Sequence[tuple[str, int, int]], *, at: float) -> None: ...

    async def least_verified(self, limit: int) -> Sequence[StoredFile]:
        """Those whose content was not looked at for the longest time, never first."""
        ...

    async def verified_last(self) -> float:
        """When the content of a file was looked at last (Unix seconds), 0 for never."""
        ...


class Draft(Protocol):
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

    async def write(self, block: bytes) -> None:
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
        """The file under its final name, complete and durable. Raises DiskFull, FolderUnusable."""
        ...


class Folder(Protocol):
    """The directory of attached files. Paths are relative to it, with "/" between.

    A file under its path is complete: it appears there all at once, after its content is durable. Raises
    FolderUnusable where something is in the way or the directory cannot be written.
    """

    async def room(self) -> int:
        """Bytes that may still be written."""
        ...

    async def in_the_way(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        """Which of these paths exist already: the SHA-256 of a plain file, None of anything else."""
        ...

    def draft(self, path: str, *, take_up: int = 0, replaces: bool = False) -> AbstractAsyncContextManager[Draft]:
        """Begin a file for that path, or go on behind its first `take_up` bytes, if they are still there.

        replaces  what bears the path now is an earlier file of the same attachment
        """
        ...

    async def link(self, kept: Kept, path: str, *, replaces: bool = False) -> Kept | None:
        """The same content at another path, without a second copy. None if what is kept is no longer what it should
        be, or if the file system cannot do that."""
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

    async def drop_drafts(self, *, but: Collection[str]) -> int:
        """Remove drafts that killed processes left behind, but not those for these paths; how many."""
        ...

    def paths(self) -> AsyncIterator[Sequence[str]]:
        """Every file below the root that is not the program's own, some at a time."""
        ...


class FileProgress(Protocol):
    """Who is told how far the downloads are. Calls are cheap and never raise."""

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Files stored and failed in this lap, of those that were due at its start."""
        ...
