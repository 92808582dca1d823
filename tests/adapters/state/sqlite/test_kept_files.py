"""Files that are noted with one commit: where it is taken back, each is noted by itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import DaemonError
from precoro_daemon.files.ports.attachment_book import AttachedFile
from tests.contracts.listing import T0
from tests.contracts.test_attachment_book import detailed, due, followed, kept, named

IDS = range(7, 17)
REFUSED = 12
REFUSES = f"""
    CREATE TRIGGER refuses BEFORE UPDATE OF stored_at ON attached_files WHEN NEW.id = {REFUSED}
    BEGIN SELECT RAISE(ABORT, 'refused'); END
"""


@pytest.mark.asyncio
async def test_a_file_whose_row_went_back_with_anothers_is_noted_by_itself(tmp_path: Path) -> None:
    path, failed = tmp_path / "state.db", set()
    async with SqliteState(path, "company").open() as store:
        await detailed(store, 1, [named(id_) for id_ in IDS])
        await followed(store)
        with closing(sqlite3.connect(path)) as other:
            other.execute(REFUSES)

        async def save(file: AttachedFile) -> None:
            id_ = file.attachment.id
            try:
                await store.attachments.save_kept(file, kept(f"{id_}.pdf", sha256=bytes([id_]) * 32), at=T0)
            except (DaemonError, sqlite3.Error):
                failed.add(id_)

        async with anyio.create_task_group() as group:
            for file in await due(store):
                group.start_soon(save, file)
        stored = {row.file.attachment.id for row in await store.attachments.stored(0, 99)}
        assert REFUSED in failed
        assert stored == set(IDS) - failed
        assert len(failed) <= 2, "the refused one, and at most the one that would have written it"
        with closing(sqlite3.connect(path)) as other:
            other.execute("DROP TRIGGER refuses")
        for file in await due(store):
            await save(file)
        assert {row.file.attachment.id for row in await store.attachments.stored(0, 99)} == set(IDS)
