"""refresh one document: fetch its detail and save it, or quarantine it, or mark it gone

Theory of operation. A caller that wants a document as it is now goes this way: the job of details, a delivery, and
the export of payments, which has read the document itself and only saves it. What is fetched by anyone counts for
all.

A detail says how the document was at some moment between the question and the answer; only the moment of the question
is safe. Whatever happens while the answer is under way may not be in it, and must still be fetched. So a detail is as
new as its question. The clock is set once, by the first answer of the process, and that may set it back: then the
question lies in the future of every later clock, and a change would look older than the detail that lacks it. So a
detail is never newer than its answer either (`as_of`).

A document that cannot be fetched is quarantined: it is tried again later, ever more seldom. One that is missing (404)
at two runs was deleted between the list and now, and is marked gone; should it be listed again, it returns. Many at
once are not believed, as in a census: a key that lost a role, or a proxy, says the same of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import anyio

from precoro_daemon.errors import BadRecord, DaemonError, NotFound
from precoro_daemon.mirror.ports.mirror import Due, Mirror
from precoro_daemon.mirror.ports.precoro import Detail, Precoro
from precoro_daemon.mirror.rules.absences import Missing, judge
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

Absent = tuple[Due, NotFound]


def as_of(asked_at: float, clock: Clock) -> float:
    """When an answer that has just come was true for certain."""
    return min(asked_at, clock.now())


async def save_answer(mirror: Mirror, clock: Clock, due: Due, detail: Detail, *, asked_at: float) -> None:
    """Save a detail that was asked for at `asked_at` and has just come."""
    await mirror.save_detail(due, detail, at=as_of(asked_at, clock))


def has_address(due: Due) -> bool:
    """Some documents are asked for by their idn, and an odd one has none."""
    return COLLECTIONS[due.collection].key != "idn" or due.idn is not None


def address_of(due: Due) -> int | str:
    """What addresses the detail. (Of a document that has none its id, which no other has.)"""
    return due.idn if COLLECTIONS[due.collection].key == "idn" and due.idn is not None else due.id


@dataclass(frozen=True, slots=True)
class Details:
    """Fetches details and decides what becomes of each document.

    filters       the user's: only a detail may show that a document is not wanted
    max_vanished  share of a collection's records that may be gone at once; more is not believed
    """

    precoro: Precoro
    mirror: Mirror
    clock: Clock
    filters: Mapping[str, Filter]
    max_vanished: float = 0.2

    async def refresh(self, due: Due, lane: Lane) -> None:
        """Fetch and save it. Raises BadRecord where nothing addresses it, else what `Precoro.detail` does."""
        if not has_address(due):
            raise BadRecord("it has no idn to ask for it by")
        asked_at = self.clock.now()
        detail = await self.precoro.detail(COLLECTIONS[due.collection], address_of(due), lane)
        chosen = self.filters.get(due.collection, Filter())
        detail = replace(detail, wanted=chosen.keeps_detail(detail.raw))
        await save_answer(self.mirror, self.clock, due, detail, asked_at=asked_at)

    async def quarantine(self, due: Due, error: DaemonError, *, stale: bool = False) -> str:
        """Keep it until it may be tried again; one line for the report. `stale`: it is due though its list row is as
        it was."""
        key, attempts = address_of(due), due.attempts + 1
        _log.warning("detail_failed", collection=due.collection, key=key, attempts=attempts, reason=str(error))
        with anyio.CancelScope(shield=True):  # the lap may be over already
            await self.mirror.quarantine_detail(due, error, at=self.clock.now(), stale=stale)
        return f"{due.collection} {key}: {error}"

    async def mark_gone(self, collection: str, absent: Sequence[Absent]) -> Sequence[Absent]:
        """Mark those gone that were missing twice; gives back those that are not believed to be."""
        live = await self.mirror.live(collection)
        missing = [Missing(due.id, address_of(due)) for due, _ in absent]
        if judge(missing, live, max_share=self.max_vanished, askable=False).refused:
            reason = f"{len(absent)} of {live} answer as if they were not there: not believed"
            return [(due, NotFound(f"{error} ({reason})")) for due, error in absent]
        for due, _ in absent:
            await self.mirror.mark_gone(due, at=self.clock.now())
            _log.info("documents_vanished", collection=collection, count=1, key=address_of(due))
        return []
