"""assigns each file its path, durably, before anything is written there"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from precoro_daemon.errors import FolderUnusable
from precoro_daemon.files.downloading import DownloadTask
from precoro_daemon.files.ports.attachment_book import AttachedFile, AttachmentBook
from precoro_daemon.files.ports.object_store import ObjectStore
from precoro_daemon.files.rules.names import path_of

Obstructed = tuple[AttachedFile, FolderUnusable]


async def reserve_paths(
    book: AttachmentBook, store: ObjectStore, files: Sequence[AttachedFile]
) -> tuple[list[DownloadTask], list[Obstructed]]:
    """Assigns a path to each file that has none and whose path is free. Returns the files that can be downloaded, and
    those that cannot because something that is not ours is at their path.
    """
    paths = {file.key: file.reserved or _path_of(file) for file in files}
    there = await store.in_the_way([paths[file.key] for file in files if not file.ours])
    await book.reserve(
        {file.key: paths[file.key] for file in files if not file.reserved and paths[file.key] not in there}
    )
    obstructed = list(_obstructed(files, paths, there))
    out = {file.key for file, _ in obstructed}
    tasks = [_task(file, paths[file.key], there) for file in files if file.key not in out]
    return tasks, obstructed


def _obstructed(
    files: Sequence[AttachedFile], paths: Mapping[tuple[str, int, int], str], there: Mapping[str, bytes | None]
) -> Iterator[Obstructed]:
    for file in files:
        path = paths[file.key]
        if not file.ours and path in there and there[path] is None:
            yield file, FolderUnusable(f"{file}: something is in the way of {path}; move it away")


def _task(file: AttachedFile, path: str, there: Mapping[str, bytes | None]) -> DownloadTask:
    return DownloadTask(file, path, None if file.ours else there.get(path), replaces=file.ours, part=file.part)


def _path_of(file: AttachedFile) -> str:
    return path_of(file.collection, file.idn, file.record_id, (file.attachment.id, file.attachment.name))
