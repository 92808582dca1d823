"""Calls a minute and refusals where requests take long, and differently long, to arrive, and where answers are slow.

Real time, the program's own gate and transport, all networks at the same time: one long list, four lists side by
side, details. NETWORK_CALLS=2200 makes as many calls of each (the default is 100, which takes seven minutes).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.company import connect
from precoro_daemon.errors import NotFound
from precoro_daemon.mirror.ports.precoro import ListRequest, Precoro
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.quota.limits import Lane
from precoro_daemon.settings import load
from tests.bench.figures import Aim, Line
from tests.bench.processes import ROOT, python
from tests.bench.serving import Server
from tests.bench.subject import write_config

_CALLS = int(os.environ.get("NETWORK_CALLS", "100"))
_PER_PAGE = 10
_LEARNING_CALLS = 60
_ROWS = _PER_PAGE * (max(_CALLS, _LEARNING_CALLS) + 40)
_SIDE_BY_SIDE = ("purchase_orders", "receipts", "expenses", "suppliers")
_FIRST_CALLS = 200


@dataclass(frozen=True)
class Network:
    """Seconds that a request takes to arrive and an answer to come, and the calls a minute that can be kept up: none
    is refused only where each is known to have arrived before the next can."""

    name: str
    way: tuple[float, float]
    answer: tuple[float, float]
    least: float
    fixed: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {'fixed' if self.fixed else 'sliding'}"


_NO_TIME = (0.0, 0.0)
_NETWORKS = tuple(
    Network(name, way, answer, least, fixed)
    for fixed in (False, True)
    for name, way, answer, least in (
        ("0-40 ms", (0.0, 0.04), _NO_TIME, 57),
        ("20-150 ms", (0.02, 0.15), _NO_TIME, 56),
        ("50-400 ms", (0.05, 0.4), _NO_TIME, 50),
        ("answers 300-900 ms", _NO_TIME, (0.3, 0.9), 56),
        ("answers 3 s", _NO_TIME, (3.0, 3.0), 57),
    )
)


@dataclass
class Counted:
    """Who counts the calls of one network: when each was answered, and how."""

    answers: list[tuple[float, str]] = field(default_factory=list)

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """Nothing is counted."""

    def outranked(self, lane: Lane) -> None:
        """Nothing is counted."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """Nothing is counted: a call counts when it is answered."""

    def answered(self, method: str, route: str, outcome: str) -> None:
        self.answers.append((time.monotonic(), outcome))

    def refused(self, first: int, last: int | None) -> int:
        return sum(outcome == "429" for _, outcome in self.answers[first:last])

    def a_minute(self, since: int) -> float:
        """Calls that were not refused, after the answer `since`."""
        good = [at for at, outcome in self.answers[since:] if outcome != "429"]
        return 60 * (len(good) - 1) / (good[-1] - good[0])


@dataclass(frozen=True)
class Found:
    """Of one network: good answers a minute by shape of work, and who counted."""

    a_minute: Mapping[str, float]
    counted: Counted


def pace(folder: Path) -> Iterator[Line]:
    with _served() as (server, connections):
        found: dict[str, Found] = {}
        anyio.run(_measure_all, server, folder, found)
    for network, opened in zip(_NETWORKS, connections, strict=True):
        yield from _lines(network, found[str(network)], opened)


def _lines(network: Network, found: Found, opened: int) -> Iterator[Line]:
    aim = Aim(network.least / 60, at_least=True)
    for shape, rate in found.a_minute.items():
        wanted = None if shape == _LEARNING else aim
        yield Line(f"{network}: {shape}", f"{rate:.1f} a minute", "allowed", "60", rate / 60, wanted)
    early, late = found.counted.refused(0, _FIRST_CALLS), found.counted.refused(_FIRST_CALLS, None)
    calls = len(found.counted.answers)
    yield Line(f"  refused of the first {_FIRST_CALLS}", str(early), "allowed", "1", early, Aim(1))
    yield Line(f"  refused of the next {calls - _FIRST_CALLS:,}", str(late), "allowed", "0", late, Aim(0))
    yield Line("  connections opened", str(opened), "calls", f"{calls:,}", opened / calls, Aim(0.1))


@contextmanager
def _served() -> Iterator[tuple[Any, list[int]]]:
    """The networks' addresses; the list holds the connections of each when they are gone."""
    wanted = [{"way": one.way, "answer": one.answer, "fixed": one.fixed} for one in _NETWORKS]
    command = python("-m", "tests.bench.network_process", json.dumps(wanted), str(_ROWS))
    connections: list[int] = []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), connections
    finally:
        process.terminate()
        told, _ = process.communicate()
    connections += json.loads(told)


async def _measure_all(server: Any, folder: Path, found: dict[str, Found]) -> None:
    async with anyio.create_task_group() as tasks:
        for number, (network, url) in enumerate(zip(_NETWORKS, server["urls"], strict=True)):
            proxy = Server(url, server["token"], server["email"])
            tasks.start_soon(_measure, network, proxy, folder / str(number), found)


async def _measure(network: Network, server: Server, folder: Path, found: dict[str, Found]) -> None:
    rates: dict[str, float] = {}
    counted = Counted()
    async with _client(server, folder, counted) as precoro:
        for shape, work in _SHAPES:
            begun = len(counted.answers)
            await work(precoro)
            rates[shape] = counted.a_minute(begun)
            print(f"  {network}: {shape}: {rates[shape]:.1f}, refused {counted.refused(begun, None)}", flush=True)
    found[str(network)] = Found(rates, counted)


@asynccontextmanager
async def _client(server: Server, folder: Path, counted: Counted) -> AsyncIterator[Precoro]:
    """What the command line makes of its configuration, but for the hour and the day."""
    sections = {"limits": {"per_hour": 0, "per_day": 0}, "mirror_collections": {"per_page": _PER_PAGE}}
    settings = load(write_config(folder, server, sections), server.credentials)
    async with (
        SqliteState(folder / "calls.db", server.url).open() as store,
        connect(settings, store.budget_book, RealClock(), counted) as gateway,
    ):
        yield gateway.precoro


async def _learn(client: Precoro) -> None:
    await _pages(client, "items", _LEARNING_CALLS, Lane.LISTS)


async def _list(client: Precoro) -> None:
    await _pages(client, "invoices", _CALLS, Lane.LISTS)


async def _lists(client: Precoro) -> None:
    async with anyio.create_task_group() as tasks:
        for name in _SIDE_BY_SIDE:
            tasks.start_soon(_pages, client, name, _CALLS // len(_SIDE_BY_SIDE), Lane.LISTS)


async def _pages(client: Precoro, name: str, most: int, lane: Lane) -> None:
    taken = 0
    async with client.scan(ListRequest(COLLECTIONS[name]), lane, 1) as batches:
        async for pages in batches:
            taken += len(pages)
            if taken >= most:
                return


async def _details(client: Precoro) -> None:
    collection = COLLECTIONS["invoices"]
    page = await client.page(ListRequest(collection), Lane.LISTS, _ROWS // _PER_PAGE)
    newest = max(int(record.idn or 0) for record in page.records)
    wanted = iter(range(newest, newest - _CALLS, -1))

    async def work() -> None:
        for key in wanted:
            with suppress(NotFound):  # an answer like any other
                await client.detail(collection, key, Lane.DETAILS)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(work)


_LEARNING = f"first {_LEARNING_CALLS}"
_SHAPES = ((_LEARNING, _learn), ("one list", _list), ("lists", _lists), ("details", _details))
