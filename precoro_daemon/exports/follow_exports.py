"""keeps every configured export up to date; a failing export never stops the others"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import anyio

from precoro_daemon.errors import DaemonError, StoreUnusable, TemporaryError
from precoro_daemon.runtime.backoff import pause_of_job
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_LONGEST_PAUSE_ASKED_S = 86_400.0
"""The longest pause that a receiver may ask for."""


class Exporter(Protocol):
    """One export. After a cancellation or a kill it resumes from its own durable position."""

    @property
    def name(self) -> str: ...

    async def behind(self) -> bool:
        """Returns whether there is anything to do. Raises StoreUnusable."""
        ...

    async def follow(self) -> int:
        """Works to the end of the change log, or for a bounded time, and returns the number of rows written.

        Raises whatever stops it.
        """
        ...


@dataclass(slots=True)
class Turn:
    """When an export runs next.

    every      least number of seconds between two turns
    setbacks   failures since the last success
    failed_in  the round of the last failure
    """

    exporter: Exporter
    every: float = 0.0
    next_at: float = 0.0
    setbacks: int = 0
    failed_in: float | None = None


@dataclass(slots=True)
class FollowExports:
    """Runs all exports concurrently.

    A failing export is logged and retried after a growing pause. Only a failure of the state, which all of them read,
    stops them all.
    """

    turns: Sequence[Turn]
    clock: Clock
    round_at: float = field(default=0.0, init=False)
    name: ClassVar[str] = "follow_exports"

    async def due(self, now: float) -> bool:
        self.round_at = now
        return bool(await self._due())

    async def _due(self) -> list[Turn]:
        now = self.clock.now()
        ready = [turn for turn in self.turns if turn.next_at <= now and turn.failed_in != self.round_at]
        return [turn for turn in ready if await turn.exporter.behind()]

    async def lap(self) -> LapReport:
        due = await self._due()
        rows: list[int] = []
        failed: list[str] = []
        fatal: list[StoreUnusable] = []

        async def take(turn: Turn) -> None:
            try:
                rows.append(await turn.exporter.follow())
            except StoreUnusable as error:
                fatal.append(error)
            except DaemonError as error:
                failed.append(self._fail(turn, error))
            else:
                self._succeed(turn)

        async with anyio.create_task_group() as group:
            for turn in due:
                group.start_soon(take, turn, name=f"export {turn.exporter.name}")
        return LapReport(brought=sum(rows), failed=failed, ended=fatal[0] if fatal else None)

    def _fail(self, turn: Turn, error: DaemonError) -> str:
        turn.setbacks += 1
        turn.failed_in = self.round_at
        asked = error.wait if isinstance(error, TemporaryError) else None
        wait = max(pause_of_job(turn.setbacks), min(asked or 0.0, _LONGEST_PAUSE_ASKED_S))
        turn.next_at = self.clock.now() + wait
        log = _log.warning if turn.setbacks == 1 else _log.debug
        log("export_failed", export=turn.exporter.name, reason=str(error), again_in=round(wait))
        return f"export {turn.exporter.name}: {error}"

    def _succeed(self, turn: Turn) -> None:
        if turn.setbacks:
            _log.info("export_recovered", export=turn.exporter.name)
        turn.setbacks, turn.failed_in = 0, None
        turn.next_at = self.clock.now() + turn.every
