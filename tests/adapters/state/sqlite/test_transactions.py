"""One connection on one thread: nothing of it gets out."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreUnusable

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_state_that_was_removed_or_replaced_is_not_used_until_it_is_back(
    tmp_path: Path, *, replaced: bool
) -> None:
    path, away = tmp_path / "state.db", tmp_path / "away.db"
    async with SqliteState(path, "company").open() as store:
        await store.budget_book.charge(1.0, b"12345678")
        await anyio.Path(path).rename(away)
        if replaced:
            await anyio.Path(path).write_bytes(await anyio.Path(away).read_bytes())
        for work in (store.journal.switch, lambda: store.budget_book.charge(2.0, b"12345678")):
            with pytest.raises(StoreUnusable, match="was removed or replaced while in use"):
                await work()
        await anyio.Path(away).replace(path)
        await store.budget_book.charge(3.0, b"12345678")
        assert [at for at, _ in await store.budget_book.load(0.0)] == [1.0, 3.0]


async def test_no_cursor_leaves_the_thread(tmp_path: Path) -> None:
    """Forgotten by another thread it would reset a statement that is in use: "bad parameter or other API misuse"."""
    async with SqliteState(tmp_path / "state.db", "company").open() as store:
        transactions = store.lap_book._transactions
        lap = {"job": "a", "started_at": 1.0, "ended_at": 2.0, "good_at": None}
        assert await transactions.run_many("lap_book.save_lap", [lap, lap | {"job": "b"}]) == 2
        rows = await transactions.rows("lap_book.read_laps")
        row = await transactions.row("lap_book.read_laps")
        assert [one["job"] for one in rows] == ["a", "b"]
        assert row is not None
        assert tuple(row) == tuple(rows[0])
        held = [what for one in (rows, row) for what in gc.get_referents(one)]
        assert not any(isinstance(what, sqlite3.Cursor | sqlite3.Connection) for what in held)
