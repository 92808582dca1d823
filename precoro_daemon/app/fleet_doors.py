"""the sockets that many companies share: webhooks by their secrets, watchers by the companies' names"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from precoro_daemon.adapters.listener.companies import watch_companies
from precoro_daemon.adapters.listener.control import Executor
from precoro_daemon.adapters.listener.watch import Gatekeeper
from precoro_daemon.adapters.listener.webhooks import Entrance, Reception
from precoro_daemon.app.company_files import CompanyFiles
from precoro_daemon.app.doors import log_watch
from precoro_daemon.app.fleet_inbox import FleetInbox
from precoro_daemon.app.watch import Readings, StateWatcher, Watched, watcher_of
from precoro_daemon.settings import Settings
from precoro_daemon.status.companies import FleetWatcher
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.addresses import Address

_log = get_logger()


class FleetDoors:
    """`watchers`, `executors`: of the companies that are served at present, by name · `inbox`: of a fleet, whose
    companies take webhooks wherever they are served · `leased`: it is one · `seen`: somebody looks on."""

    def __init__(self, *, leased: bool, seen: bool = False) -> None:
        self.leased = leased
        self.seen = seen
        self.inbox: FleetInbox | None = None
        self.watchers: dict[str, StateWatcher] = {}
        self.executors: dict[str, Executor] = {}
        self.readings = Readings()
        self.entrance = Entrance(Counter())

    @asynccontextmanager
    async def open(self, files: CompanyFiles, fleet: FleetWatcher) -> AsyncIterator[None]:
        """Answer until the context ends, where the files say. Raises ListenerUnusable."""
        async with AsyncExitStack() as stack:
            if files.webhooks is not None:
                real = await stack.enter_async_context(self.entrance.open(files.webhooks))
                _log.info("listening_started", what="webhooks", address=str(real))
            if files.watch.listen is not None:
                gatekeeper = Gatekeeper(files.watch.hosts)
                real = await stack.enter_async_context(watch_companies(fleet, files.watch.listen, gatekeeper))
                log_watch(files.watch, real)
            yield

    async def read_states(self, patience: float) -> None:
        """Those that are due for a reading, as far as the patience (real seconds) reaches."""
        watchers: Sequence[StateWatcher] = tuple(self.watchers.values())
        async with anyio.create_task_group() as group:
            for watcher in watchers:
                group.start_soon(watcher.snapshot, patience)


class DoorsOfCompany:
    """Implements `Doors` for one company among others."""

    def __init__(self, name: str, doors: FleetDoors) -> None:
        self._name = name
        self._doors = doors

    @property
    def own_socket(self) -> bool:
        """Of a fleet, they come through the database; two workers of one machine would take the socket in turns."""
        return not self._doors.leased

    @asynccontextmanager
    async def watch(self, settings: Settings, watched: Watched) -> AsyncIterator[None]:
        if settings.watch.listen is None and not self._doors.seen:
            yield
            return
        async with watcher_of(settings, watched, self._doors.readings) as watcher:
            self._doors.watchers[self._name] = watcher
            try:
                yield
            finally:
                del self._doors.watchers[self._name]

    @asynccontextmanager
    async def webhooks(self, listen: Address, reception: Reception) -> AsyncIterator[None]:  # noqa: ARG002 - it is shared
        inbox = self._doors.inbox
        way = self._doors.entrance.admitting(reception) if inbox is None else inbox.bringing(self._name, reception)
        async with way:
            yield

    @asynccontextmanager
    async def commands(self, executor: Executor) -> AsyncIterator[None]:
        self._doors.executors[self._name] = executor
        try:
            yield
        finally:
            del self._doors.executors[self._name]
