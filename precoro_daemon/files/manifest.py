"""the manifest of kept files, brought up to what the state knows"""

from __future__ import annotations

from precoro_daemon.files.ports.attachment_book import AttachmentBook
from precoro_daemon.files.ports.object_store import ObjectStore

_LINES_A_WRITE = 500
"""Lines added at a time."""


async def write_manifest(book: AttachmentBook, store: ObjectStore) -> None:
    """Whatever an earlier lap left undone. A manifest that is ahead shows that the state was restored from a backup:
    it is written anew, before anything is stored, as later the two could not be distinguished by their ends."""
    if not store.capabilities.manifest:
        return
    end = await store.manifest_end()
    if end > await book.newest_stored():
        await store.write_manifest((), anew=True)
        end = 0
    while lines := await book.stored(end, _LINES_A_WRITE):
        await store.write_manifest(lines, anew=False)
        end = lines[-1].seq
