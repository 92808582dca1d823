"""commands about payments: executed here, or by the service that holds the state"""

from __future__ import annotations

import http.client
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import anyio.to_thread
import msgspec

from precoro_daemon.adapters.listener.control import CONNECTION_LIFE_S, PATH, Executor, control
from precoro_daemon.app.health_client import LocalConnection
from precoro_daemon.app.state import control_socket, demand_state, state_of
from precoro_daemon.errors import CommandUnanswered, DecisionRefused, ListenerUnusable, StoreHeld
from precoro_daemon.payments.commands import Command, CommandHandler
from precoro_daemon.runtime.scheduler import Scheduler
from precoro_daemon.settings import Settings
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.addresses import Address

_log = get_logger()

_GROUP = "payments"
_JOBS = ("mark_invoices_paid", "export_payments")

_LONGEST_TEXT_CHARS = 1000
"""Most characters of a command's author and reason; the rest is cut off."""

_LAP_ENDS_WITHIN = 10.0
"""Most real seconds that a command which reads the ledger waits for a lap of payments to end.

The lap may itself wait for Precoro's limits.
"""

Probe = Callable[[str], Awaitable[str]]
"""Executes one kind of command for its `ident`, and returns the text to show.

The ident is, for example, the fingerprint of the caller's credentials, or an export and its pushes.
"""

_OPENS_WITHIN = 3.0
"""Real seconds within which the holder of the state opens its socket, if it opens one at all."""


@asynccontextmanager
async def open_control(
    settings: Settings | None, handler: CommandHandler | None, service: Scheduler, probes: Mapping[str, Probe]
) -> AsyncIterator[Executor]:
    """Takes commands about payments, and those of the kinds in `probes`, until the context ends.

    They come through the yielded executor, and through a socket if there are `settings`. If the socket cannot be
    opened, commands given beside the service must wait until it stops.
    """

    async def execute(command: Command) -> str:
        if command.kind in probes:
            return await probes[command.kind](command.ident)
        if handler is None:
            raise DecisionRefused("there is no ledger: see `precoro-daemon help ledgers`, and name yours in [ledger]")
        async with AsyncExitStack() as stack:
            if command.kind in ("plan", "reread"):
                stack.callback(_wake, service)  # also where a lap reads the ledger already
                await _between_laps(service, stack)
            said = await handler.execute(command)
            if command.kind == "plan":
                said = "; ".join(filter(None, map(service.obstacle, _JOBS)))
        if command.kind not in ("plan", "disarm"):
            _wake(service)
        _log.info("command_executed", kind=command.kind, by=command.by)
        return said

    executor = Executor(execute)
    async with AsyncExitStack() as stack:
        if settings is not None:
            await _open_socket(settings, executor, stack)
        await stack.enter_async_context(executor.open())
        yield executor


async def _open_socket(settings: Settings, executor: Executor, stack: AsyncExitStack) -> None:
    path = await anyio.to_thread.run_sync(_cleared, settings)
    try:
        await stack.enter_async_context(control(Address(path=str(path)), executor))
        await anyio.to_thread.run_sync(state_of(settings).hand_over, path)
    except ListenerUnusable as error:
        _log.warning("listening_failed", what="commands", reason=str(error))


def _wake(service: Scheduler) -> None:
    for name in _JOBS:
        service.wake(name)


async def _between_laps(service: Scheduler, stack: AsyncExitStack) -> None:
    """Keeps payment jobs from running until the stack closes: two concurrent readers of the ledger would interfere.

    Raises CommandUnanswered if a lap does not end in time.
    """
    try:
        with anyio.fail_after(_LAP_ENDS_WITHIN):
            await stack.enter_async_context(service.without(_GROUP))
    except TimeoutError:
        raise CommandUnanswered("the service reads the ledger and sends payments just now") from None


async def execute_here(settings: Settings, command: Command) -> str:
    """Executes the command in this process and returns the text to show.

    Raises StoreHeld, StoreUnusable, DecisionRefused, and errors of the ledger.
    """
    await anyio.to_thread.run_sync(demand_state, settings)
    from precoro_daemon.app.payments import open_handler

    async with open_handler(settings) as here:
        return await here.handler.execute(legible(command))


def send_command(settings: Settings, command: Command, held: StoreHeld) -> str:
    """Has the service that holds the state execute the command, and returns the text to show. Blocking.

    Raises `held` if the service takes no commands, StoreUnusable without a state of this company, CommandUnanswered,
    and DecisionRefused.
    """
    path = control_socket(settings)
    demand_state(settings)
    asked = LocalConnection(str(path), CONNECTION_LIFE_S)
    with closing(asked):
        _connect(asked, path, held)
        try:
            asked.request("POST", PATH, msgspec.json.encode(legible(command)))
            answer = asked.getresponse()
            found = _read_answer(answer.status, answer.read(65_536))
        except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
            text = f"the service gave no answer, and may have done it: see `payments review` or `trace` ({error})"
            raise CommandUnanswered(text) from None
    return said_of(answer.status, found)


def said_of(status: int, facts: Mapping[str, str | int]) -> str:
    """Returns the text of a command's answer. Raises CommandUnanswered, or DecisionRefused if the service refused."""
    if "said" in facts:
        return str(facts["said"])
    why = str(facts.get("refused", f"the service answered {status}"))
    if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        raise CommandUnanswered(why)
    refusal = DecisionRefused(why)
    refusal.exit_code = int(facts.get("exit_code", refusal.exit_code))
    raise refusal


def legible(command: Command) -> Command:
    """Returns the command as valid UTF-8, with its author and reason cut to length.

    A command to stop is thus never refused for its wording, whatever bytes a shell made of it.
    """
    texts = {name: value for name, value in msgspec.structs.asdict(command).items() if isinstance(value, str)}
    texts = {name: text.encode(errors="replace").decode() for name, text in texts.items()}
    said = {name: texts[name][:_LONGEST_TEXT_CHARS] for name in ("by", "reason")}
    return msgspec.structs.replace(command, **texts | said)


def _read_answer(status: int, body: bytes) -> dict[str, str | int]:
    """Returns the decoded answer, {} for an undecodable 4xx: that command was refused and not executed.

    Raises MsgspecError if any other answer cannot be decoded, as it may be truncated.
    """
    try:
        return msgspec.json.decode(body, type=dict[str, str | int])
    except msgspec.MsgspecError:
        if 400 <= status < 500:
            return {}
        raise


def _connect(asked: LocalConnection, path: Path, held: StoreHeld) -> None:
    """Connects to the control socket, with retries: a starting or reloading service has none for a moment.

    Raises `held` when the retries end, StoreHeld without the right to connect.
    """
    end = time.monotonic() + _OPENS_WITHIN
    while True:
        try:
            asked.connect()
        except PermissionError:
            raise StoreHeld(f"{held} Or ask it as its own user or as root: {path} is theirs alone.") from None
        except OSError:
            if time.monotonic() > end:
                raise held from None
            time.sleep(0.1)
        else:
            return


def _cleared(settings: Settings) -> Path:
    """Returns the path of the control socket after removing an old socket there.

    Only the holder of the state takes commands for it, so the socket of another process is of no use.
    """
    path = control_socket(settings)
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    except OSError:
        pass  # nothing is there; or it stays, and is reported when the socket is to be made
    return path
