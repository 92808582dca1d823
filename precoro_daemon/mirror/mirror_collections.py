"""brings lists into the mirror, by cursor"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.errors import PermanentError, TemporaryError
from precoro_daemon.mirror.polling import Polling
from precoro_daemon.mirror.rules.collections import COLLECTIONS, Collection
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scan_round import run_scans
from precoro_daemon.mirror.scanning import Lister, ScanReport, bring_up_to_date
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport, OncePerRound


@dataclass(frozen=True, slots=True)
class MirrorCollections:
    """Brings collections up to date: whole the first time, then what changed since the cursor.

    overlap  seconds the next scan reaches back before the cursor
    """

    lister: Lister
    collections: Sequence[Collection]
    filters: Mapping[str, Filter]
    overlap: float
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "mirror_collections"

    async def due(self, now: float) -> bool:
        """Returns whether a collection is left: each is due once in a run."""
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        report = await run_scans(self.lister, self.collections, self.mirror)
        self.rounds.lap_ended()
        return report

    async def mirror(self, collection: Collection) -> ScanReport:
        chosen = self.filters.get(collection.name, Filter())
        return await bring_up_to_date(self.lister, collection, chosen, self.overlap, Lane.LISTS)


@dataclass(slots=True)
class PollCollections:
    """Does the same in a service: scans each collection when the planner says that a scan is worth its calls."""

    every: MirrorCollections
    polling: Polling
    name: ClassVar[str] = MirrorCollections.name
    _found: Sequence[str] = field(default=(), init=False)

    async def due(self, _now: float) -> bool:
        self._found = await self.polling.due()
        return bool(self._found)

    async def lap(self) -> LapReport:
        """Does a lap with what `due` found."""
        found, self._found = self._found or await self.polling.due(), ()
        due = [COLLECTIONS[name] for name in found]
        report = await run_scans(self.every.lister, due, self._mirror)
        if report.brought > 0:
            await self.polling.reconsider()
        return report

    async def _mirror(self, collection: Collection) -> ScanReport:
        try:
            return await self.every.mirror(collection)
        except (TemporaryError, PermanentError):
            self.polling.failed(collection.name)
            raise
