"""attached files in SQL, taken from details as the change log delivers them"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from precoro_daemon.adapters.state.change_log import move_position
from precoro_daemon.adapters.state.file_rows import count_due, of_each, to_file, too_large
from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.adapters.state.session import Row, Session, Transactions
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts, Kept, StoredFile, WantedFiles
from precoro_daemon.files.rules.attachments import NamedFiles
from precoro_daemon.files.rules.bodies import Part
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.mirror.rules.quarantine import Stage

_HELD_BACK = ("attachments", Stage.FOLDER, "directory")
"""The quarantine entry that says that no file can be kept: collection, stage, key."""

Key = tuple[str, int, int]


class SqlAttachmentBook:
    """Implements files.ports.AttachmentBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._unsaved: deque[dict[str, Any]] = deque()

    async def save_named(self, named: Sequence[NamedFiles], move: Move) -> None:
        def work(session: Session) -> None:
            if move_position(session, move):
                for record in named:
                    _save_named(session, record)

        await self._transactions.write(work)

    async def note_with_attachments(self, collection: str, ids: Sequence[int]) -> int:
        rows = [(collection, id_) for id_ in ids]
        return await self._transactions.run_many("attachments.note_with_attachments", rows)

    async def listing(self, collection: str) -> tuple[float | None, float | None]:
        row = await self._transactions.row("attachments.read_listing", (collection,))
        return (None, None) if row is None else (row["at"], row["whole_at"])

    async def save_listing(self, collection: str, at: float, whole_at: float | None) -> None:
        await self._transactions.run("attachments.save_listing", (collection, at, whole_at))

    async def due_files(self, wanted: WantedFiles, *, before: float, limit: int) -> Sequence[AttachedFile]:
        def work(session: Session) -> list[AttachedFile]:
            return list(map(_to_due, of_each(session, "attachments.due_files", wanted, before=before, limit=limit)))

        files = await self._transactions.read(work)
        return sorted(files, key=lambda file: -file.attachment.id)[:limit]

    async def count_due_files(self, wanted: WantedFiles, *, before: float) -> FileCounts:
        return await self._transactions.read(lambda session: count_due(session, wanted, before))

    async def too_large(self, wanted: WantedFiles) -> Sequence[AttachedFile]:
        return await self._transactions.read(lambda session: too_large(session, wanted))

    async def reserve(self, paths: Mapping[Key, str]) -> None:
        await self._transactions.run_many(
            "attachments.reserve_path", [_named(key) | {"path": path} for key, path in paths.items()]
        )

    async def save_part(self, file: AttachedFile, part: Part | None) -> None:
        announced = {"length": part and part.length, "validator": part and part.validator}
        await self._transactions.run("attachments.save_part", _named(file.key) | announced)

    async def save_kept(self, file: AttachedFile, kept: Kept, *, at: float) -> Kept | None:
        """Files that arrive during a commit share the next one: the first writer takes the rows of all that wait, and
        each then
        checks whether its own row was written.
        """
        row = _named(file.key) | cells(kept) | {"at": at}
        self._unsaved.append(row)

        def work(session: Session) -> Kept | None:
            waiting = _drained(self._unsaved)
            if row not in waiting and session.row("attachments.is_kept", row) is None:
                waiting.append(row)  # another write took it, and was taken back
            session.put_many("attachments.save_kept", waiting)
            for collection, record_id in dict.fromkeys((one["collection"], one["record_id"]) for one in waiting):
                _log_attached(session, collection, record_id)
            session.put_many("attachments.release_file", waiting)
            return _to_kept(session.row("attachments.kept_with", row))

        try:
            return await self._transactions.write(work)
        finally:
            with suppress(ValueError):  # what could not be noted is not noted later, by another file
                self._unsaved.remove(row)

    async def kept_elsewhere(self, file: AttachedFile) -> Kept | None:
        return _to_kept(await self._transactions.row("attachments.kept_elsewhere", cells(file.attachment)))

    async def note_size(self, file: AttachedFile, length: int) -> None:
        await self._transactions.run("attachments.note_size", _named(file.key) | {"length": length})

    async def sizes(self) -> tuple[int, int]:
        [row] = await self._transactions.rows("attachments.sizes")
        return row["confirmed"], row["contradicted"]

    async def hold_back(self, reason: str | None, *, at: float) -> None:
        if reason is None:
            await self._transactions.run("mirror.release", _HELD_BACK)
            return
        collection, stage, key = _HELD_BACK
        item = Quarantined(collection, key, stage, reason, None, attempts=1, since=at, retry_at=at)
        await self._transactions.run("mirror.quarantine", cells(item))

    async def requeue(self, keys: Sequence[Key]) -> None:
        def work(session: Session) -> None:
            session.run_many("attachments.requeue_file", [_named(key) for key in keys])
            for collection, record_id in dict.fromkeys(key[:2] for key in keys):
                _log_attached(session, collection, record_id)

        await self._transactions.write(work)

    async def stored(self, after: int, limit: int) -> Sequence[StoredFile]:
        return await self._stored("attachments.stored_after", (after, limit))

    async def newest_stored(self) -> int:
        return int(await self._transactions.value("attachments.newest_stored"))

    async def count_stored(self) -> int:
        return int(await self._transactions.value("attachments.count_stored"))

    async def verified(self, keys: Sequence[Key], *, at: float) -> None:
        await self._transactions.run_many("attachments.verify_file", [_named(key) | {"at": at} for key in keys])

    async def verified_last(self) -> float:
        return float(await self._transactions.value("attachments.verified_last"))

    async def least_verified(self, limit: int) -> Sequence[StoredFile]:
        return await self._stored("attachments.least_verified", (limit,))

    async def begun(self) -> Sequence[str]:
        return [row["path"] for row in await self._transactions.rows("attachments.begun_files")]

    async def orphans(self, paths: Sequence[str]) -> Sequence[str]:
        def work(session: Session) -> list[str]:
            return [path for path in paths if session.row("attachments.known_path", (path,)) is None]

        return await self._transactions.read(work)

    async def _stored(self, statement: str, values: tuple[int, ...]) -> Sequence[StoredFile]:
        return await self._transactions.read(
            lambda session: [_to_stored(row) for row in session.rows(statement, values)]
        )


