"""runs one service after the other, or one run: signals, reload, drain, and an end in time"""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct

from precoro_daemon.errors import DaemonError, leaves, most_severe
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.job import RunReport, StopCause
from precoro_daemon.telemetry import get_logger

if TYPE_CHECKING:
    from precoro_daemon.runtime.ports import Supervisor
    from precoro_daemon.runtime.scheduler import Scheduler
    from precoro_daemon.runtime.watchdog import Watchdog

_log = get_logger()

_DRAIN_S = 15.0
"""Seconds that calls in flight get after the first signal; a service manager's patience is usually longer."""

_GRACE_S = 3.5
"""Seconds after the drain until the process ends itself, whatever hangs: a service manager waits for 20 or more."""

_AT_ONCE_S = 1.5
"""The same after a second signal."""

_LANDING_S = 3.0
"""Seconds before a run's time is over in which no new call leaves, so that those in flight still count."""

End = Literal["terminated", "interrupted"]


class Service(Struct, frozen=True):
    """The program between two reloads.

    resume  whether jobs continue with the schedules of earlier processes
    """

    scheduler: Scheduler
    watchdog: Watchdog
    resume: bool = True

    async def run(self) -> None:
        """Runs until the scheduler is ended. Raises StoreUnusable if not even the account of laps can be read."""
        await self.scheduler.recall(resume=self.resume)
        async with anyio.create_task_group() as group:
            group.start_soon(guarded, "the watchdog", self.watchdog.run, name="watchdog")
            await self.scheduler.run()
            group.cancel_scope.cancel()


class Hooks(Struct, frozen=True):
    """What the lifecycle calls while services run.

    stopping     announces that the end has begun
    last_resort  makes sure that the process is gone after that many real seconds
    ending       called with how the process ends; its handling of signals stays in force
    hung_up      called after a SIGHUP: returns whether the terminal is gone on which the program was started,
    which ends it
    """

    supervisor: Supervisor
    stopping: Callable[[], None]
    last_resort: Callable[[float], None]
    ending: Callable[[End], None]
    hung_up: Callable[[], bool] = lambda: False


Build = Callable[[], AbstractAsyncContextManager[Service]]


class Served(Protocol):
    """What runs until a signal ends it: the services of one company, or of many."""

    async def run(self) -> None:
        """Runs until `stop` was called and the work then in flight has ended. Raises fatal errors."""
        ...

    async def reload(self) -> None:
        """Reads the configuration again, and applies it if it is valid."""
        ...

    def stop(self) -> None:
        """Begins nothing new, and ends soon."""
        ...


async def run_services(build: Build, reread: Callable[[], Awaitable[bool]], hooks: Hooks) -> End:
    """Builds a service and runs it, again after each reload, until a signal ends it.

    reread  reads the configuration again and logs its mistakes; returns whether to build the service again
    """
    return await run_until_signal(Services(build, reread, hooks.supervisor), hooks)


async def run_until_signal(served: Served, hooks: Hooks) -> End:
    """Runs it with signal handling. The first SIGTERM or SIGINT lets calls in flight finish for a while; the second
    ends everything at once. SIGHUP reloads, unless it means that the terminal is gone.
    """
    signals_of = _Signals(served, hooks)
    # Around the group: who reads the signals must have gone before they end.
    with _handling(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as group:
            # It was held back since the program began, when nobody could have handled it.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
            handle = partial(signals_of.handle, signals, group)
            group.start_soon(guarded, "the watch for signals", handle, name="signals")
            try:
                await served.run()
            finally:
                if signals_of.ended is not None:
                    hooks.ending(signals_of.ended)
            group.cancel_scope.cancel()
    assert signals_of.ended is not None
    return signals_of.ended


async def run_once(scheduler: Scheduler, time_limit: float | None) -> RunReport:
    """Runs until nothing is due, the budget is spent, the time is over or a signal arrives. Raises FatalError.

    `time_limit` is in real seconds.
    """
    run = _Run(scheduler)
    failure: DaemonError | None = None
    with _handling(signal.SIGINT, signal.SIGTERM) as signals:
        try:
            async with anyio.create_task_group() as group:
                handle = partial(run.handle_signals, signals, group.cancel_scope)
                group.start_soon(guarded, "the watch for signals", handle, name="signals")
                if time_limit is not None:
                    group.start_soon(run.keep_time, time_limit, group.cancel_scope, name="time limit")
                await scheduler.run_until_idle(run.report)
                group.cancel_scope.cancel()
        except* DaemonError as errors:
            failure = most_severe(leaves(errors))
    if failure is not None:
        raise failure
    return run.report


@contextmanager
def _handling(*numbers: signal.Signals) -> Iterator[AsyncIterator[signal.Signals]]:
    """Handles signals. asyncio's own handlers restore the system's default when they end: a signal in that moment
    would end the process. Here a handler that another part installed meanwhile stays.
    """
    loop = asyncio.get_running_loop()
    send, receive = anyio.create_memory_object_stream[signal.Signals](math.inf)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)

    def heard() -> None:
        for number in ours.recv(4096):
            if number in numbers:
                send.send_nowait(signal.Signals(number))

    def handle(*_: object) -> None:
        """Does nothing: the number arrives through the socket, which wakes the loop."""

    loop.add_reader(ours, heard)
    former_socket = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    former = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield receive
    finally:
        for number, handler in former.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, handler)
        signal.set_wakeup_fd(former_socket)
        loop.remove_reader(ours)
        for end in (ours, theirs, send, receive):
            end.close()


