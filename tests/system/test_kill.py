"""A few kill schedules; `python -m tests.sweep` plays many."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.sandbox.options import Meta, Order
from tests.system.killing import kill_and_recover


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("seed", "order", "meta"),
    [(1, "created_desc", "both"), (2, "updated_asc", "has_next")],
)
async def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path, seed: int, order: Order, meta: Meta) -> None:
    await kill_and_recover(tmp_path, seed, kills=3, order=order, meta=meta)
