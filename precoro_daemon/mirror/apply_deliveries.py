"""webhooks → targeted refreshes"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, TypeVar

from precoro_daemon.errors import (
    DaemonError,
    KeyInDoubt,
    LockedOut,
    MalformedAnswer,
    NotFound,
    PermanentError,
    TemporaryError,
)
from precoro_daemon.mirror.details import Details, address_of, has_address
from precoro_daemon.mirror.giving_up import give_up_after
from precoro_daemon.mirror.ports.custom_fields import CustomFields
from precoro_daemon.mirror.ports.deliveries import Deliveries, Delivery
from precoro_daemon.mirror.ports.mirror import Due, Known
from precoro_daemon.mirror.rules.collections import COLLECTIONS, Collection
from precoro_daemon.mirror.rules.deliveries import COLLECTION_BY_TYPE
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scanning import Lister, bring_up_to_date
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.telemetry import get_logger

_log = get_logger()

T = TypeVar("T")

_DETAILS_A_LAP = 200
"""Details of a lap: three minutes. Deliveries that arrive meanwhile, of any kind, are then listed before more
details.
"""

_DELIVERIES_A_LAP = 10_000
"""Deliveries of a lap. Most of a flood is settled by one listing of each kind."""

_LONGEST_WAIT_S = 90.0
"""Seconds that a call waits within Precoro's limits, or a scan for another one of the same list. An identical GET may
wait for most of an hour, and what else was announced would wait behind it.
"""

_MOST_LATE_DETAILS = 2
"""Details that have to wait that long, after which the others of a lap are not tried."""

_LISTED_AGAIN = 180.0
"""Seconds between two listings of a small set, which are always the same GET: thirty of them an hour are allowed, and
twelve belong to polling.
"""

_SKEW = 5.0
"""Seconds by which our clock and Precoro's, which is cut to seconds, may differ."""

_TRY_AGAIN_S = 60.0
"""Seconds after which a check that failed is repeated."""

_GIVEN_UP_AFTER_S = 86_400.0
"""Seconds after which a delivery that still cannot be applied is left to polling."""

_DEFINITION_COLLECTIONS = frozenset({"document_custom_fields", "item_custom_fields"})


