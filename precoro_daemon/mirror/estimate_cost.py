"""the calls and days that a first mirror will take, from one page of each list"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio

from precoro_daemon.errors import DaemonError, PermanentError, TemporaryError
from precoro_daemon.mirror.ports.precoro import ListRequest, Precoro
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.estimates import Cost
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane


@dataclass(frozen=True, slots=True)
class EstimateCost:
    """Requests the length of each list, which takes a call or two for each."""

    precoro: Precoro
    collections: Sequence[Collection]
    with_details: frozenset[str]
    filters: Mapping[str, Filter]
    per_page: int

    async def run(self) -> tuple[Sequence[Cost], Sequence[str]]:
        """Returns the costs in the order of the collections, and one line for each list that could not be read."""
        costs: dict[str, Cost] = {}
        failed: list[str] = []
        ended: list[DaemonError] = []

        async def ask(collection: Collection) -> None:
            try:
                costs[collection.name] = await self._cost(collection)
            except (TemporaryError, PermanentError) as error:
                failed.append(f"{collection.name}: {error}")
            except DaemonError as error:
                ended.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for collection in self.collections:
                group.start_soon(ask, collection, name=f"estimate {collection.name}")
        if ended:
            raise ended[0]
        return [costs[one.name] for one in self.collections if one.name in costs], failed

    async def _cost(self, collection: Collection) -> Cost:
        chosen = self.filters.get(collection.name, Filter())
        rows = await self.precoro.measure(ListRequest(collection, chosen), Lane.LISTS)
        pages = max(1, -(-rows // self.per_page))
        return Cost(collection.name, rows, pages, details=rows if collection.name in self.with_details else 0)
