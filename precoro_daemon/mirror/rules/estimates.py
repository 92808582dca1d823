"""the calls and time of a first mirror, from one page of each list"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from precoro_daemon.quota.forecast import TimeToGo, duration
from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.quota.plan import QuotaPlan


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls for the first mirror of one collection.

    rows     records that the user's filter admits
    pages    calls for the list
    details  calls for the full documents, 0 if none are wanted
    """

    collection: str
    rows: int
    pages: int
    details: int

    @property
    def calls(self) -> int:
        return self.pages + self.details


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it: how long it takes, and with how many calls a day; 0 for any number."""

    time: TimeToGo
    per_day: int

    @property
    def seconds(self) -> float:
        return self.time.seconds


@dataclass(frozen=True, slots=True)
class Estimate:
    """The total of a first mirror, as a service and with --once once a day."""

    costs: Sequence[Cost]
    calls: int
    service: Way
    once: Way

    @property
    def within_a_day(self) -> bool:
        return self.calls <= min(
            (way.per_day for way in (self.service, self.once) if way.per_day), default=self.calls
        )


def estimate(costs: Sequence[Cost], plan: QuotaPlan | None, limits: Mapping[str, float], kept: int) -> Estimate:
    """Returns the estimate from the costs of each list.

    plan    of a service that does it; None if calls are not limited
    limits  calls by window, 0 for a window without a limit
    kept    calls of a day that --once leaves to others
    """
    calls = sum(cost.calls for cost in costs)
    if plan is None:
        return Estimate(costs, calls, Way(TimeToGo(), 0), Way(TimeToGo(), 0))
    # Each run begins with one call for each list, which brings what changed since the run before.
    per_day = max(1, int(limits["day"]) - kept - len(costs)) if limits["day"] else 0
    windows = {**limits, "day": per_day}
    once = TimeToGo.exactly(duration(calls, [(seconds, int(windows[window])) for window, seconds in SECONDS.items()]))
    return Estimate(costs, calls, Way(plan.time_for(calls), plan.backfill), Way(once, per_day))
