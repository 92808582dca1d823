"""attached files on SQLite: read out of details as the change log brings them"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from precoro_daemon.adapters.state.sqlite.change_log import move_position
from precoro_daemon.adapters.state.sqlite.statements import SQL as STATE
from precoro_daemon.adapters.state.sqlite.statements import read_named
from precoro_daemon.adapters.state.sqlite.transactions import Transactions, Values
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts, Kept, StoredFile, WantedFiles
from precoro_daemon.files.rules.attachments import Attachment, NamedFiles
from precoro_daemon.files.rules.bodies import Part
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.status.reading import FileState

SQL = read_named("attachments.sql")

_HELD_BACK = ("attachments", Stage.FOLDER, "directory")
"""What stands aside when no file can be kept: collection, stage, key."""

Key = tuple[str, int, int]


class SqlAttachmentBook:
    """ports.AttachmentBook, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def save_named(self, named: Sequence[NamedFiles], move: Move) -> None:
        def work(connection: sqlite3.Connection) -> None:
            if move_position(connection, move):
                for record in named:
                    _save_named(connection, record)

        await self._transactions.write(work)

    async def note_with_attachments(self, collection: str, ids: Sequence[int]) -> int:
        rows = [(collection, id_) for id_ in ids]
        return await self._transactions.write(
            lambda connection: connection.executemany(SQL["note_carrier"], rows).rowcount
        )

    async def listing(self, collection: str) -> tuple[float | None, float | None]:
        row = await self._first("read_listing", (collection,))
        return (None, None) if row is None else (row["at"], row["whole_at"])

    async def save_listing(self, collection: str, at: float, whole_at: float | None) -> None:
        await self._write("save_listing", [(collection, at, whole_at)])

    async def due_files(self, wanted: WantedFiles, *, before: float, limit: int) -> Sequence[AttachedFile]:
        def work(connection: sqlite3.Connection) -> list[AttachedFile]:
            return list(map(_to_due, _of_each(connection, "due_files", wanted, before=before, limit=limit)))

        files = await self._transactions.read(work)
        return sorted(files, key=lambda file: -file.attachment.id)[:limit]

    async def count_due_files(self, wanted: WantedFiles, *, before: float) -> FileCounts:
        return await self._transactions.read(lambda connection: _count_due(connection, wanted, before))

    async def too_large(self, wanted: WantedFiles) -> Sequence[AttachedFile]:
        return await self._transactions.read(lambda connection: _too_large(connection, wanted))

    async def reserve(self, paths: Mapping[Key, str]) -> None:
        await self._write("claim_path", [_named(key) | {"path": path} for key, path in paths.items()])

    async def save_part(self, file: AttachedFile, part: Part | None) -> None:
        told = {"length": part and part.length, "validator": part and part.validator}
        await self._write("save_part", [_named(file.key) | told])

    async def save_kept(self, file: AttachedFile, kept: Kept, *, at: float) -> Kept | None:
        row = _named(file.key) | asdict(kept) | {"at": at}

        def work(connection: sqlite3.Connection) -> Kept | None:
            connection.execute(SQL["save_kept"], row)
            connection.execute(SQL["clear_file"], row)
            return _to_kept(connection.execute(SQL["kept_with"], row).fetchone())

        return await self._transactions.write(work)

    async def kept_elsewhere(self, file: AttachedFile) -> Kept | None:
        return _to_kept(await self._first("kept_elsewhere", asdict(file.attachment)))

    async def note_size(self, file: AttachedFile, length: int) -> None:
        await self._write("note_size", [_named(file.key) | {"length": length}])

    async def sizes(self) -> tuple[int, int]:
        row = await self._first("sizes", ())
        return (row["confirmed"], row["contradicted"]) if row is not None else (0, 0)

    async def hold_back(self, reason: str | None, *, at: float) -> None:
        if reason is None:
            await self._transactions.execute(STATE["clear_aside"], _HELD_BACK)
            return
        collection, stage, key = _HELD_BACK
        item = Quarantined(collection, key, stage, reason, None, attempts=1, since=at, retry_at=at)
        await self._transactions.execute(STATE["set_aside"], asdict(item))

    async def requeue(self, keys: Sequence[Key]) -> None:
        await self._write("requeue_file", [_named(key) for key in keys])

    async def stored(self, after: int, limit: int) -> Sequence[StoredFile]:
        return await self._stored("stored_after", (after, limit))

    async def newest_stored(self) -> int:
        return await self._number("newest_stored")

    async def count_stored(self) -> int:
        return await self._number("count_stored")

    async def _number(self, statement: str) -> int:
        row = await self._first(statement, ())
        return 0 if row is None else int(row[0])

    async def verified(self, keys: Sequence[Key], *, at: float) -> None:
        await self._write("verify_file", [_named(key) | {"at": at} for key in keys])

    async def verified_last(self) -> float:
        row = await self._first("verified_last", ())
        return 0.0 if row is None else float(row[0])

    async def least_verified(self, limit: int) -> Sequence[StoredFile]:
        return await self._stored("least_verified", (limit,))

    async def begun(self) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [row["path"] for row in connection.execute(SQL["begun_files"])]

        return await self._transactions.read(work)

    async def orphans(self, paths: Sequence[str]) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [path for path in paths if connection.execute(SQL["known_path"], (path,)).fetchone() is None]

        return await self._transactions.read(work)

    async def _write(self, statement: str, rows: Sequence[Values]) -> None:
        await self._transactions.execute_each(SQL[statement], rows)

    async def _first(self, statement: str, values: Mapping[str, object] | tuple[object, ...]) -> sqlite3.Row | None:
        def work(connection: sqlite3.Connection) -> sqlite3.Row | None:
            row: sqlite3.Row | None = connection.execute(SQL[statement], values).fetchone()
            return row

        return await self._transactions.read(work)

    async def _stored(self, statement: str, values: tuple[int, ...]) -> Sequence[StoredFile]:
        def work(connection: sqlite3.Connection) -> list[StoredFile]:
            return [_to_stored(row) for row in connection.execute(SQL[statement], values)]

        return await self._transactions.read(work)


