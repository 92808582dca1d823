"""Small servers on real sockets, and a book that keeps its state in memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

import anyio
from aiohttp import web
from anyio.abc import SocketStream

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.quota.limits import Lane


@dataclass
class MemoryBook:
    """A BudgetBook; handed to a second client it is what a restart finds."""

    calls: list[tuple[float, bytes]] = field(default_factory=list)
    closed: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, tuple[int, float]] = field(default_factory=dict)
    lanes: list[tuple[float, Lane]] = field(default_factory=list)
    lessons: Mapping[str, float] = field(default_factory=dict)

    async def load(self, since: float) -> Sequence[tuple[float, bytes]]:
        return sorted(call for call in self.calls if call[0] >= since)

    async def load_lanes(self, since: float) -> Sequence[tuple[float, Lane]]:
        return sorted(call for call in self.lanes if call[0] >= since)

    async def charge(
        self, at: float, key: bytes, lane: Lane | None = None, lessons: Mapping[str, float] | None = None
    ) -> None:
        await anyio.sleep(0.001)
        self.lessons = self.lessons if lessons is None else lessons
        self.calls.append((at, key))
        if lane is not None:
            self.lanes.append((at, lane))

    async def move(self, at: float, key: bytes, to: float) -> None:
        await anyio.sleep(0.001)
        if (at, key) in self.calls:
            self.calls[self.calls.index((at, key))] = (to, key)

    async def refund(self, at: float, key: bytes) -> None:
        await anyio.sleep(0.001)
        if (at, key) in self.calls:
            self.calls.remove((at, key))
            self.lanes = [call for call in self.lanes if call[0] != at]

    async def prune(self, before: float) -> None:
        self.calls = [call for call in self.calls if call[0] >= before]

    async def now(self) -> float:
        return time.time()

    async def load_closed(self) -> Mapping[str, float]:
        return dict(self.closed)

    async def close(self, window: str, until: float, lessons: Mapping[str, float] | None = None) -> None:
        self.closed[window] = until
        self.lessons = self.lessons if lessons is None else lessons

    async def load_lessons(self) -> Mapping[str, float]:
        return self.lessons

    async def load_refusal(self, fingerprint: str) -> tuple[int, float] | None:
        return self.refusals.get(fingerprint)

    async def save_refusal(self, fingerprint: str, count: int, at: float) -> None:
        self.refusals[fingerprint] = (count, at)

    async def clear_refusal(self) -> None:
        self.refusals.clear()


@dataclass
class RestoreGuard:
    """A Progress that remembers."""

    waits: list[tuple[Lane, str]] = field(default_factory=list)
    calls: list[Lane] = field(default_factory=list)
    answers: list[tuple[str, str, str]] = field(default_factory=list)

    def scan_advanced(self, collection: str, scan: object, committed: object) -> None: ...

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None: ...

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        self.waits.append((lane, window))

    def outranked(self, lane: Lane) -> None: ...

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        self.calls.append(lane)

    def answered(self, method: str, route: str, outcome: str) -> None:
        self.answers.append((method, route, outcome))


def credentials(origin: str, token: str = "t0ken-0f-ours") -> Credentials:
    return Credentials(origin, token, "api@example.org")


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """An HTTP server that answers every path with `handler`; yields its origin."""
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


Conversation = Callable[[SocketStream], Awaitable[None]]


@asynccontextmanager
async def talking(conversation: Conversation) -> AsyncIterator[str]:
    """A server that may break every rule of HTTP; yields its origin."""

    async def guarded(stream: SocketStream) -> None:
        async with stream:
            try:
                await conversation(stream)
            except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                return

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, guarded)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


@dataclass
class DelayingProxy:
    """Takes random times to hand on each request to `origin`; answers pass at once."""

    origin: str
    way: Callable[[], float]
    connections: int = 0

    async def __call__(self, client: SocketStream) -> None:
        self.connections += 1
        host, _, port = self.origin.removeprefix("http://").partition(":")
        async with await anyio.connect_tcp(host, int(port)) as server, anyio.create_task_group() as tasks:
            tasks.start_soon(self._answers, server, client)
            async for asked in client:
                await anyio.sleep(self.way())
                await server.send(asked)
            tasks.cancel_scope.cancel()

    @staticmethod
    async def _answers(server: SocketStream, client: SocketStream) -> None:
        async for said in server:
            await client.send(said)


async def hear_request(stream: SocketStream) -> bytes:
    """Read one request without a body."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n"):
        heard += await stream.receive()
    return heard


class StrictServer:
    """Counts every call in sliding windows of its own clock and refuses what is over, as strictly as can be.

    windows   (seconds, calls) that hold for all calls; same_get: the same for one path and query
    latency   seconds until it answers; all times are scaled like the client's
    """

    def __init__(
        self,
        windows: Sequence[tuple[float, int]] = (),
        same_get: Sequence[tuple[float, int]] = (),
        *,
        scale: float = 1.0,
        latency: float = 0.0,
    ) -> None:
        self.windows = windows
        self.same_get = same_get
        self.scale = scale
        self.latency = latency
        self.arrivals: deque[float] = deque()
        self.by_target: dict[str, deque[float]] = {}
        self.refusals: list[str] = []
        self.targets: list[str] = []
        self.skew = 0.0
        self._origin = time.time()
        self._start = time.monotonic()

    def now(self) -> float:
        return self._origin + self.skew + (time.monotonic() - self._start) * self.scale

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        now = self.now()
        mine = self.by_target.setdefault(request.path_qs, deque())
        over = [f"{calls} in {span} s" for span, calls in self.windows if _made(self.arrivals, now - span) >= calls]
        over += [f"same: {calls} in {span} s" for span, calls in self.same_get if _made(mine, now - span) >= calls]
        self.arrivals.append(now)
        mine.append(now)
        self.targets.append(request.path_qs)
        if over:
            self.refusals.extend(over)
            return web.json_response({"error": "Too many requests"}, status=429)
        await anyio.sleep(self.latency / self.scale)
        return web.json_response({}, headers={"Date": formatdate(self.now(), usegmt=True)})


def _made(stamps: Sequence[float], after: float) -> int:
    return sum(stamp > after for stamp in stamps)
