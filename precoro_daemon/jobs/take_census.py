"""what did the passes miss"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import Collection
from precoro_daemon.domain.cursors import Pass, census_due
from precoro_daemon.domain.filters import Filter
from precoro_daemon.passes import Lister, PassReport, added, close_left, run_pass, run_passes, use_filter
from precoro_daemon.ports import LapReport


@dataclass(frozen=True, slots=True)
class TakeCensus:
    """Lists a collection whole: what the mirror lacks is added, what Precoro no longer has is marked vanished.

    every  seconds after which a proved census is repeated; one that is owed does not wait for it
    """

    lister: Lister
    collections: Sequence[Collection]
    filters: Mapping[str, Filter]
    every: float

    async def due(self) -> Sequence[Collection]:
        now = self.lister.clock.now()
        cursors = [(one, await self.lister.mirror.cursor(one.name)) for one in self.collections]
        return [one for one, cursor in cursors if census_due(cursor, self.every, now)]

    async def lap(self, *, forced: bool = False) -> LapReport:
        return await run_passes(self.lister, self.collections if forced else await self.due(), self._count)

    async def _count(self, collection: Collection) -> PassReport:
        chosen = self.filters.get(collection.name, Filter())
        cursor = await use_filter(self.lister, collection, chosen)
        left = await close_left(self.lister, collection)
        walk = Pass(collection.name, "whole", filter=cursor.filter)
        return added(left, await run_pass(self.lister, collection, walk, chosen, Lane.CENSUS))
