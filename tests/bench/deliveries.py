"""Webhooks in a flood: what the program takes, what that costs it, and whether it goes on with its work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio

from tests.bench.figures import Aim, Line
from tests.bench.processes import CLIENT_CORE, SERVER_CORE
from tests.system import floods

_SECONDS = 60.0
_RATE = 10_000
_MOST_MB = 32
_MOST_PAUSE = 10.0
"""Seconds without a listing; one is due every two."""


def flood(folder: Path) -> Iterator[Line]:
    """The program has a core of its own; the senders share the sandbox's."""
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        play = partial(floods.flood, folder, seconds=_SECONDS, rate=_RATE, cores=(CLIENT_CORE, SERVER_CORE))
        found = anyio.run(play)
    finally:
        os.sched_setaffinity(0, {CLIENT_CORE})
    print(f"  {found}", flush=True)
    offered, kept = (found.told.get(name, 0) / _SECONDS for name in ("offered", "204"))
    grown = found.peak - found.rest
    yield Line("webhooks offered a second", f"{offered:,.0f}", "answered 204", f"{kept:,.0f}")
    yield Line("  growth of memory", f"{grown:.1f} MB", "allowed", f"{_MOST_MB} MB", grown / _MOST_MB, Aim(1.0))
    pause = found.pause
    yield Line(
        "  without a listing",
        f"{pause:.1f} s",
        "allowed",
        f"{_MOST_PAUSE:.0f} s",
        pause / _MOST_PAUSE,
        Aim(1.0),
    )
    paid = found.paid / found.owed
    yield Line(
        "  paid meanwhile", str(found.paid), "entered in the books", str(found.owed), paid, Aim(0.9, at_least=True)
    )
