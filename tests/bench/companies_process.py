"""Sandboxes of many small companies in one process, on the server's core until it is terminated.

`python -m tests.bench.companies_process 50 '{"limits": true}'` prints their addresses as JSON. Each has a key and a
user of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import anyio

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.bench.processes import SERVER_CORE

_COUNTS = {"invoices": 40, "suppliers": 20, "items": 100}


async def _serve(companies: int, given: Mapping[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        urls = {}
        for number in range(companies):
            name = f"company{number:03}"
            own = {"token": f"key-{name}", "email": f"{name}@sandbox.example"}
            options = SandboxOptions(**{"size": "empty", "counts": _COUNTS, "limits": False, **own, **given})
            urls[name] = (await stack.enter_async_context(serve(options))).url
        print(json.dumps(urls), flush=True)
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            await anext(signals)


if __name__ == "__main__":
    os.sched_setaffinity(0, {SERVER_CORE})
    anyio.run(_serve, int(sys.argv[1]), json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
