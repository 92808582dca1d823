"""commands for a company of a fleet: given on any machine, executed by the worker that serves it"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio
import msgspec

from precoro_daemon.adapters.listener.control import ENDS, Executor, Outcome, not_understood
from precoro_daemon.adapters.state.postgresql.fleet_commands import FleetCommand, PostgresFleet
from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases
from precoro_daemon.app.control import legible, said_of
from precoro_daemon.app.payments import open_handler
from precoro_daemon.app.pushes import pushes_prober
from precoro_daemon.app.state import fenced_state, server_of
from precoro_daemon.app.values import clock_for
from precoro_daemon.errors import CommandUnanswered, StoreUnavailable
from precoro_daemon.payments.commands import Command
from precoro_daemon.runtime.tenure import Holding
from precoro_daemon.settings import Settings
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_TAKEN_WITHIN_S = 15.0
"""Real seconds that a person waits for a worker to take a command."""

_EXECUTED_WITHIN_S = 60.0
"""Real seconds from then on; the worker itself gives up before."""

_PAUSE_S = 2.0
"""Real seconds between two checks where no notice comes."""


class CommandPost:
    """Takes commands from the fleet for the companies that are served here, and says there what came of them."""

    def __init__(
        self, conninfo: str, lease: float, worker: Callable[[], str], executors: Mapping[str, Executor]
    ) -> None:
        """`worker`: its present id · `executors`: of the companies that are served at present"""
        self._fleet = partial(PostgresFleet, conninfo, lease)
        self._worker = worker
        self._executors = executors

    async def run(self) -> None:
        """Until cancelled. Each command is executed for itself: one of a slow ledger holds up no other company's."""
        async with anyio.create_task_group() as tasks:
            while True:
                try:
                    async with self._fleet() as tables:
                        while True:
                            for command in await tables.take_commands(self._worker(), self._executors):
                                tasks.start_soon(self._execute, command, self._worker(), name="command")
                            await tables.wait(_PAUSE_S)
                except StoreUnavailable:
                    await anyio.sleep(_PAUSE_S)  # the worker logs it

    async def _execute(self, given: FleetCommand, worker: str) -> None:
        outcome = ENDS
        if (executor := self._executors.get(given.company)) is not None:
            try:
                outcome = await executor.execute(msgspec.convert(given.arguments, Command))
            except msgspec.ValidationError as error:
                outcome = not_understood(error)
        answer = msgspec.json.encode(outcome).decode()
        try:
            async with self._fleet() as tables:
                await tables.finish(worker, given.id, answer)
        except StoreUnavailable as error:
            _log.warning("command_unanswered", kind=given.command, by=given.given_by, error=str(error))


async def give_command(settings: Settings, command: Command, company: str) -> str:
    """Have it executed by the worker that serves the company or, where none does, here. To disarm is executed in any
    case. Raises CommandUnanswered, StoreUnavailable, StoreUnusable, and what is refused."""
    command, conninfo, lease = legible(command), server_of(settings.state).conninfo, settings.fleet.lease
    async with PostgresFleet(conninfo, lease) as fleet:
        number = await fleet.give(company, command.kind, msgspec.to_builtins(command), command.by)
        try:
            async with _held_here(settings, company, seize=False) as holding:
                if holding is not None and await fleet.withdraw(number):
                    return await _execute_here(settings, command, *holding)
            return await _answer(fleet, number)
        except CommandUnanswered:
            if command.kind != "disarm":
                raise
            await fleet.withdraw(number)
    async with _held_here(settings, company, seize=True) as holding:
        if holding is None:
            raise CommandUnanswered(f"the fleet has no company {company} any more")
        return await _execute_here(settings, command, *holding)


async def _answer(fleet: PostgresFleet, number: int) -> str:
    outcome = await _outcome(fleet, number, _TAKEN_WITHIN_S)
    if outcome is None and await fleet.withdraw(number):
        raise CommandUnanswered(
            f"no worker of the fleet took the command within {_TAKEN_WITHIN_S:g} seconds, so nothing was done; "
            "`fleet status` shows who serves the company. Try again in a moment"
        )
    outcome = outcome or await _outcome(fleet, number, _EXECUTED_WITHIN_S)
    if outcome is None:
        raise CommandUnanswered(
            "the worker took the command and gave no answer, and may have done it: see `payments review` or `trace`"
        )
    return said_of(*outcome)


async def _outcome(fleet: PostgresFleet, number: int, patience: float) -> Outcome | None:
    end = anyio.current_time() + patience
    while (left := end - anyio.current_time()) > 0:
        if (answer := await fleet.outcome(number)) is not None:
            return msgspec.json.decode(answer, type=Outcome)
        await fleet.wait(min(left, _PAUSE_S))
    return None


@asynccontextmanager
async def _held_here(settings: Settings, company: str, *, seize: bool) -> AsyncIterator[tuple[Holding, str] | None]:
    """The company's lease for as long as a command takes, and the id under which it is held; None while a worker
    has it. `seize`: also from a worker that has it."""
    lease = settings.fleet.lease
    leases = PostgresLeases(server_of(settings.state).conninfo, lease, f"a command on {socket.gethostname()}")
    try:
        await leases.join(draining=True)
        held = await (leases.seize(company) if seize else leases.take([company], 1))
        async with anyio.create_task_group() as tasks:
            # What the fence refuses once the lease is lost is not written.
            tasks.start_soon(leases.keep, name="lease")
            yield (held[0], leases.worker) if held else None
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True), suppress(StoreUnavailable):  # the lease runs out by itself
            await leases.leave()
        await leases.close()


async def _execute_here(settings: Settings, command: Command, holding: Holding, worker: str) -> str:
    state = fenced_state(settings, holding, worker, settings.fleet.lease)
    if command.kind in ("replay_pushes", "drop_pushes"):
        async with state.open() as store:
            return await pushes_prober(settings, store, clock_for(settings), command.kind)(command.ident)
    async with open_handler(settings, state=state) as here:
        said = await here.handler.execute(command)
    _log.info("command_executed", kind=command.kind, by=command.by)
    return said or "no worker serves the company at present; what is planned is sent once one does"
