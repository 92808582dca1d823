"""lists collections whole, and finds what the scans missed"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import Cursor, census_due, listed_whole
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scan_round import run_scans
from precoro_daemon.mirror.scanning import Lister, ScanReport, list_whole
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport, OncePerRound


@dataclass(frozen=True, slots=True)
class TakeCensus:
    """Lists a collection whole: adds what the mirror lacks, and marks as vanished what Precoro no longer has.

    What a whole scan could not request is requested here, even if that scan was no census.

    every   seconds after which a proved census is repeated; one that is owed does not wait for it
    forced  whether to take it of all collections, owed or not
    """

    lister: Lister
    collections: Sequence[Collection]
    filters: Mapping[str, Filter]
    every: float
    forced: bool = False
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "take_census"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now) and bool(await self._due_collections())

    async def _due_collections(self) -> Sequence[Collection]:
        return [one for one in self.collections if await self._is_due(one)]

    async def _is_due(self, collection: Collection) -> bool:
        standing = await self.lister.mirror.standing(collection.name)
        left = standing.whole is not None and standing.whole.finished
        return left or self._is_owed(collection, standing.cursor)

    def _is_owed(self, collection: Collection, cursor: Cursor) -> bool:
        due = census_due(cursor, self.every, self.lister.clock.now())
        return self.forced or (due and not listed_whole(collection, cursor))

    async def lap(self) -> LapReport:
        report = await run_scans(self.lister, await self._due_collections(), self._count)
        self.rounds.lap_ended()
        return report

    async def _count(self, collection: Collection) -> ScanReport:
        chosen = self.filters.get(collection.name, Filter())
        return await list_whole(
            self.lister, collection, chosen, Lane.CENSUS, lambda cursor: self._is_owed(collection, cursor)
        )
