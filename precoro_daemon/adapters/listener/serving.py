"""an aiohttp application on its own socket, which no client can block for long or fill"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import anyio
import anyio.lowlevel
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from precoro_daemon.errors import AddressTaken, ListenerUnusable
from precoro_daemon.values.addresses import Address

_LINGER_S = 1.0
"""Seconds in which the rest of a refused body is read, so that its sender sees the answer."""

_BACKLOG = 128
"""Connections that the system queues until they are accepted."""

_TAKEN_AT_ONCE = 16
"""Connections accepted in a row; only then do they count towards the limit."""

_CHECKS_PER_LIFE = 15
"""How often a connection is checked before it is closed."""

_FIRST_REQUEST_S = 1.0
"""Seconds after which a connection without a whole request gives way to another, if all are in use."""

_SERVER = "precoro-daemon"

_HEADER_LINE_BYTES = 8190
"""The longest line of a request's header in bytes."""


class _Our(logging.Filter):
    """Passes log records about faults of this program. aiohttp's records about unreadable requests are dropped,
    because any
    client could fill the log with them.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


_LOG = logging.getLogger("aiohttp.server.ours")
_LOG.addFilter(_Our())


_TURNS_TO_ACCEPT = 8
"""Turns of the loop in which accepted connections get their protocol and refused ones are closed. Without them a
flood
leaves sockets that are never closed.
"""


@asynccontextmanager
async def serving(
    app: web.Application, address: Address, *, most: int, patience: float, mode: int = 0o660, evicts: bool = False
) -> AsyncIterator[Address]:
    """Serves the application until the context ends, and yields the actual address. One request for each connection.

    At most `most` connections are open, each for `patience` seconds, whatever its client does. Further connections
    are
    closed at once; with `evicts` they replace one that has been idle for a moment. `mode` sets the permissions of
    a Unix
    socket. Raises ListenerUnusable.
    """
    app.middlewares.append(_one_request_each)
    app.on_response_prepare.append(_sign)
    runner = web.AppRunner(app, handle_signals=False, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        bound = await anyio.to_thread.run_sync(_bind, address, mode)
        doorman = _Doorman(runner.server, most, patience, evicts=evicts)
        server = await asyncio.get_running_loop().create_server(doorman, sock=bound, backlog=_TAKEN_AT_ONCE)
        bound.listen(_BACKLOG)
        try:
            yield _real(address, bound)
        finally:
            doorman.stop()
            server.close()
            with anyio.CancelScope(shield=True):
                for _ in range(_TURNS_TO_ACCEPT):
                    await anyio.lowlevel.checkpoint()
            if address.path:
                await anyio.to_thread.run_sync(lambda: Path(address.path).unlink(missing_ok=True))
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    """Removes the header that names the server software and its version."""
    response.headers["Server"] = _SERVER


@web.middleware
async def _one_request_each(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if isinstance(request.protocol, _Connection):
        request.protocol.has_asked = True
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        response = web.Response(status=refusal.status, text=f"{refusal.reason}\n")
    response.force_close()
    return response


class _Connection(RequestHandler):
    """aiohttp's connection, which also knows when it began and whether a request arrived, and does not name its
    software.
    """

    __slots__ = ("began", "has_asked")

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # it would show secret paths
            logger=_LOG,
            auto_decompress=False,  # nobody has reason to compress what is sent here, and a bomb is small
            lingering_time=_LINGER_S,
            max_line_size=_HEADER_LINE_BYTES,
            max_field_size=_HEADER_LINE_BYTES,
        )
        self.began = loop.time()
        self.has_asked = False

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Ignores `message`, which quotes a library's parser."""
        super().handle_error(request, status, exc, message)
        response = web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n", headers={"Server": _SERVER})
        response.force_close()
        return response

    def is_idle(self, now: float) -> bool:
        return not self.has_asked and now - self.began >= _FIRST_REQUEST_S and self.is_open

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()


class _Doorman:
    """Creates each connection's protocol: aiohttp's, or one that closes at once.

    One periodic check finds connections that are open for too long. A timer for each would keep thousands of closed
    connections in memory during a flood.
    """

    def __init__(self, server: web.Server | None, most: int, patience: float, *, evicts: bool) -> None:
        assert server is not None
        self._evicts = evicts
        self._server = server
        self._most = most
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> asyncio.Protocol:
        held = self._server.connections
        if len(held) < self._most or (self._evicts and self._makes_room(held)):
            if self._timer is None:
                self._timer = self._loop.call_later(self._pause, self._check)
            return _Connection(self._server, self._loop)
        return _Closed()

    def _makes_room(self, held: Sequence[RequestHandler]) -> bool:
        """Closes an idle connection. Otherwise clients that connect and send nothing would lock out health checks."""
        now = self._loop.time()
        idle = next((one for one in held if isinstance(one, _Connection) and one.is_idle(now)), None)
        if idle is None or idle.transport is None:
            return False
        idle.transport.abort()
        return True

    @property
    def _pause(self) -> float:
        return self._patience / _CHECKS_PER_LIFE

    def _check(self) -> None:
        now = self._loop.time()
        for one in self._server.connections:
            # The next check may be too late.
            if isinstance(one, _Connection) and now - one.began >= self._patience - self._pause and one.transport:
                one.transport.abort()
        # Where nobody calls there is nothing to find: each company of many has a socket for commands.
        self._timer = self._loop.call_later(self._pause, self._check) if self._server.connections else None

    def stop(self) -> None:
        """Stops the checks."""
        if self._timer is not None:
            self._timer.cancel()


class _Closed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _real(address: Address, bound: socket.socket) -> Address:
    return address if address.path else Address(address.host, bound.getsockname()[1])


def _bind(address: Address, mode: int) -> socket.socket:
    try:
        return _unix(address.path, mode) if address.path else _tcp(address)
    except OSError as error:
        passing = error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL) and not _is_file(address.path)
        kind = AddressTaken if passing else ListenerUnusable
        raise kind(f"cannot listen on {address}: {_reason(error, address)}") from error


def _tcp(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _unix(path: str, mode: int) -> socket.socket:
    """Replaces a socket that a killed process left, but not one that still answers."""
    if _is_socket(path) and not _answers(path):
        Path(path).unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(path)
        Path(path).chmod(mode)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def _is_file(path: str) -> bool:
    return bool(path) and os.path.lexists(path) and not _is_socket(path)


def _reason(error: OSError, address: Address) -> str:
    match error.errno:
        case errno.EADDRINUSE if _is_file(address.path):
            return "a file of that name is there, and it is no socket"
        case errno.EADDRINUSE:
            return "another program, or another instance, listens there already"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case errno.EACCES | errno.EPERM:
            return "the user who runs this may not; ports below 1024 belong to root"
        case errno.ENOENT | errno.ENOTDIR:
            return "the socket's directory does not exist"
    return (error.strerror or str(error)).lower()