def _save_named(session: Session, named: NamedFiles) -> None:
    """Saves the files that a detail names. The detail changed, so files that failed before may succeed now."""
    owner = {"collection": named.collection, "record_id": named.record_id}
    others = session.run_many("attachments.see_file", [owner | cells(file) for file in named.files])
    session.put_many("attachments.retry_file", [(named.collection, str(file.id)) for file in named.files])
    ids = json.dumps([file.id for file in named.files])
    if lost := session.run("attachments.lose_files", owner | {"ids": ids, "at": named.at}):
        session.put("attachments.release_lost", owner)
    if others or lost:
        _log_attached(session, named.collection, named.record_id)


def _log_attached(session: Session, collection: str, record_id: int) -> None:
    """Logs the change with this machine's time, so that no change is earlier than the ones before it."""
    row = {"collection": collection, "id": record_id, "kind": "attached", "at": time.time()}
    session.put("mirror.log_change_of_record", row)


def _drained(rows: deque[dict[str, Any]]) -> list[dict[str, Any]]:
    """Removes and returns all rows. Other threads may add or withdraw rows meanwhile."""
    found = []
    with suppress(IndexError):
        while True:
            found.append(rows.popleft())
    return found


def _named(key: Key) -> dict[str, object]:
    return dict(zip(("collection", "record_id", "id"), key, strict=True))


def _to_due(row: Row) -> AttachedFile:
    return replace(to_file(row), attempts=row["attempts"], shared=bool(row["shared"]), ours=bool(row["ours"]))


def _to_kept(row: Row | None) -> Kept | None:
    return None if row is None else Kept(row["path"], row["length"], row["sha256"])


def _to_stored(row: Row) -> StoredFile:
    return StoredFile(row["seq"], to_file(row), Kept(row["path"], row["length"], row["sha256"]), row["stored_at"])
