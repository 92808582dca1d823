"""Schedules of faults, crashes and late arrivals over items: none twice, no field lost, nothing stuck."""

from __future__ import annotations

import asyncio

from tests.catalogue.schedules import drawn, play_all


def test_random_schedules() -> None:
    """The sweep plays as many as it has time for."""
    tally = asyncio.run(play_all(map(drawn, range(60))))
    assert tally.wrong == []
    assert tally.counts["done"] > 240
    assert tally.counts["conflict"] > 2
