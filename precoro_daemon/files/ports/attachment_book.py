"""what is known about attached files"""

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

    reserved  the path below the root that was assigned to it, None before
    shared    whether another document has the same attachment
    ours      whether a file was kept under that path before
    part      what is already on disk of it
    attempts  failures since the last success
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
    """A complete file on disk: its path below the root, its length and its SHA-256."""

    path: str
    length: int
    sha256: bytes


class StoredFile(Struct, frozen=True):
    """A kept file and its owner. `seq` rises with every stored file; `stored_at` is in Unix seconds."""

    seq: int
    file: AttachedFile
    kept: Kept
    stored_at: float


class WantedFiles(Struct, frozen=True):
    """The collections whose files are kept, and the largest file."""

    collections: Sequence[str]
    max_bytes: int


class FileCounts(Struct, frozen=True):
    """Files that are due, and their total size according to their documents (unknown sizes count as 0)."""

    files: int
    bytes: int


class AttachmentBook(Protocol):
    """What is known about attached files. Has one writer; durable on return; cancellation leaves it done or not
    begun.

    Raises StoreUnusable if the disk of the state is full or read-only, or the file is damaged.
    """

    async def save_named(self, named: Sequence[NamedFiles], move: Move) -> None:
        """Stores which files details name, and moves the follower's position; does neither if another call moved it
        meanwhile. A file that a detail no longer names is marked gone; one whose size or date changed is due
        again.
        """
        ...

    async def note_with_attachments(self, collection: str, ids: Sequence[int]) -> int:
        """Marks records as having files, which makes their details due, and returns how many were not marked
        before.
        """
        ...

    async def listing(self, collection: str) -> tuple[float | None, float | None]:
        """Returns when a collection's records with files were last listed, and last listed whole (server's clock)."""
        ...

    async def save_listing(self, collection: str, at: float, whole_at: float | None) -> None: ...

    async def due_files(self, wanted: WantedFiles, *, before: float, limit: int) -> Sequence[AttachedFile]:
        """Returns files without a good copy, newest first, without those quarantined until `before` or later. Files
        of vanished or unwanted documents, and files that are too large, are not due.
        """
        ...

    async def count_due_files(self, wanted: WantedFiles, *, before: float) -> FileCounts: ...

    async def too_large(self, wanted: WantedFiles) -> Sequence[AttachedFile]:
        """Returns files that would be due if they were smaller, with their real or announced bytes as `size`."""
        ...

    async def reserve(self, paths: Mapping[tuple[str, int, int], str]) -> None:
        """Assigns paths to files (by their keys), before anything is written there."""
        ...

    async def save_part(self, file: AttachedFile, part: Part | None) -> None:
        """Records a durable partial file that can be resumed; None for none."""
        ...

    async def save_kept(self, file: AttachedFile, kept: Kept, *, at: float) -> Kept | None:
        """Records a complete file, and clears its quarantine at the stage FILE. Returns another file with the same
        content, None if there is none.
        """
        ...

    async def kept_elsewhere(self, file: AttachedFile) -> Kept | None:
        """Returns another place where the same attachment (by id, size and date) is kept."""
        ...

    async def note_size(self, file: AttachedFile, length: int) -> None:
        """Records the length of a file that arrived complete by its own framing, and differs from its document's
        size.
        """
        ...

    async def sizes(self) -> tuple[int, int]:
        """Returns the number of files whose length agrees with their document, and the number of distinct lengths of
        those whose length does not.
        """
        ...

    async def hold_back(self, reason: str | None, *, at: float) -> None:
        """Records why no file can be kept at present, for people; None if files can be kept again."""
        ...

    async def requeue(self, keys: Sequence[tuple[str, int, int]]) -> None:
        """Makes files due again, at their present paths, because their copies are no longer good."""
        ...

    async def stored(self, after: int, limit: int) -> Sequence[StoredFile]:
        """Returns kept files with a higher `seq` than `after`, by `seq`."""
        ...

    async def newest_stored(self) -> int:
        """Returns the highest `seq` ever assigned, 0 if none."""
        ...

    async def count_stored(self) -> int:
        """Returns the number of kept files."""
        ...

    async def begun(self) -> Sequence[str]:
        """Returns the paths of files whose start is on disk and can be resumed."""
        ...

    async def orphans(self, paths: Sequence[str]) -> Sequence[str]:
        """Returns those of the paths that were assigned to no file."""
        ...

    async def verified(self, keys: Sequence[tuple[str, int, int]], *, at: float) -> None: ...

    async def least_verified(self, limit: int) -> Sequence[StoredFile]:
        """Returns the files whose content was read longest ago."""
        ...

    async def verified_last(self) -> float:
        """Returns when the content of a file was last read (Unix seconds), 0 for never."""
        ...
