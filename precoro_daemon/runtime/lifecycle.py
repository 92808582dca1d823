"""one service after the other, until a signal says it is over: reload, drain, the end in time"""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import anyio
from anyio.abc import TaskGroup

from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.once import DRAIN
from precoro_daemon.runtime.ports import Supervisor
from precoro_daemon.runtime.scheduler import Service
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_GRACE = 3.5
"""Seconds beyond the drain until the process ends itself, whatever hangs: a service manager waits for 20 or more."""

_AT_ONCE = 1.5
"""The same after a second signal."""

End = Literal["terminated", "interrupted"]


@dataclass(frozen=True, slots=True)
class Orders:
    """What comes from outside while services run.

    reload       read the configuration anew; True if the service is to be built again by it. Failures are told there
    stopping     tell whoever looks that the end has begun
    last_resort  the process must be gone after that many real seconds
    ending       told how it ends; what it does with signals from then on stays so
    """

    supervisor: Supervisor
    reload: Callable[[], Awaitable[bool]]
    stopping: Callable[[], None]
    last_resort: Callable[[float], None]
    ending: Callable[[End], None]


async def run_shifts(build: Callable[[], AbstractAsyncContextManager[Service]], orders: Orders) -> End:
    """Build a service and run it, again after each reload, until a signal says that it is over.

    The first SIGTERM or SIGINT lets calls in flight finish, for a while; the second ends everything where it is.
    """
    shifts = _Shifts(build, orders)
    # Around the group: who reads the signals must have gone before they end.
    with _heeding(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as group:
            # It was held back since the program began, when nobody could have heeded it.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
            heed = partial(shifts.heed_signals, signals, group)
            group.start_soon(guarded, "the watch for signals", heed, name="signals")
            try:
                await shifts.run()
            finally:
                if shifts.ended is not None:
                    orders.ending(shifts.ended)
            group.cancel_scope.cancel()
    assert shifts.ended is not None
    return shifts.ended


@contextmanager
def _heeding(*numbers: signal.Signals) -> Iterator[AsyncIterator[signal.Signals]]:
    """What asyncio has for this gives each signal back to the system's own rules when it ends: one that came in that
    moment ended the process. Here whoever took a signal over meanwhile keeps it."""
    loop = asyncio.get_running_loop()
    send, receive = anyio.create_memory_object_stream[signal.Signals](math.inf)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)

    def heard() -> None:
        for number in ours.recv(4096):
            if number in numbers:
                send.send_nowait(signal.Signals(number))

    def heed(*_: object) -> None:
        """The number comes through the socket, which wakes the loop."""

    loop.add_reader(ours, heard)
    former_socket = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    former = {number: signal.signal(number, heed) for number in numbers}
    try:
        yield receive
    finally:
        for number, handler in former.items():
            if signal.getsignal(number) is heed:
                signal.signal(number, handler)
        signal.set_wakeup_fd(former_socket)
        loop.remove_reader(ours)
        for end in (ours, theirs, send, receive):
            end.close()


class _Shifts:
    def __init__(self, build: Callable[[], AbstractAsyncContextManager[Service]], orders: Orders) -> None:
        self.ended: End | None = None
        self._build = build
        self._orders = orders
        self._scope: anyio.CancelScope | None = None
        self._service: Service | None = None
        self._asked = False
        self._reading = anyio.Lock()

    async def run(self) -> None:
        while self.ended is None:
            async with self._build() as service:
                self._service = service
                with anyio.CancelScope() as self._scope:
                    if self._asked:
                        await self._reload()
                    if self.ended is None:
                        await service.run()
                self._service = self._scope = None

    async def heed_signals(self, signals: AsyncIterator[signal.Signals], group: TaskGroup) -> None:
        everything = group.cancel_scope
        async for number in signals:
            _log.info("signal_received", signal=signal.Signals(number).name)
            if number == signal.SIGHUP:
                group.start_soon(self._reload, name="reload")
            elif self.ended is None:
                self._stop("terminated" if number == signal.SIGTERM else "interrupted", everything)
            else:
                self._orders.last_resort(_AT_ONCE)
                everything.cancel()

    async def _reload(self) -> None:
        """What is asked for while a service is being built is done when it is."""
        async with self._reading:
            self._asked = self.ended is None and self._service is None
            if self.ended is not None or self._asked or not await self._orders.reload():
                return
            if self._service is None and self.ended is None:
                self._asked = True  # the former one is gone meanwhile, and the next may be built by what was before
            elif self.ended is None:
                self._orders.supervisor.reloading()
                self._drain()

    def _stop(self, end: End, everything: anyio.CancelScope) -> None:
        self.ended = end
        self._orders.last_resort(DRAIN + _GRACE)
        self._orders.supervisor.stopping("finishing the calls in flight")
        self._orders.stopping()
        self._drain()
        everything.deadline = anyio.current_time() + DRAIN + 1

    def _drain(self) -> None:
        if self._service is not None and self._scope is not None:
            self._service.end()
            self._scope.deadline = anyio.current_time() + DRAIN
