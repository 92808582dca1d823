"""What every state store promises as a book of what people were notified of (`status.notices.NoticeBook`)."""

from __future__ import annotations

import pytest

from precoro_daemon.status.notices import Kept, Standing
from tests.contracts.backends import Backend


@pytest.mark.asyncio
async def test_what_people_were_notified_of_survives_a_restart(backend: Backend) -> None:
    kept = Kept({"key": Standing("Precoro refuses the key", 1.5, sent=True), "x": Standing("é", 2.0)}, 3.25)
    async with backend.open() as store:
        assert await store.notice_book.load() == Kept()
        await store.notice_book.save(Kept({}, 1.0))
        await store.notice_book.save(kept)
    async with backend.open() as store:
        assert await store.notice_book.load() == kept
