"""The whole program between a sandbox and its books, in virtual time: no sockets, no threads, no waiting.

Stood in for are the wire, which hands each request to the sandbox's own application after the time it is under way,
the event loop's time, and the process, which can be killed: from then on nothing of it writes or sends.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, field
from hashlib import md5
from random import Random
from typing import Any, Self, TypeVar

import anyio
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from precoro_daemon.adapters.http.exchange import Answer, Body, OnSent, Request
from precoro_daemon.adapters.http.refusals import read_refusal
from precoro_daemon.errors import ConnectionFault
from precoro_daemon.quota.rate_limits import Refusal
from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.server import Sandbox

T = TypeVar("T")

AGENT = "precoro-daemon/virtual"


class Killed(BaseException):
    """The process is gone: no handler of it does anything any more."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time passes as soon as nothing is left to do, and blocking work is done at once.

    dead  the process was killed: only what it held open is closed
    """

    def __init__(self) -> None:
        self.passed = 0.0
        self.dead = False
        super().__init__(_Waiting(self))

    def time(self) -> float:
        return self.passed

    def run_in_executor(self, _executor: Any, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        future: asyncio.Future[Any] = self.create_future()
        if self.dead and not isinstance(getattr(work, "__self__", None), ExitStack):
            raise Killed
        # As on the store's thread, no loop runs here while the work does.
        asyncio._set_running_loop(None)
        try:
            future.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        finally:
            asyncio._set_running_loop(self)
        return future


class _Waiting(selectors.SelectSelector):
    """What another thread does, as looking for the kill switch, is waited for in real time."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0:
            return super().select(0)
        if anyio.to_thread.current_default_thread_limiter().borrowed_tokens:
            return super().select(60)
        assert timeout is not None, "everybody waits for something that never comes"
        self._loop.passed += timeout
        return []


def in_virtual_time(story: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)


class VirtualClock(SimulatedClock):
    """The loop's time, for the sandbox and for the program alike."""

    time_scale = 1.0

    def __init__(self, start: float) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self.start = start

    def at(self, real: float) -> float:
        return self.start + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(seconds, 0.0))

    def begin_at(self, agreed: float) -> None:
        """The state's own clock is real, and says nothing here."""

    def anchor(self, server_now: float) -> float:
        return 0.0


class WrongClock(VirtualClock):
    """The clock of a process that starts while its machine's is wrong by so many seconds, until a first answer sets
    it."""

    def __init__(self, right: VirtualClock, wrong_by: float) -> None:
        super().__init__(right.start + wrong_by)
        self._set = False

    def anchor(self, server_now: float) -> float:
        shift = 0.0 if self._set or abs(server_now - self.now()) <= 2 else server_now - self.now()
        self._set = True
        self.start += shift
        return shift


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as it came to Precoro. `refused`: how Precoro said so, None if it did not. `answer`: by which its answer
    is told from another one."""

    left: float
    at: float
    request: Request
    refused: Refusal | None
    answer: bytes = b""


Hear = Callable[[Arrival], None]


@dataclass
class Line:
    """Implements `Transport`; each process opens it anew. `hear` is called with each call that came."""

    sandbox: Sandbox
    app: web.Application
    random: Random
    hear: Hear
    dead: bool = False
    _under_way: set[asyncio.Task[Answer]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is under way arrives whatever becomes of the sender."""

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        if self.dead:
            raise Killed
        if request.may_leave is not None and not request.may_leave():
            raise ConnectionFault("nothing was sent")
        await on_sent()
        carried = asyncio.create_task(self._carry(request, self.sandbox.clock.now()))
        self._under_way.add(carried)
        carried.add_done_callback(self._under_way.discard)
        return await asyncio.shield(carried)

    def open(self, request: Request, on_sent: OnSent) -> AbstractAsyncContextManager[Body]:
        raise ConnectionFault("no files in this story")

    async def _carry(self, request: Request, left: float) -> Answer:
        await anyio.sleep(self.random.uniform(0.02, 0.15))
        at = self.sandbox.clock.now()
        response = await self.app._handle(_incoming(self.app, self.sandbox, request))
        assert isinstance(response, web.Response)
        body, now = response.body, self.sandbox.clock.now()
        assert isinstance(body, bytes)
        headers = dict(response.headers) | {"Content-Type": response.content_type}
        refused = read_refusal(headers, body, int(now)) if response.status == 429 else None
        self.hear(Arrival(left, at, request, refused, md5(body, usedforsecurity=False).digest()))
        await anyio.sleep(self.random.uniform(0.05, 0.4))
        return Answer(response.status, headers, body, float(int(now)))


class _Protocol(BaseProtocol):
    """A connection of which nothing is known."""

    writer = peername = sockname = ssl_context = None


def _incoming(app: web.Application, sandbox: Sandbox, request: Request) -> web.Request:
    """What its server would have made of it."""
    headers = {"Host": "sandbox", "User-Agent": AGENT, "X-AUTH-TOKEN": sandbox.token, "email": sandbox.email}
    loop = asyncio.get_running_loop()
    protocol: Any = _Protocol(loop)
    payload = StreamReader(protocol, 2**16, loop=loop)
    if request.body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        payload.feed_data(request.body)
    payload.feed_eof()
    parts: dict[str, Any] = {"payload": payload, "protocol": protocol, "transport": None, "writer": protocol}
    return make_mocked_request(request.method, request.target, headers, app=app, **parts)
