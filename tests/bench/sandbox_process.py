"""The sandbox as a process, on the server's core until it is terminated.

`python -m tests.bench.sandbox_process '{"size": "small"}'` prints its address and key as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import anyio

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.bench.processes import SERVER_CORE


async def _serve(options: SandboxOptions) -> None:
    async with serve(options) as sandbox:
        print(json.dumps({"url": sandbox.url, "token": sandbox.token, "email": sandbox.email}), flush=True)
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            await anext(signals)


if __name__ == "__main__":
    os.sched_setaffinity(0, {SERVER_CORE})
    anyio.run(_serve, SandboxOptions(**json.loads(sys.argv[1])))
