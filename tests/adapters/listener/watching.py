"""The socket of those who watch, over a snapshot made by hand, and what they get from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from precoro_daemon.adapters.listener.watch import Gatekeeper, watch
from precoro_daemon.status.snapshot import Snapshot
from precoro_daemon.values.addresses import Address, read_address


@dataclass
class Window:
    """A Watcher that shows what it is given."""

    shown: Snapshot

    def glance(self) -> Snapshot:
        return self.shown

    async def snapshot(self, patience: float) -> Snapshot:
        return self.shown


@dataclass
class Seen:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Post:
    """Where one stands who watches."""

    window: Window
    address: Address
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.address}" if not self.address.path else "http://anything"

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Seen:
        connector = aiohttp.UnixConnector(self.address.path) if self.address.path else None
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"{self.url}{path}", headers=self.headers | headers) as answer,
        ):
            return Seen(answer.status, answer.headers, await answer.text())


@asynccontextmanager
async def watching(
    snapshot: Snapshot, listen: str | Path = "127.0.0.1:0", hosts: tuple[str, ...] = (), life: float = 10.0
) -> AsyncIterator[Post]:
    window = Window(snapshot)
    address = read_address(listen if isinstance(listen, str) else f"unix:{listen}")
    async with watch(window, address, Gatekeeper(hosts), life=life) as real:
        yield Post(window, real)
