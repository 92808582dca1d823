"""lists into the mirror, by cursor"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import Collection
from precoro_daemon.domain.cursors import next_pass, walk_again
from precoro_daemon.domain.filters import Filter
from precoro_daemon.passes import Lister, PassReport, added, close_left, run_pass, run_passes, use_filter
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
        cursor = await use_filter(self.lister, collection, chosen)
        report = await close_left(self.lister, collection)
        while True:
            walk = next_pass(collection, cursor, self.overlap)
            report = added(report, await run_pass(self.lister, collection, walk, chosen, Lane.LISTS))
            cursor = await self.lister.mirror.cursor(collection.name)
            if not walk_again(walk, cursor):
                return report
