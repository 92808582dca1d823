"""lists into the mirror, by cursor"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import Collection
from precoro_daemon.domain.filters import Filter
from precoro_daemon.passes import Lister, PassReport, bring_up_to_date, run_passes
from precoro_daemon.ports import LapReport


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
        return await run_passes(self.lister, self.collections, self._mirror)

    async def _mirror(self, collection: Collection) -> PassReport:
        chosen = self.filters.get(collection.name, Filter())
        return await bring_up_to_date(self.lister, collection, chosen, self.overlap, Lane.LISTS)
