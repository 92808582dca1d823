"""A fleet of real processes on a real PostgreSQL: killed, stopped, cut off. `make sweep` plays long stories of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.state.postgresql.fleet_story import Story, play
from tests.adapters.state.postgresql.fleets import Tables, fleet_database
from tests.clocks import compiler


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet") as tables:
        yield tables


@pytest.mark.waits
@pytest.mark.asyncio
async def test_workers_that_die_or_sleep_never_serve_a_company_side_by_side(tables: Tables, tmp_path: Path):
    story = Story(seed=4, kills=2, stops=2, cuts=2, silences=2, busy=1, stuck=1)
    outcome = await play(tables, story, tmp_path / "log")
    print(outcome.shown())
    assert outcome.wrong == {}
    assert outcome.exits == [0] * story.workers
    assert outcome.paid > 20
    assert max(outcome.taken_over_after) < 3 * (story.lease + 5)


@pytest.mark.waits
@pytest.mark.asyncio
@pytest.mark.skipif(compiler() is None, reason="no C compiler on this machine")
async def test_clocks_that_are_ten_minutes_ahead_and_behind_change_nothing(tables: Tables, tmp_path: Path):
    """Each hand-over is from a worker of the one kind to one of the other, or may be."""
    outcome = await play(tables, Story(seed=5, workers=2, kills=2, stops=1, apart=600), tmp_path / "log")
    print(outcome.shown())
    assert outcome.apart > 1_190
    assert outcome.wrong == {}
    assert outcome.exits == [0, 0]
    assert max(outcome.taken_over_after) < 3 * (3.0 + 5)
