"""what did the scans miss"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import Scan, census_due
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scan_round import run_scans
from precoro_daemon.mirror.scanning import Lister, ScanReport, added, close_left, run_scan, use_filter
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport, OncePerRound


@dataclass(frozen=True, slots=True)
class TakeCensus:
    """Lists a collection whole: what the mirror lacks is added, what Precoro no longer has is marked vanished.

    every   seconds after which a proved census is repeated; one that is owed does not wait for it
    forced  of all collections, owed or not
    """

    lister: Lister
    collections: Sequence[Collection]
    filters: Mapping[str, Filter]
    every: float
    forced: bool = False
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "take_census"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now) and bool(await self._owed())

    async def _owed(self) -> Sequence[Collection]:
        if self.forced:
            return self.collections
        now = self.lister.clock.now()
        cursors = [(one, await self.lister.mirror.cursor(one.name)) for one in self.collections]
        return [one for one, cursor in cursors if census_due(cursor, self.every, now)]

    async def lap(self) -> LapReport:
        report = await run_scans(self.lister, await self._owed(), self._count)
        self.rounds.lap_ended()
        return report

    async def _count(self, collection: Collection) -> ScanReport:
        chosen = self.filters.get(collection.name, Filter())
        cursor = await use_filter(self.lister, collection, chosen)
        left = await close_left(self.lister, collection)
        scan = Scan(collection.name, "whole", filter=cursor.filter)
        return added(left, await run_scan(self.lister, collection, scan, chosen, Lane.CENSUS))
