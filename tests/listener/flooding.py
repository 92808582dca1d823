"""Webhooks as fast as one process can offer them, each on a connection of its own.

`python -m tests.listener.flooding PORT SECRET SECONDS` prints what was offered and answered as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import count

_SIDE_BY_SIDE = 1000
"""Five times what the listener holds, so that some are always being turned away."""

_IDS = 50_000
"""Records named in turn: five times what may wait."""


async def flood(port: int, secret: str, seconds: float) -> Counter[str]:
    """How many were offered, and the status of each answer; "" where the connection was closed without one."""
    told: Counter[str] = Counter()
    numbers = count()
    end = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(_SIDE_BY_SIDE):
            group.create_task(_offer(port, secret, numbers, end, told), name=f"sender {number}")
    return told


async def _offer(port: int, secret: str, numbers: count[int], end: float, told: Counter[str]) -> None:
    loop = asyncio.get_running_loop()
    while time.monotonic() < end:
        id_ = next(numbers) % _IDS
        body = b'{"id": %d, "type": %d, "action": 1, "idn": %d}' % (id_, id_ % 12, id_)
        head = f"POST /{secret} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        sender = _Sender(head.encode() + body, loop.create_future())
        told["offered"] += 1
        try:
            await loop.create_connection(lambda sender=sender: sender, "127.0.0.1", port)  # type: ignore[misc]
            told[await sender.over] += 1
        except OSError:
            told[""] += 1


class _Sender(asyncio.Protocol):
    """Says its piece and waits for the end; a stream of asyncio would cost twice as much."""

    def __init__(self, said: bytes, over: asyncio.Future[str]) -> None:
        self._said = said
        self._heard = b""
        self.over = over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._said)

    def data_received(self, data: bytes) -> None:
        self._heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(self._heard[9:12].decode())


if __name__ == "__main__":
    print(json.dumps(asyncio.run(flood(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))))