def read_files(connection: sqlite3.Connection, wanted: WantedFiles) -> FileState:
    """For people. Blocking."""
    counts = connection.execute(SQL["count_files"])
    return FileState(
        stored={row["collection"]: FileCounts(row["stored"], row["bytes"]) for row in counts if row["stored"]},
        due=_count_due(connection, wanted, math.inf),
        too_large=_too_large(connection, wanted),
    )


def _count_due(connection: sqlite3.Connection, wanted: WantedFiles, before: float) -> FileCounts:
    rows = list(_of_each(connection, "count_due_files", wanted, before=before))
    return FileCounts(sum(row["files"] for row in rows), sum(row["bytes"] for row in rows))


def _too_large(connection: sqlite3.Connection, wanted: WantedFiles) -> list[AttachedFile]:
    return list(map(_to_file, _of_each(connection, "too_large", wanted)))


def _of_each(
    connection: sqlite3.Connection, statement: str, wanted: WantedFiles, **more: float
) -> Iterator[sqlite3.Row]:
    """Asked collection by collection, so that each is read off the index of what is due."""
    for name in wanted.collections:
        yield from connection.execute(SQL[statement], {"collection": name, "max_bytes": wanted.max_bytes, **more})


def _save_named(connection: sqlite3.Connection, named: NamedFiles) -> None:
    """The detail changed, so what failed of its files may now succeed."""
    owner = {"collection": named.collection, "record_id": named.record_id}
    connection.executemany(SQL["see_file"], [owner | asdict(file) for file in named.files])
    connection.executemany(SQL["retry_file"], [(named.collection, str(file.id)) for file in named.files])
    ids = json.dumps([file.id for file in named.files])
    if connection.execute(SQL["lose_files"], owner | {"ids": ids, "at": named.at}).rowcount:
        connection.execute(SQL["clear_lost"], owner)


def _named(key: Key) -> dict[str, object]:
    return dict(zip(("collection", "record_id", "id"), key, strict=True))


def _to_due(row: sqlite3.Row) -> AttachedFile:
    return replace(_to_file(row), attempts=row["attempts"], shared=bool(row["shared"]), ours=bool(row["ours"]))


def _to_file(row: sqlite3.Row) -> AttachedFile:
    part = None if not row["part_length"] else Part(row["part_length"], row["part_validator"])
    return AttachedFile(
        collection=row["collection"],
        record_id=row["record_id"],
        idn=row["idn"],
        attachment=Attachment(row["id"], row["name"], row["size"], row["kind"], row["uploaded_at"]),
        reserved=row["path"],
        part=part,
    )


def _to_kept(row: sqlite3.Row | None) -> Kept | None:
    return None if row is None else Kept(row["path"], row["length"], row["sha256"])


def _to_stored(row: sqlite3.Row) -> StoredFile:
    return StoredFile(row["seq"], _to_file(row), Kept(row["path"], row["length"], row["sha256"]), row["stored_at"])
