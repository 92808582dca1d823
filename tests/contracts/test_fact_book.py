"""What every state store promises as a book of facts about Precoro (`status.facts.FactBook`)."""

from __future__ import annotations

import pytest

from precoro_daemon.status.facts import Fact
from tests.contracts.backends import Backend


@pytest.mark.asyncio
async def test_facts_survive_a_restart(backend: Backend) -> None:
    facts = [Fact("list_order", "é", "newest first", 1.5), Fact("webhooks", "", "none came", 2.0)]
    async with backend.open() as store:
        assert list(await store.fact_book.load()) == []
        await store.fact_book.save(facts[:1])
        await store.fact_book.save(facts)
    async with backend.open() as store:
        assert list(await store.fact_book.load()) == facts
