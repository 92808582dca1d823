"""what schedules need of a day's calls, and what that leaves to documents and back-fill"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from precoro_daemon.domain.budget import Lane, Share

_BACKFILL = 0.75
"""Of what the schedules leave. The rest is kept for the documents and files of today, so that they never wait until
yesterday's back-fill leaves the window."""

_LEAST = 0.05
"""Of a day's calls go to documents whatever the schedules ask for: a mirror without details is of little use."""

DOCUMENT_LANES = frozenset({Lane.DETAILS, Lane.FILES, Lane.CENSUS})
BACKFILL_LANES = frozenset({Lane.FILES, Lane.CENSUS})


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """Calls of a day.

    granted    what Precoro allows
    scheduled  what laps that come by themselves take where nothing changed, by job
    kept       what is reserved for payments and deliveries
    documents  what is left for details, files, census and back-fill together
    """

    granted: int
    scheduled: Mapping[str, float]
    kept: int
    documents: int

    @property
    def backfill(self) -> int:
        """Of the documents' calls, what may go to those that did not change lately."""
        return max(1, int(self.documents * _BACKFILL))

    @property
    def affordable(self) -> bool:
        return sum(self.scheduled.values()) + self.kept <= self.granted * (1 - _LEAST)

    @property
    def shares(self) -> tuple[Share, ...]:
        return (Share(DOCUMENT_LANES, self.documents), Share(BACKFILL_LANES, self.backfill))

    def days(self, calls: int) -> float:
        """Until that much of a back-fill is done, if nothing else wants them."""
        return calls / self.backfill


def plan_quota(granted: int, reserve: Mapping[Lane, int], scheduled: Mapping[str, float]) -> QuotaPlan | None:
    """None where a day's calls are not limited. `scheduled`: calls a day by job."""
    if not granted:
        return None
    kept = reserve.get(Lane.DETAILS, 0)
    left = granted - kept - ceil(sum(scheduled.values()))
    return QuotaPlan(granted, scheduled, kept, max(left, int(granted * _LEAST), 1))
