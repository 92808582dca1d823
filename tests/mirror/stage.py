"""A company in the sandbox, a state file, and the whole program between them in this process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import anyio

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.app.runs import Wish, run
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.runtime.job import RunReport
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.faults import Fault
from precoro_daemon.settings import Settings
from precoro_daemon.status.progress import Progress, Silent
from tests.mirror.comparing import Truth, Wanted, differences, keeps_everything, truth_of

SCALE = 1000.0
"""How many times faster than real all time passes: waits are short, and an hour's overlap is 3.6 seconds."""

NO_LIMITS = dict.fromkeys(
    ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour"), 0
)


@dataclass
class UsersAct(Fault):
    """A rule that never spoils an answer: in the moment a call arrives, users do something."""

    act: Callable[[], object] = lambda: None

    def strikes(self, method: str, path_qs: str, random: Random) -> bool:
        if super().strikes(method, path_qs, random):
            self.act()
        return False


class Watch(Silent):
    """Calls `look` after every commit of pages."""

    def __init__(self, look: Callable[[Scan, Committed], object]) -> None:
        self._look = look

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        self._look(scan, committed)


def soon(act: Callable[..., object], *arguments: object) -> None:
    """Act outside of the program, where blocking is allowed, as soon as it lets go of the loop."""
    asyncio.get_running_loop().call_soon(act, *arguments)


@dataclass
class Stage:
    """The sections are the configuration's, over those of a small rehearsal; change them between two runs."""

    sandbox: Sandbox
    directory: Path
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.directory / "state.db"

    @property
    def files_url(self) -> str:
        return self.sandbox.files_url

    @property
    def settings(self) -> Settings:
        given = {
            "precoro": {
                "base_url": self.sandbox.url,
                "email": self.sandbox.email,
                "token": self.sandbox.token,
                "timeout": 10,
            },
            "state": {"url": f"sqlite:///{self.database}"},
            "limits": NO_LIMITS | {"time_scale": self.sandbox.options.time_scale},
            "mirror_collections": {"collections": ("invoices",), "per_page": 10},
        }
        return Settings(**{name: given.get(name, {}) | self.sections.get(name, {}) for name in given | self.sections})

    def clock(self) -> RealClock:
        """One that knows Precoro's time, as it does once anything was answered."""
        clock = RealClock(self.sandbox.options.time_scale)
        clock.anchor(self.sandbox.clock.now())
        return clock

    async def run(
        self, only: str | None = None, *, progress: Progress | None = None, clock: RealClock | None = None
    ) -> RunReport:
        clock = clock or RealClock(self.sandbox.options.time_scale)
        return await run(self.settings, clock, Wish(only, progress=progress or Silent()))

    async def run_until(self, stops: Callable[[Scan, Committed], bool]) -> None:
        """A run that ends at once, wherever it is, when `stops` says so after a commit of pages."""
        with anyio.CancelScope() as scope:
            await self.run(progress=Watch(lambda scan, done: stops(scan, done) and scope.cancel()))

    @property
    def collections(self) -> Sequence[str]:
        return self.settings.mirror_collections.collections

    @property
    def truths(self) -> Mapping[str, Truth]:
        """With the details that the configuration asks for."""
        settings = self.settings
        detailed = settings.fetch_details.collections
        names = settings.mirror_collections.collections
        return {name: truth_of(self.sandbox, name, details=name in detailed) for name in names}

    def differences(self, *, wanted: Wanted = keeps_everything, counted: bool = True) -> list[str]:
        return differences(self.database, self.truths, wanted=wanted, counted=counted)

    def query(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()

    def when(self, call: str, act: Callable[[], object], *, skip: int = 0, times: int = 1) -> None:
        """Users act when a call arrives whose path and query match, before it is answered."""
        self.sandbox.faults.rules.append(UsersAct("users act", call, skip=skip, times=times, act=act))

    def calls(self, pattern: str = "") -> list[str]:
        """Path and query of the calls since the journal was cleared."""
        return [entry.path_qs for entry in self.sandbox.journal if pattern in entry.path_qs]


@asynccontextmanager
async def stage(
    directory: Path, *, sections: dict[str, dict[str, Any]] | None = None, **options: Any
) -> AsyncIterator[Stage]:
    """A company of the given counts; no limits unless asked for."""
    chosen: dict[str, Any] = {"size": "empty", "counts": {"invoices": 45}, "limits": False, "time_scale": SCALE}
    async with serve(SandboxOptions(**chosen | options)) as sandbox:
        yield Stage(sandbox, directory, sections or {})
