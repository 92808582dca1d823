"""a socket beside the state: a command line sends its command to the service that holds the state"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

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
"""Real seconds within which a command is executed. A ledger may be slow."""

CONNECTION_LIFE_S = 90.0
"""Real seconds of a connection: long enough for the caller to receive the outcome."""

_CONTROL_CONNECTIONS = 32
"""Concurrent connections: people type these commands."""

_COMMAND_BYTES = 16_384
"""The largest command in bytes."""

Execute = Callable[[Command], Awaitable[str]]


class Outcome(NamedTuple):
    """The outcome of a command.

    status  as in HTTP
    facts   `said`, or `refused` and `exit_code`
    """

    status: int
    facts: Mapping[str, str | int]


ENDS = Outcome(503, {"refused": "the service ends; check `payments review`", "exit_code": 1})
"""The service stops: the command is not executed, or its outcome is unknown."""


def not_understood(error: msgspec.MsgspecError) -> Outcome:
    return Outcome(400, {"refused": f"the service does not understand that; is it of another version? {error}"})


@asynccontextmanager
async def control(address: Address, executor: Executor) -> AsyncIterator[None]:
    """Accepts commands until the context ends. Only the state's owner can reach the socket. Raises
    ListenerUnusable.
    """

    async def receive(request: web.Request) -> web.Response:
        try:
            command = msgspec.json.decode(await request.read(), type=Command)
        except msgspec.MsgspecError as error:
            return _answer(not_understood(error))
        return _answer(await executor.execute(command))

    app = web.Application(client_max_size=_COMMAND_BYTES)
    app.router.add_post(PATH, receive)
    async with serving(app, address, most=_CONTROL_CONNECTIONS, patience=CONNECTION_LIFE_S, mode=0o600):
        yield


class Executor:
    """Executes the commands for one company, however they arrive.

    `work` returns what to say, and raises DaemonError to refuse. A command that has begun continues even if its
    caller
    leaves.
    """

    def __init__(self, work: Execute) -> None:
        self._work = work
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

    async def execute(self, command: Command) -> Outcome:
        pending = _Pending()
        if self._running is not None:
            self._running.start_soon(partial(pending.of, self._work, command), name="command")
            await pending.known.wait()
        return pending.outcome


class _Pending:
    """The outcome of a command, for a caller that still waits."""

    def __init__(self) -> None:
        self.known = anyio.Event()
        self.outcome = ENDS

    async def of(self, work: Execute, command: Command) -> None:
        failure: DaemonError | None = None
        try:
            with anyio.move_on_after(EXECUTE_WITHIN_S) as patience:
                self.outcome = Outcome(200, {"said": await work(command)})
            if patience.cancelled_caught:
                failure = CommandUnanswered("the service is busy with payments; try again in a minute")
        except* DaemonError as errors:
            failure = most_severe(leaves(errors))
        finally:
            if failure is not None:
                status = 503 if isinstance(failure, CommandUnanswered) else 409
                self.outcome = Outcome(status, {"refused": str(failure), "exit_code": failure.exit_code})
            self.known.set()


def _answer(outcome: Outcome) -> web.Response:
    body = msgspec.json.encode(outcome.facts)
    return web.Response(status=outcome.status, body=body, content_type="application/json")
