"""a server that keeps what is sent to it, for messages and signs of life"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Receiver:
    port: int = 0
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)
    pings: int = 0

    @property
    def target(self) -> str:
        return f"json://127.0.0.1:{self.port}/in"

    @property
    def heartbeat(self) -> str:
        return f"http://127.0.0.1:{self.port}/ping"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    there = Receiver()

    async def take(request: web.Request) -> web.Response:
        if there.status == 200:
            there.messages.append(await request.json())
        return web.Response(status=there.status, text="no")

    async def ping(_: web.Request) -> web.Response:
        there.pings += there.status == 200
        return web.Response(status=there.status)

    app = web.Application()
    app.router.add_post("/in", take)
    app.router.add_get("/ping", ping)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        there.port = runner.addresses[0][1]
        yield there
    finally:
        await runner.cleanup()
