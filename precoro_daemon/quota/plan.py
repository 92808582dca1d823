"""what schedules need of a day's calls, and what that leaves to documents and back-fill"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from precoro_daemon.quota.limits import Lane, Share

_BACKFILL, _BACKFILL_BESIDE_FILES, _FILES = 0.75, 0.5, 0.8
"""Of what the schedules leave, for back-fill, and for it and files together. The rest is kept for the documents of
today, so that they never wait until yesterday's back-fill leaves the window."""

_LEAST_SHARE = 0.05
"""Of a day's calls go to documents whatever the schedules ask for: a mirror without details is of little use."""

_A_DAY = {"day": 1, "hour": 24, "minute": 1_440, "second": 86_400}

_DOCUMENTS = frozenset({Lane.DETAILS, Lane.FILES, Lane.CENSUS})


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """Calls of a day.

    granted    what Precoro allows, and window: which limit says so
    scheduled  what laps that come by themselves take where nothing changed, by job
    kept       what is reserved for payments and deliveries
    documents  what is left for details, files, census and back-fill together
    files      attached files are fetched too
    """

    granted: int
    scheduled: Mapping[str, float]
    kept: int
    documents: int
    files: bool = False
    window: str = "day"

    @property
    def backfill(self) -> int:
        """Of the documents' calls, what may go to those that did not change lately."""
        return max(1, int(self.documents * (_BACKFILL_BESIDE_FILES if self.files else _BACKFILL)))

    @property
    def affordable(self) -> bool:
        return sum(self.scheduled.values()) + self.kept <= self.granted * (1 - _LEAST_SHARE)

    @property
    def shares(self) -> tuple[Share, ...]:
        scheduled = sum(self.scheduled.values())
        with_files = max(1, int(self.documents * _FILES))
        return (
            Share(_DOCUMENTS, self.documents, scheduled, least=max(1, int(self.granted * _LEAST_SHARE))),
            Share(_DOCUMENTS - {Lane.DETAILS}, with_files, scheduled),
            Share(frozenset({Lane.CENSUS}), self.backfill, scheduled),
        )

    def days(self, calls: int) -> float:
        """Until that much of a back-fill is done, if nothing else wants them."""
        return calls / self.backfill


def plan_quota(
    limits: Mapping[str, float], reserve: Mapping[Lane, int], scheduled: Mapping[str, float], *, files: bool = False
) -> QuotaPlan | None:
    """None where calls are not limited.

    limits     calls by the window they are allowed in; 0: that window has no limit
    scheduled  calls a day by job
    """
    days = {window: calls * _A_DAY[window] for window, calls in limits.items() if calls}
    if not days:
        return None
    window = min(days, key=lambda name: days[name])
    granted = int(days[window])
    kept = reserve.get(Lane.DETAILS, 0)
    left = granted - kept - ceil(sum(scheduled.values()))
    return QuotaPlan(granted, scheduled, kept, max(left, int(granted * _LEAST_SHARE), 1), files, window)
