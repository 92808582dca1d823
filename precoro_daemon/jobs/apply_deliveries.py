"""webhooks → targeted refreshes"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import COLLECTIONS, Collection
from precoro_daemon.domain.deliveries import TYPES
from precoro_daemon.domain.filters import Filter
from precoro_daemon.errors import DaemonError, NotFound, PermanentError, TemporaryError
from precoro_daemon.passes import Lister, bring_up_to_date
from precoro_daemon.ports import CustomFields, Deliveries, Delivery, Known, LapReport
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_AT_ONCE = 200
"""Deliveries of a lap: one page of changes, and three minutes of details."""

_PATIENCE = 86_400.0
"""Seconds after which a delivery that still cannot be applied is left to polling."""

_FIELDS = frozenset({"document_custom_fields", "item_custom_fields"})


@dataclass(frozen=True, slots=True)
class ApplyDeliveries:
    """Looks at what was announced: one listing of changes for each kind of record, then each record's detail.

    A delivery is a hint. What it names is believed as far as Precoro's own answers show it; what no listing shows
    (another company's, made up, not visible to the key) costs no call of its own.

    collections  those that are mirrored
    detailed     those of them whose records get details
    overlap      seconds a listing reaches back behind the cursor
    """

    lister: Lister
    deliveries: Deliveries
    fields: CustomFields
    collections: Sequence[str]
    filters: Mapping[str, Filter]
    detailed: Sequence[str]
    overlap: float

    async def due(self) -> bool:
        at = await self.deliveries.next_due()
        return at is not None and at <= self.lister.clock.now()

    async def lap(self) -> LapReport:
        begun = self.lister.clock.now()
        lap = _Lap(self, begun)
        try:
            for type_, batch in _by_type(await self.deliveries.due(now=begun, limit=_AT_ONCE)).items():
                await lap.apply(TYPES.get(type_, ""), batch)
        except DaemonError as error:
            lap.ended = error
        if lap.outcomes:
            _log.info("deliveries_applied", **lap.outcomes)
        return LapReport(lap.brought, lap.failed, lap.ended)


def _by_type(batch: Sequence[Delivery]) -> Mapping[int, Sequence[Delivery]]:
    groups: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in batch:
        groups[delivery.type].append(delivery)
    return groups


@dataclass(slots=True)
class _Lap:
    job: ApplyDeliveries
    begun: float
    brought: int = 0
    failed: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    ended: DaemonError | None = None

    async def apply(self, name: str, batch: Sequence[Delivery]) -> None:
        """All deliveries of one kind. Raises what keeps every call from leaving."""
        if name in _FIELDS:
            for delivery in batch:
                await self.job.fields.mark_stale(name, delivery.id, at=delivery.came_at)
            self.brought += len(batch)
            await self._settle(batch, "passed_on")
        elif name not in self.job.collections:
            await self._settle(batch, "not_mirrored")
        elif (await self.job.lister.mirror.cursor(name)).at is None:
            await self._settle(batch, "first_listing")  # which is going on, and will bring them
        else:
            await self._refresh(COLLECTIONS[name], batch)

    async def _refresh(self, collection: Collection, batch: Sequence[Delivery]) -> None:
        job = self.job
        chosen = job.filters.get(collection.name, Filter())
        try:
            report = await bring_up_to_date(job.lister, collection, chosen, job.overlap, Lane.DELIVERIES)
        except (TemporaryError, PermanentError) as error:
            await self._fail(batch, f"{collection.name}: {error}")
            return
        self.brought += report.created + report.updated + report.vanished
        known = {one.due.id: one for one in await job.lister.mirror.known(collection.name, [d.id for d in batch])}
        await self._settle([delivery for delivery in batch if delivery.id not in known], "not_listed")
        for delivery in batch:
            if delivery.id in known:
                await self._detail(collection, delivery, known[delivery.id])

    async def _detail(self, collection: Collection, delivery: Delivery, known: Known) -> None:
        """Also where its row is as it was: a payment shows in the detail alone."""
        if collection.name not in self.job.detailed:
            await self._settle([delivery], "listed")
        elif known.detailed_at is not None and known.detailed_at >= delivery.came_at:
            await self._settle([delivery], "known_already")
        else:
            try:
                await self._fetch(collection, known)
            except NotFound:
                await self._settle([delivery], "not_found")
            except (TemporaryError, PermanentError) as error:
                await self._fail([delivery], f"{collection.name} {delivery.idn or delivery.id}: {error}")
            else:
                await self._settle([delivery], "refreshed")

    async def _fetch(self, collection: Collection, known: Known) -> None:
        lister, due = self.job.lister, known.due
        key = due.idn if collection.key == "idn" and due.idn is not None else due.id
        detail = await lister.precoro.detail(collection, key, Lane.DELIVERIES)
        chosen = self.job.filters.get(collection.name, Filter())
        await lister.mirror.save_detail(
            due, replace(detail, wanted=chosen.keeps_detail(detail.raw)), at=lister.clock.now()
        )
        self.brought += 1

    async def _fail(self, batch: Sequence[Delivery], reason: str) -> None:
        """Tried again in a minute, for a day; then polling has long brought what there was."""
        self.failed.append(reason)
        _log.warning("delivery_postponed", count=len(batch), reason=reason)
        now = self.job.lister.clock.now()
        old = [delivery for delivery in batch if delivery.came_at < now - _PATIENCE]
        await self._settle(old, "given_up")
        await self.job.deliveries.postpone([one for one in batch if one not in old], at=now)

    async def _settle(self, batch: Sequence[Delivery], outcome: str) -> None:
        if batch:
            now = self.job.lister.clock.now()
            await self.job.deliveries.settle(batch, heard_at=self.begun, at=now, outcome=outcome)
            self.outcomes[outcome] += len(batch)
