"""brings the manifest of kept files up to date with the state"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from precoro_daemon.files.ports.attachment_book import AttachmentBook, StoredFile
from precoro_daemon.files.ports.object_store import ObjectStore

_LINES_A_WRITE = 500
"""Lines added in one write."""


async def write_manifest(book: AttachmentBook, store: ObjectStore) -> None:
    """Writes the lines that the manifest lacks.

    A manifest that is ahead of the state shows that the state was restored from a backup. It is then rewritten
    before anything is stored, because later the difference would no longer show.
    """
    if not store.capabilities.manifest:
        return
    end = await store.manifest_end()
    if end > await book.newest_stored():
        await store.write_manifest((), anew=True)
        end = 0
    while lines := await book.stored(end, _LINES_A_WRITE):
        await store.write_manifest(lines, anew=False)
        end = lines[-1].seq


async def kept_files(book: AttachmentBook) -> AsyncIterator[StoredFile]:
    """Yields every kept file, in the order in which they were stored."""
    end = 0
    while lines := await book.stored(end, _LINES_A_WRITE):
        for stored in lines:
            yield stored
        end = lines[-1].seq


def manifest_fields(stored: StoredFile) -> dict[str, int | str | None]:
    """Returns a file's line of the manifest."""
    file, kept = stored.file, stored.kept
    return {
        "seq": stored.seq,
        "collection": file.collection,
        "document_id": file.record_id,
        "document_idn": _printable(file.idn),
        "attachment_id": file.attachment.id,
        "name": _printable(file.attachment.name),
        "path": kept.path,
        "bytes": kept.length,
        "sha256": kept.sha256.hex(),
        "stored_at": datetime.fromtimestamp(stored.stored_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _printable(value: int | str | None) -> int | str | None:
    """Replaces a half surrogate pair, which JSON may contain and UTF-8 cannot, by a question mark."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
