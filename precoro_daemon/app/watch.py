"""opens the socket of those who watch, and makes what they see of the program and its state"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from math import floor
from pathlib import Path
from time import monotonic

import anyio
from anyio.abc import TaskGroup

from precoro_daemon.adapters.listener.watch import Gatekeeper, watch
from precoro_daemon.adapters.state.sqlite.overview import read_overview
from precoro_daemon.app.values import identity, kill_switch, quota_plan, stopped_by, wanted_files
from precoro_daemon.errors import DaemonError
from precoro_daemon.files.ports import FileCounts
from precoro_daemon.quota.budget import NO_KEY, SECONDS, Budget, Lane
from precoro_daemon.runtime.ports import Clock, Pulse
from precoro_daemon.settings import Settings
from precoro_daemon.status.reading import CollectionState, Overview
from precoro_daemon.status.snapshot import FileStock, Hour, ListState, PaymentStock, Quota, Snapshot, Stored, Tallies
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_SOONEST = 5.0
"""Real seconds between two looks into the state, however many people ask."""

_REST = 20.0
"""Times as long as a look took until the next one: counting a large state costs a twentieth of one core at most."""

_HOUR = SECONDS["hour"]
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Watched:
    """What there is to be seen beside the state's file. `command`: how this program is called."""

    pulse: Pulse
    tallies: Tallies
    account: Budget
    clock: Clock
    command: str = "precoro-daemon"


@asynccontextmanager
async def open_watch(settings: Settings, watched: Watched) -> AsyncIterator[None]:
    """Answer those who watch until the context ends, if the configuration says where. Raises ListenerUnusable."""
    section = settings.watch
    if section.listen is None:
        yield
        return
    async with anyio.create_task_group() as tasks:
        watcher = StateWatcher(settings, watched, tasks)
        async with watch(watcher, section.listen, Gatekeeper(section.hosts)) as real:
            _log.info("listening_started", what="watch", address=str(real))
            if not section.listen.is_local:
                _log.warning("watch_exposed", address=str(real))
            yield
        watcher.close()
        tasks.cancel_scope.cancel()


@dataclass(slots=True)
class StateWatcher:
    """Implements `Watcher`. The state is read on a thread by a connection of its own, one look at a time."""

    settings: Settings
    watched: Watched
    tasks: TaskGroup
    _stored: Stored | None = None
    _unreadable: str = ""
    _again_at: float = 0.0
    _reading: anyio.Event | None = None
    _closed: list[bool] = field(default_factory=list)

    def glance(self) -> Snapshot:
        watched, now = self.watched, self.watched.clock.now()
        return Snapshot(
            now=now,
            up=monotonic() - watched.tallies.began,
            pulse=watched.pulse,
            tallies=watched.tallies,
            quota=_quota(self.settings, watched.account, now),
            stored=self._stored,
            unreadable=self._unreadable,
            webhooks=self.settings.apply_deliveries.listen is not None,
            command=watched.command,
        )

    async def look(self, patience: float) -> Snapshot:
        if self._reading is None and anyio.current_time() >= self._again_at:
            self._reading = anyio.Event()
            self.tasks.start_soon(self._read, self._reading, name="look into the state")
        if self._reading is not None:
            with anyio.move_on_after(patience):
                await self._reading.wait()
        return self.glance()

    def close(self) -> None:
        """A look that is under way ends soon."""
        self._closed.append(True)

    async def _read(self, done: anyio.Event) -> None:
        began = anyio.current_time()
        try:
            self._stored = await self._stored_now()
            self._unreadable = ""
        except (DaemonError, OSError, ValueError) as error:
            self._unreadable = str(error)
        finally:
            now = anyio.current_time()
            self._again_at = now + max(_SOONEST, _REST * (now - began))
            self._reading = None
            done.set()

    async def _stored_now(self) -> Stored:
        settings, now = self.settings, self.watched.clock.now()
        overview, free, stopped = await anyio.to_thread.run_sync(partial(self._look_into_files, now))
        payments = None
        if settings.ledger.kind != "none":
            books = settings.ledger.name or ""
            payments = PaymentStock(
                overview.payments,
                overview.switch,
                str(kill_switch(settings)),
                stopped,
                unreadable=overview.unreadable.get(books, 0),
                unmatched=overview.unmatched.get(books, 0),
            )
        return Stored(
            read_at=now,
            lists=[_list_state(settings, name, overview) for name in settings.mirror_collections.collections],
            files=FileStock(_sum(overview.files.stored.values()), overview.files.due, len(overview.files.too_large)),
            aside=overview.quarantined,
            quarantined_counts=overview.quarantined_counts,
            payments=payments,
            items=overview.items,
            deliveries=overview.deliveries,
            hours=_hours(overview, now),
            free=free,
        )

    def _look_into_files(self, now: float) -> tuple[Overview, dict[str, int], bool]:
        """Blocking."""
        settings = self.settings
        overview = read_overview(
            settings.state.path,
            identity=identity(settings),
            since=now - SECONDS["day"],
            files=wanted_files(settings),
            now=now,
            unwanted=lambda: bool(self._closed),
        )
        return overview, dict(_free(settings)), bool(stopped_by(kill_switch(settings)))


def _quota(settings: Settings, account: Budget, now: float) -> Quota:
    left = account.left(now)
    plan = quota_plan(settings)
    return Quota(
        limits={window: getattr(account.limits, f"per_{window}") for window in left},
        left=left,
        lanes={lane: account.spendable(lane, now) for lane in Lane},
        opens={lane: account.opening(lane, NO_KEY, now) for lane in Lane},
        backfill=plan.backfill if plan else 0,
    )


def _list_state(settings: Settings, name: str, overview: Overview) -> ListState:
    state = overview.collections.get(name)
    if state is None:
        return ListState(name)
    detailed = name in settings.fetch_details.collections
    return ListState(
        name=name,
        as_of=state.cursor.at,
        live=state.wanted,
        vanished=state.vanished,
        detailed=state.detailed if detailed else None,
        due=state.due if detailed else None,
        listed=_listed(state),
        census_owed=bool(state.cursor.unproved),
    )


def _listed(state: CollectionState) -> tuple[int, int | None] | None:
    return next(((scan.rows, scan.total) for scan in state.scans), None)


def _sum(counts: Iterable[FileCounts]) -> FileCounts:
    known = list(counts)
    return FileCounts(sum(one.files for one in known), sum(one.bytes for one in known))


def _hours(overview: Overview, now: float) -> Sequence[Hour]:
    """Of calls whose lane was not noted only the number is known."""
    begins = [(floor(now / _HOUR) - back) * _HOUR for back in reversed(range(_HOURS))]
    totals = Counter(floor(at / _HOUR) * _HOUR for at, _ in overview.calls)
    lanes = Counter((floor(at / _HOUR) * _HOUR, lane) for at, lane in overview.lanes)
    hours = []
    for begin in begins:
        calls: dict[Lane | None, int] = {lane: lanes[begin, lane] for lane in Lane if lanes[begin, lane]}
        if unnoted := totals[begin] - sum(calls.values()):
            calls[None] = unnoted
        hours.append(Hour(begin, calls))
    return hours


def _free(settings: Settings) -> Iterator[tuple[str, int]]:
    """Bytes free on each disk; of one that cannot be asked nothing is said."""
    places: dict[str, Path | None] = {
        "state": settings.state.path.resolve().parent,
        "files": settings.fetch_attachments.directory,
    }
    for name, path in places.items():
        try:
            if path is not None:
                yield name, shutil.disk_usage(path).free
        except OSError:
            continue
