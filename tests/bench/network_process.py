"""Sandboxes behind bad networks, as one process on the server's core until it is terminated.

`python -m tests.bench.network_process '[{"way": [0.02, 0.15], "answer": [0, 0], "fixed": false}]' 1000` prints as
JSON the addresses of the proxies to lists of so many rows, and at the end how many connections each of them took.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from random import Random
from typing import Any
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup

from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.sandbox.options import Quota
from tests.bench.processes import SERVER_CORE

_LISTS = ("invoices", "purchaseorders", "receipts", "expenses", "suppliers", "items")


class Proxy:
    """Takes random times to hand on each request, and each answer. A connection has one request under way."""

    def __init__(self, server: str, way: tuple[float, float], answer: tuple[float, float], seed: int) -> None:
        self.connections = 0
        self._server = urlsplit(server)
        self._way, self._answer = way, answer
        self._random = Random(seed)

    async def serve(self, tasks: TaskGroup) -> str:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        tasks.start_soon(listener.serve, self._carry)
        return f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"

    async def _carry(self, client: SocketStream) -> None:
        self.connections += 1
        assert self._server.hostname
        assert self._server.port
        async with client, await anyio.connect_tcp(self._server.hostname, self._server.port) as server:
            begun = [False]
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._answers, server, client, begun, tasks)
                    async for asked in client:
                        await anyio.sleep(self._random.uniform(*self._way))
                        begun[0] = False
                        await server.send(asked)
                    tasks.cancel_scope.cancel()
            except* (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
                pass  # one side hung up, which ends the connection

    async def _answers(self, server: SocketStream, client: SocketStream, begun: list[bool], tasks: TaskGroup) -> None:
        async for said in server:
            if not begun[0]:
                begun[0] = True
                await anyio.sleep(self._random.uniform(*self._answer))
            await client.send(said)
        tasks.cancel_scope.cancel()


async def main(networks: list[dict[str, Any]], rows: int) -> None:
    counts = {**dict.fromkeys(_LISTS, rows), "payments": 0}
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(anyio.create_task_group())
        proxies: list[Proxy] = []
        urls: list[str] = []
        for seed, network in enumerate(networks):
            quota = Quota(per_hour=0, per_day=0, fixed=network["fixed"])
            sandbox = await stack.enter_async_context(
                serve(SandboxOptions(size="empty", counts=counts, quota=quota, warm=True))
            )
            proxies.append(Proxy(sandbox.url, network["way"], network["answer"], seed))
            urls.append(await proxies[-1].serve(tasks))
        print(json.dumps({"urls": urls, "token": sandbox.token, "email": sandbox.email}), flush=True)
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            await anext(signals)
        print(json.dumps([proxy.connections for proxy in proxies]), flush=True)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    os.sched_setaffinity(0, {SERVER_CORE})
    anyio.run(main, json.loads(sys.argv[1]), int(sys.argv[2]))
