"""a socket beside the state, on which a command line has the service that holds it execute a command"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import msgspec
from aiohttp import web
from anyio.abc import TaskGroup

from precoro_daemon.adapters.listener.serving import serving
from precoro_daemon.errors import CommandUnanswered, DaemonError, leaves, most_severe
from precoro_daemon.payments.commands import Command
from precoro_daemon.values.addresses import Address

PATH = "/commands"

EXECUTE_WITHIN_S = 50.0
"""Real seconds within which a command is executed. A ledger takes its time."""

CONNECTION_LIFE_S = 90.0
"""Real seconds of a connection. Far longer: who gives a command is to hear what became of it."""

_CONTROL_CONNECTIONS = 32
"""Connections at a time: people type these commands."""

_COMMAND_BYTES = 16_384
"""Of one command."""

Execute = Callable[[Command], Awaitable[str]]


@asynccontextmanager
async def control(address: Address, execute: Execute) -> AsyncIterator[None]:
    """Take commands until the context ends. `execute` gives what there is to say; it raises DaemonError to refuse.

    A command that has begun does not end with its connection. The socket is its owner's alone, as the state is.
    Raises ListenerUnusable.
    """
    app = web.Application(client_max_size=_COMMAND_BYTES)
    handler = _CommandHandler(execute)
    app.router.add_post(PATH, handler.receive)
    async with (
        serving(app, address, most=_CONTROL_CONNECTIONS, patience=CONNECTION_LIFE_S, mode=0o600),
        handler.open(),
    ):
        yield


class _CommandHandler:
    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._running: TaskGroup | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as running:
            self._running = running
            try:
                yield
            finally:
                self._running = None
                running.cancel_scope.cancel()  # a step that was begun ends first; the caller gets an answer

    async def receive(self, request: web.Request) -> web.Response:
        try:
            command = msgspec.json.decode(await request.read(), type=Command)
        except msgspec.MsgspecError as error:
            return _answer(400, refused=f"the service does not understand that; is it of another version? {error}")
        outcome = _Outcome()
        if self._running is not None:
            self._running.start_soon(partial(outcome.of, self._execute, command), name="command")
            await outcome.known.wait()
        return outcome.answer


class _Outcome:
    """What a command came to, for a caller that still waits."""

    def __init__(self) -> None:
        self.known = anyio.Event()
        self.answer = _answer(503, refused="the service ends; check `payments review`", exit_code=1)

    async def of(self, execute: Execute, command: Command) -> None:
        failure: DaemonError | None = None
        try:
            with anyio.move_on_after(EXECUTE_WITHIN_S) as patience:
                self.answer = _answer(200, said=await execute(command))
            if patience.cancelled_caught:
                failure = CommandUnanswered("the service is busy with payments; try again in a minute")
        except* DaemonError as errors:
            failure = most_severe(leaves(errors))
        finally:
            if failure is not None:
                status = 503 if isinstance(failure, CommandUnanswered) else 409
                self.answer = _answer(status, refused=str(failure), exit_code=failure.exit_code)
            self.known.set()


def _answer(status: int, **facts: str | int) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(facts), content_type="application/json")
