"""The guard that all tests run under does catch a blocking call."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from blockbuster import BlockingError

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.mirror.ports.mirror import WantedDetails

NO_FILES = WantedFiles((), 0)


@pytest.mark.asyncio
async def test_a_blocking_call_on_the_loop_fails(tmp_path: Path) -> None:
    with pytest.raises(BlockingError):
        SqliteState(tmp_path / "none.db", "company").overview(
            since=0.0, files=NO_FILES, details=WantedDetails(), now=0.0
        )


@pytest.mark.asyncio
async def test_the_same_call_on_a_thread_does_not(tmp_path: Path) -> None:
    def look() -> None:
        SqliteState(tmp_path / "none.db", "company").overview(
            since=0.0, files=NO_FILES, details=WantedDetails(), now=0.0
        )

    with pytest.raises(StoreUnusable):
        await anyio.to_thread.run_sync(look)
