"""lists into the mirror, by cursor"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scan_round import run_scans
from precoro_daemon.mirror.scanning import Lister, ScanReport, bring_up_to_date
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport, OncePerRound


@dataclass(frozen=True, slots=True)
class MirrorCollections:
    """Brings every collection up to date: whole the first time, then what changed since its cursor.

    overlap  seconds the next scan reaches back behind the cursor
    """

    lister: Lister
    collections: Sequence[Collection]
    filters: Mapping[str, Filter]
    overlap: float
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "mirror_collections"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        report = await run_scans(self.lister, self.collections, self._mirror)
        self.rounds.lap_ended()
        return report

    async def _mirror(self, collection: Collection) -> ScanReport:
        chosen = self.filters.get(collection.name, Filter())
        return await bring_up_to_date(self.lister, collection, chosen, self.overlap, Lane.LISTS)
