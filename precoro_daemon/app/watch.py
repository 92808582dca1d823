"""answers those who watch a service, with snapshots for which the state is read now and then"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from precoro_daemon.app.state_reading import read_state, scope_of, see_disks
from precoro_daemon.errors import DaemonError
from precoro_daemon.mirror.polling import Polling
from precoro_daemon.quota.budget import Budget
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Live, Outlook, Snapshot, Stored, Tallies
from precoro_daemon.status.taking import describe_state, take_snapshot

_READ_AT_MOST_EVERY_S = 5.0
"""Real seconds between two readings of the state, however many people ask."""

PAUSE_PER_READING = 20.0
"""Times as long as a reading took until the next one: to count a large state costs a twentieth of a core at most."""


SHOW_EVERY_S = 1.0
"""Real seconds between two looks of somebody who looks on."""

Onlooker = Callable[[Snapshot], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a snapshot shows beside the state's file. `command`: how this program is called."""

    pulse: Pulse
    tallies: Tallies
    account: Budget
    polling: Polling
    clock: Clock
    command: str = "precoro-daemon"


class Readings:
    """One reading at a time for all companies of a process, whose readings together cost what one's may alone."""

    def __init__(self) -> None:
        self.limiter = anyio.CapacityLimiter(1)
        self.sharing = 0


@asynccontextmanager
async def watcher_of(
    settings: Settings, watched: Watched, readings: Readings | None = None
) -> AsyncIterator[StateWatcher]:
    """Snapshots until the context ends. `readings`: shared by the companies of a process."""
    readings = readings or Readings()
    readings.sharing += 1
    async with anyio.create_task_group() as tasks:
        watcher = StateWatcher(settings, watched, tasks, readings)
        try:
            yield watcher
        finally:
            readings.sharing -= 1
            watcher.close()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def shown_to(onlooker: Onlooker | None, settings: Settings, watched: Watched) -> AsyncIterator[None]:
    """The program is shown to somebody until the context ends, if anybody looks on."""
    if onlooker is None:
        yield
        return
    async with watcher_of(settings, watched) as watcher, anyio.create_task_group() as tasks:
        tasks.start_soon(guarded, "the screen", partial(_keep_showing, onlooker, watcher), name="screen")
        yield
        tasks.cancel_scope.cancel()


async def _keep_showing(onlooker: Onlooker, watcher: StateWatcher) -> None:
    while True:
        onlooker(await watcher.snapshot(SHOW_EVERY_S / 2))
        await anyio.sleep(SHOW_EVERY_S)


def _outlook(polling: Polling, now: float) -> Outlook:
    """What the service goes by at present."""
    return Outlook(polling.current, {name: polling.planner.next_scan(name, now) for name in polling.options.paces})


class StateWatcher:
    """Implements `Watcher`. The state is read on a thread by a connection of its own, one reading at a time."""

    def __init__(
        self, settings: Settings, watched: Watched, tasks: TaskGroup, readings: Readings | None = None
    ) -> None:
        self._readings = readings or Readings()
        self._took = 0.0
        self._settings = settings
        self._watched = watched
        self._tasks = tasks
        self._scope = scope_of(settings, watched.command)
        self._stored: Stored | None = None
        self._unreadable = ""
        self._read_again_at = 0.0
        self._reading: anyio.Event | None = None
        self._closed = False

    def glance(self) -> Snapshot:
        watched, now = self._watched, self._watched.clock.now()
        snapshot = take_snapshot(
            self._scope,
            watched.account,
            now,
            self._stored,
            outlook=_outlook(watched.polling, now),
            live=Live(watched.pulse, watched.tallies, monotonic() - watched.tallies.began),
        )
        return replace(snapshot, unreadable=self._unreadable)

    async def snapshot(self, patience: float) -> Snapshot:
        if self._reading is None and anyio.current_time() >= self._read_again_at:
            self._reading = anyio.Event()
            self._tasks.start_soon(self._read, self._reading, name="read the state")
        if self._reading is not None:
            with anyio.move_on_after(patience):
                await self._reading.wait()
        return self.glance()

    def close(self) -> None:
        """A reading that is under way ends soon."""
        self._closed = True

    async def _read(self, done: anyio.Event) -> None:
        try:
            reading = partial(self._stored_at, self._watched.clock.now())
            self._stored = await anyio.to_thread.run_sync(reading, limiter=self._readings.limiter)
            self._unreadable = ""
        except (DaemonError, OSError, ValueError) as error:
            self._unreadable = str(error)
        finally:
            pause = PAUSE_PER_READING * self._took * max(self._readings.sharing, 1)
            self._read_again_at = anyio.current_time() + max(_READ_AT_MOST_EVERY_S, pause)
            self._reading = None
            done.set()

    def _stored_at(self, now: float) -> Stored:
        """Blocking."""
        began = monotonic()
        try:
            overview = read_state(self._settings, now, unwanted=lambda: self._closed)
            return describe_state(self._scope, overview, see_disks(self._settings), now)
        finally:
            self._took = monotonic() - began
