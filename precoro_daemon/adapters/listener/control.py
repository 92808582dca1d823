"""a socket beside the state, on which a command asks whoever holds it to do something"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import msgspec
from aiohttp import web

from precoro_daemon.adapters.listener.serving import serving
from precoro_daemon.domain.addresses import Address
from precoro_daemon.errors import DaemonError
from precoro_daemon.paying.orders import Order

PATH = "/orders"

PATIENCE = 60.0
"""Real seconds in which an order is carried out: payments being sent end first, and books take their time."""

_MOST = 8
"""Connections at a time: people type these commands."""

_LARGEST = 16_384
"""Bytes of an order."""


@asynccontextmanager
async def control(address: Address, obey: Callable[[Order], Awaitable[str]]) -> AsyncIterator[None]:
    """Until the context ends. `obey` gives what there is to say, and raises DaemonError where it refuses.

    The socket is its owner's alone, as the state is. Raises ListenerUnusable.
    """

    async def receive(request: web.Request) -> web.Response:
        try:
            order = msgspec.json.decode(await request.read(), type=Order)
        except msgspec.MsgspecError as error:
            return _answer(
                400, refused=f"the service does not understand that, it may be of another version: {error}"
            )
        try:
            with anyio.fail_after(PATIENCE - 5):
                return _answer(200, said=await obey(order))
        except TimeoutError:
            return _answer(503, refused="the service is busy with payments; ask again in a minute")
        except DaemonError as error:
            return _answer(409, refused=str(error), exit_code=error.exit_code)

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_post(PATH, receive)
    async with serving(app, address, most=_MOST, patience=PATIENCE, mode=0o600):
        yield


def _answer(status: int, **told: str | int) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(told), content_type="application/json")