class _Signals:
    def __init__(self, served: Served, hooks: Hooks) -> None:
        self.ended: End | None = None
        self._served = served
        self._hooks = hooks

    async def handle(self, signals: AsyncIterator[signal.Signals], group: TaskGroup) -> None:
        everything = group.cancel_scope
        async for number in signals:
            _log.info("signal_received", signal=signal.Signals(number).name)
            if number == signal.SIGHUP and self._hooks.hung_up():
                self._stop("terminated", everything)
            elif number == signal.SIGHUP:
                group.start_soon(self._served.reload, name="reload")
            elif self.ended is None:
                self._stop("terminated" if number == signal.SIGTERM else "interrupted", everything)
            else:
                self._hooks.last_resort(_AT_ONCE_S)
                everything.cancel()

    def _stop(self, end: End, everything: anyio.CancelScope) -> None:
        self.ended = end
        self._hooks.last_resort(_DRAIN_S + _GRACE_S)
        self._hooks.supervisor.stopping("finishing the calls in flight")
        self._hooks.stopping()
        self._served.stop()
        everything.deadline = anyio.current_time() + _DRAIN_S + 1


class Services:
    """Implements `Served`: one service after the other, a new one after each reload. `reread`: see `run_services`."""

    def __init__(self, build: Build, reread: Callable[[], Awaitable[bool]], supervisor: Supervisor) -> None:
        self._build = build
        self._reread = reread
        self._supervisor = supervisor
        self._stopped = False
        self._scope: anyio.CancelScope | None = None
        self._service: Service | None = None
        self._asked = False
        self._reading = anyio.Lock()

    async def run(self) -> None:
        while not self._stopped:
            async with self._build() as service:
                self._service = service
                with anyio.CancelScope() as self._scope:
                    if self._asked:
                        await self.reload()
                    if not self._stopped:
                        await service.run()
                self._service = self._scope = None

    async def reload(self) -> None:
        """Reloads. A request that arrives while a service is being built is served afterwards."""
        async with self._reading:
            self._asked = not self._stopped and self._service is None
            if self._stopped or self._asked or not await self._reread():
                return
            if self._service is None and not self._stopped:
                self._asked = True  # the former one is gone meanwhile, and the next may be built by what was before
            elif not self._stopped:
                self._supervisor.reloading()
                self._drain()

    def stop(self) -> None:
        self._stopped = True
        self._drain()

    def _drain(self) -> None:
        if self._service is not None and self._scope is not None:
            self._service.scheduler.end()
            self._scope.deadline = anyio.current_time() + _DRAIN_S


class _Run:
    def __init__(self, scheduler: Scheduler) -> None:
        self.report = RunReport()
        self._scheduler = scheduler

    async def handle_signals(self, signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
        """Lets calls in flight finish for a while after the first signal; the second ends the run at once."""
        async for number in signals:
            _log.info("signal_received", signal=number.name)
            if self.report.stopped == "signal":
                scope.cancel()
            self._end("signal", _DRAIN_S, scope)

    async def keep_time(self, limit: float, scope: anyio.CancelScope) -> None:
        landing = min(_LANDING_S, limit / 10)
        await anyio.sleep(limit - landing)
        _log.info("deadline_reached", seconds=limit)
        self._end("time", landing, scope)

    def _end(self, cause: StopCause, within: float, scope: anyio.CancelScope) -> None:
        if self.report.stopped is None:
            self.report.stopped = cause
        self._scheduler.end()
        scope.deadline = min(scope.deadline, anyio.current_time() + within)
