"""lists into the mirror, by cursor"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scanning import Lister, ScanReport, bring_up_to_date, run_scans
from precoro_daemon.quota.budget import Lane
from precoro_daemon.runtime.ports import LapReport


@dataclass(frozen=True, slots=True)
class MirrorCollections:
    """Brings every collection up to date: whole the first time, then what changed since its cursor.

    overlap  seconds the next pass reaches back behind the cursor
    """

    lister: Lister
    collections: Sequence[Collection]
    filters: Mapping[str, Filter]
    overlap: float

    async def lap(self) -> LapReport:
        return await run_scans(self.lister, self.collections, self._mirror)

    async def _mirror(self, collection: Collection) -> ScanReport:
        chosen = self.filters.get(collection.name, Filter())
        return await bring_up_to_date(self.lister, collection, chosen, self.overlap, Lane.LISTS)
