"""what is known of attached files"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from precoro_daemon.files.rules.attachments import Attachment, NamedFiles
    from precoro_daemon.files.rules.bodies import Part
    from precoro_daemon.mirror.rules.change_log import Move


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a document, as the store knows it.

    reserved  the path below the root that was given to it, None before
    shared    the same attachment hangs on another document too
    ours      something was kept under that path before
    part      what is on disk of it already
    attempts  failures since it was last good
    """

    collection: str
    record_id: int
    idn: int | str | None
    attachment: Attachment
    reserved: str | None = None
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


class Kept(Struct, frozen=True):
    """What is on disk under a path below the root: complete, with this length and SHA-256."""

    path: str
    length: int
    sha256: bytes


class StoredFile(Struct, frozen=True):
    """A file that is kept, and whose it is. `seq` rises with every file stored; `stored_at` in Unix seconds."""

    seq: int
    file: AttachedFile
    kept: Kept
    stored_at: float


class WantedFiles(Struct, frozen=True):
    """Of which collections files are kept, and how large one may be."""

    collections: Sequence[str]
    max_bytes: int


class FileCounts(Struct, frozen=True):
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

    async def note_with_attachments(self, collection: str, ids: Sequence[int]) -> int:
        """These records are listed as having files, which makes their details due; how many were not known to."""
        ...

    async def listing(self, collection: str) -> tuple[float | None, float | None]:
        """When a collection's records with files were last listed, and last listed whole (server's clock)."""
        ...

    async def save_listing(self, collection: str, at: float, whole_at: float | None) -> None: ...

    async def due_files(self, wanted: WantedFiles, *, before: float, limit: int) -> Sequence[AttachedFile]:
        """Without a good file, newest first, without what is quarantined until `before` or later. Files of documents
        that vanished or are not wanted are not due, nor are files that are too large."""
        ...

    async def count_due_files(self, wanted: WantedFiles, *, before: float) -> FileCounts: ...

    async def too_large(self, wanted: WantedFiles) -> Sequence[AttachedFile]:
        """Those that would be due if they were smaller, with the bytes that came or are said to come as `size`."""
        ...

    async def reserve(self, paths: Mapping[tuple[str, int, int], str]) -> None:
        """Give files (by their keys) their paths, before anything appears there."""
        ...

    async def save_part(self, file: AttachedFile, part: Part | None) -> None:
        """That much is on disk for certain and may be taken up again; None: nothing."""
        ...

    async def save_kept(self, file: AttachedFile, kept: Kept, *, at: float) -> Kept | None:
        """The file is complete on disk. Clears what was quarantined at the stage FILE. Another place where the same
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
        """Why no file can be kept at present, for people to see; None: nothing is in the way any more."""
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
        """Those whose content was not read for the longest time, never first."""
        ...

    async def verified_last(self) -> float:
        """When the content of a file was read last (Unix seconds), 0 for never."""
        ...