@dataclass(frozen=True, slots=True)
class ApplyDeliveries:
    """Checks what was announced: one scan of changes for each kind of record, then each record's detail.

    A delivery is a hint. It is believed as far as Precoro's own answers confirm it. A record that no scan shows
    (another company's, invented, or hidden from the key) costs no call of its own.

    collections  the mirrored ones
    detailed     those of them whose records get details
    overlap      seconds a listing reaches back before the cursor
    """

    lister: Lister
    details: Details
    deliveries: Deliveries
    fields: CustomFields
    collections: Sequence[str]
    filters: Mapping[str, Filter]
    detailed: Sequence[str]
    overlap: float

    name: ClassVar[str] = "apply_deliveries"

    async def due(self, _now: float) -> bool:
        at = await self.deliveries.next_due()
        return at is not None and at <= self.lister.clock.now()

    async def lap(self) -> LapReport:
        begun = self.lister.clock.now()
        lap = _Lap(self, begun)
        try:
            for type_, batch in _by_type(await self.deliveries.due(now=begun, limit=_DELIVERIES_A_LAP)).items():
                await lap.apply(COLLECTION_BY_TYPE.get(type_, ""), batch)
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
    details: int = 0
    late: int = 0
    failed: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    ended: DaemonError | None = None

    async def apply(self, name: str, batch: Sequence[Delivery]) -> None:
        """Applies all deliveries of one kind. Raises errors that keep every call from leaving."""
        if name in _DEFINITION_COLLECTIONS:
            await self.job.fields.mark_stale(name, {delivery.id: delivery.came_at for delivery in batch})
            self.brought += len(batch)
            await self._settle(batch, "passed_on")
        elif name not in self.job.collections:
            await self._settle(batch, "not_mirrored")
        else:
            await self._refresh(COLLECTIONS[name], batch)

    async def _refresh(self, collection: Collection, batch: Sequence[Delivery]) -> None:
        mirror = self.job.lister.mirror
        cursor = await mirror.cursor(collection.name)
        if cursor.at is None or cursor.filter != self._filter(collection).fingerprint:
            await self._settle(batch, "first_listing")  # which is going on or due, and will bring them
        elif await self._list(collection, cursor.at, batch):
            known = {one.due.id: one for one in await mirror.known(collection.name, [one.id for one in batch])}
            await self._settle([one for one in batch if one.id not in known], "not_listed")
            await self._refresh_each(collection, [(one, known[one.id]) for one in batch if one.id in known])

    def _filter(self, collection: Collection) -> Filter:
        return self.job.filters.get(collection.name, Filter())

    async def _list(self, collection: Collection, listed_at: float, batch: Sequence[Delivery]) -> bool:
        """Returns whether a listing began after they arrived. If not, they are postponed."""
        job = self.job
        if listed_at > max(one.came_at for one in batch) + _SKEW:
            return True
        if collection.small and listed_at > job.lister.clock.now() - _LISTED_AGAIN:
            await job.deliveries.postpone(batch, until=listed_at + _LISTED_AGAIN)
            return False
        chosen = self._filter(collection)
        try:
            report = await give_up_after(
                self.job.lister.clock,
                _LONGEST_WAIT_S,
                partial(bring_up_to_date, job.lister, collection, chosen, job.overlap, Lane.DELIVERIES),
            )
        except (TemporaryError, PermanentError) as error:
            await self._fail(batch, f"{collection.name}: {error}")
            return False
        if report is None:
            await self._wait(batch, collection.name)
            return False
        self.brought += report.created + report.updated + report.vanished
        return True

    async def _refresh_each(self, collection: Collection, found: Sequence[tuple[Delivery, Known]]) -> None:
        """Refreshes details, even if the list row is unchanged: a payment shows only in the detail."""
        if collection.name not in self.job.detailed:
            await self._settle([delivery for delivery, _ in found], "listed")
            return
        seen = [delivery for delivery, known in found if (known.detailed_at or 0.0) >= delivery.came_at]
        await self._settle(seen, "known_already")
        now = self.job.lister.clock.now()
        for delivery, known in found:
            if self.details >= _DETAILS_A_LAP or self.late >= _MOST_LATE_DETAILS:
                return  # the next lap begins with those that are left
            if (known.detailed_at or 0.0) >= delivery.came_at:
                continue
            if known.quarantined_until is not None and known.quarantined_until > now:
                await self._settle([delivery], "quarantined")
            else:
                await self._detail(collection, delivery, known)

    async def _detail(self, collection: Collection, delivery: Delivery, known: Known) -> None:
        what = f"{collection.name} {address_of(known.due)}"
        try:
            refreshed = has_address(known.due) and await give_up_after(
                self.job.lister.clock, _LONGEST_WAIT_S, partial(self._refresh_detail, known.due, delivery.came_at)
            )
        except NotFound:
            await self._settle([delivery], "not_found")
        except KeyInDoubt:
            self.late = _MOST_LATE_DETAILS
            await self.job.deliveries.postpone([delivery], until=self.job.lister.clock.now() + _TRY_AGAIN_S)
        except LockedOut as error:
            await self._quarantine(delivery, known.due, error)
            raise
        except (PermanentError, MalformedAnswer) as error:
            await self._quarantine(delivery, known.due, error)
        except TemporaryError as error:
            await self._fail([delivery], f"{what}: {error}")
        else:
            if refreshed is None:
                self.late += 1
                await self._wait([delivery], what)
            else:
                await self._settle([delivery], "refreshed" if refreshed else "listed")

    async def _refresh_detail(self, due: Due, came_at: float) -> bool:
        self.details += 1
        await self.job.details.refresh(due, Lane.DELIVERIES, since=came_at)
        self.brought += 1
        return True

    async def _wait(self, batch: Sequence[Delivery], what: str) -> None:
        now = self.job.lister.clock.now()
        _log.info("delivery_postponed", count=len(batch), reason=f"{what}: Precoro's limits leave no call at present")
        await self.job.deliveries.postpone(batch, until=now + _TRY_AGAIN_S)

    async def _fail(self, batch: Sequence[Delivery], reason: str) -> None:
        """Postpones the deliveries by a minute, for a day; by then polling has brought what there was."""
        self.failed.append(reason)
        _log.warning("delivery_postponed", count=len(batch), reason=reason)
        now = self.job.lister.clock.now()
        old = [delivery for delivery in batch if delivery.came_at < now - _GIVEN_UP_AFTER_S]
        await self._settle(old, "given_up")
        young = [delivery for delivery in batch if delivery.came_at >= now - _GIVEN_UP_AFTER_S]
        await self.job.deliveries.postpone(young, until=now + _TRY_AGAIN_S)

    async def _quarantine(self, delivery: Delivery, due: Due, error: DaemonError) -> None:
        """Quarantines a refused document. From then on it is due like any other detail, and requested as seldom."""
        self.failed.append(await self.job.details.quarantine(due, error, stale=True))
        await self._settle([delivery], "quarantined")

    async def _settle(self, batch: Sequence[Delivery], outcome: str) -> None:
        if batch:
            now = self.job.lister.clock.now()
            await self.job.deliveries.settle(batch, heard_at=self.begun, at=now, outcome=outcome)
            self.outcomes[outcome] += len(batch)
