"""what a day's calls go to: polls, documents of today, back-fill; and how long that takes

Theory of operation. The day has so many calls, less what others on the key are known to make. First come those that
are kept for payments and deliveries: the reserve or, if it is more, what these took in the last day. What is left is
divided between polls of lists, the documents that change today, and everything that can wait: older documents that
lack their detail, files, the census.

- In a first fill, as long as more older documents wait than a tenth of a day could bring, polls get little: a mirror
  without documents is of no use, and the planner of scans makes the best of few calls. Details then have at least
  three quarters of the day.
- Afterwards polls may have what documents do not need, up to what the user allows; but no sooner than the calls of
  the fill have left the last day, or the documents of today would wait for that.
- What can wait takes most of its share as soon as it may, so that the mirror is there early, and a part as the day
  goes on. Then no hour finds the day spent: where payments need more than was foreseen, they have what that part
  would have had, and the plan of the next quarter of an hour gives it less. On a first day, when nobody knows what
  payments and deliveries make, that part is more at first, and a sixth of the day is kept beyond what they made so
  far, less and less in its second half.
- Payments and deliveries go with what changes: the part of a day's changes that is to be expected in the hours seen
  so far says how much of them is still to come, on a first day as on Monday morning, and how they leave the days of a
  fill more or less.
- What payments keep of that no other lane takes, not even deliveries and lists.
- What bounds ask of lists in a day no document and no delivery takes, however many change: payments made in Precoro
  are found by lists.
- Bounds and schedules of the user's come first in any case. What they take beyond all that is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from precoro_daemon.quota.limits import SECONDS, Lane, Share

_LISTS_IN_A_FILL = 1 / 15
"""Of a day's calls: 200 of 3,000, with which a planned poll of the busy lists still comes every quarter of an hour in
office hours."""

_FILL_FROM = 0.1
"""Of a day's calls. Where fewer documents wait, they are there tomorrow whatever polls take."""

_TODAY_SPARE = 1.25
"""So much more than usual is kept for the documents that change today: days differ."""

_TODAY_BESIDE = 0.02
"""Of a day's calls, for what else cannot wait: definitions of custom fields, documents that are asked for twice."""

_URGENT_SPARE, _MOST_FOR_URGENT = 1.25, 0.25
"""So much more than in the last day is kept for payments and deliveries, where the reserve is not more than that
anyway; but no more than a quarter of the day for each: webhooks have a share of their own, and may be a flood."""

_UNKNOWN_URGENT, _MOST_UNKNOWN = 0.15, 0.35
"""Of a day's calls, beyond those that were made, in the first half of a first day: a fill that begins at night leaves
to payments of the evening what they need. No more than the second altogether."""

_USUAL_FOR = 0.2
"""So much of a day counts what payments and deliveries are taken to make before any was seen. It says how long a fill
takes; a day that is over says it better."""

_LEAST_SEEN = 1e-3

_DAYS_A_WEEK = 7

_UNKNOWN_PAYMENTS = 0.05
"""Of a day's calls, on a first day with payments: forty of them in each direction."""

_SPREAD, _SPREAD_AT_FIRST = 0.25, 0.6
"""Of what can wait. A first mirror of 7,000 calls is done half a day later at most than if all of it left at once,
and a third of a day earlier than if all were spread. The second when a first day with payments or deliveries
begins."""

_TO_SPARE_FOR_LISTS = 0.02
"""Of a day's calls at most, beyond those that lists made: where these left in the morning, none of them is back
before the next one."""

_LEAST_SHARE = 0.05
"""Of a day's calls go to documents whatever polls ask for: a mirror without details is of little use."""

_BACKFILL_BESIDE_FILES = 2 / 3
"""Of what can wait, where attached files are fetched too."""

_A_DAY = {"day": 1, "hour": 24, "minute": 1_440, "second": 86_400}

DOCUMENT_LANES = frozenset({Lane.DETAILS, Lane.FILES, Lane.CENSUS})
_ALL_BUT_PAYMENTS = frozenset(Lane) - {Lane.PAYMENTS}
_BELOW_LISTS = DOCUMENT_LANES | {Lane.DELIVERIES}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a day's calls.

    bound    calls of polls that bounds and schedules of the user's ask for, whatever changes
    lists    calls that polls may take at most
    changes  documents that change on a busy day and get a detail
    backlog  older documents that lack their detail; None: not known yet, as some list was never read to its end
    spent    calls that documents made in the last day; detailed: of them those of documents that change today
    polled   calls that lists made in the last day
    urgent   calls that payments and deliveries made in the last day; paid: of them payments
    pays     payments are kept in step
    unknown  there are payments or deliveries, and of this part of the day nobody knows yet what they make
    usual    calls a day that they should make by what changes: it counts for little once they were seen
    seen     of the changes of a mean day, the part to be expected in that of the last day from which calls are known
    coming   likewise of each day to come: this one, and a week thereafter
    files    attached files are fetched too
    """

    bound: float
    lists: float
    changes: float = 0.0
    backlog: int | None = 0
    spent: int = 0
    detailed: int = 0
    polled: int = 0
    urgent: int = 0
    paid: int = 0
    pays: bool = False
    unknown: float = 0.0
    usual: float = 0.0
    seen: float = 1.0
    coming: Sequence[float] = (1.0,) * (1 + _DAYS_A_WEEK)
    files: bool = False


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """Calls of a day, as whole numbers.

    limits    what Precoro allows, by window; 0: that window has no limit
    granted   what that comes to in a day, and window: which limit says so
    kept      what is left to payments and deliveries; paying: of it to payments alone
    lists     what polls may take
    listing   what documents and deliveries leave to lists: those that were made, and some of what bounds ask for
    today     what is kept for documents that change today
    backfill  what is left for older documents; later: likewise on each day of the week after this one
    waiting   what is left for older documents, files and census together
    filling   a first fill is under way: polls get little until it is done
    bound     what bounds and schedules of the user's take of `lists`
    spread    this part of what can wait leaves only as the day goes on
    crowded   more documents change than the day has calls for
    """

    limits: Mapping[str, float]
    granted: int
    window: str
    kept: int
    paying: int
    lists: int
    listing: int
    today: int
    waiting: int
    backfill: int
    later: Sequence[int]
    filling: bool
    bound: float
    spread: float = _SPREAD
    crowded: bool = False

    @property
    def documents(self) -> int:
        return self.today + self.waiting

    @property
    def affordable(self) -> bool:
        """Bounds and schedules leave something to documents."""
        return self.bound <= self.affordable_lists

    @property
    def affordable_lists(self) -> int:
        """Calls for lists that leave something to documents."""
        return int(self.granted * (1 - _LEAST_SHARE)) - self.kept

    @property
    def shares(self) -> tuple[Share, ...]:
        least = max(1, int(self.granted * _LEAST_SHARE))
        return (
            Share(
                DOCUMENT_LANES,
                self.documents,
                self.lists,
                least=least,
                spread=_SPREAD_AT_FIRST if self.crowded else _SPREAD,
            ),
            Share(DOCUMENT_LANES - {Lane.DETAILS}, self.waiting, self.lists, spread=self.spread),
            Share(frozenset({Lane.CENSUS}), self.backfill, self.lists, spread=self.spread),
            Share(_ALL_BUT_PAYMENTS, max(1, self.granted - self.paying)),
            Share(_BELOW_LISTS, max(least, self.granted - self.paying - self.listing)),
        )

    def seconds_for(self, calls: int, spent: Sequence[float] = ()) -> float:
        """Until the last of so many calls for older documents has left.

        spent  how many seconds ago those of the last day left, oldest first: each opens the day for another one when
               it is a day old
        """
        if calls <= 0:
            return 0.0
        ages = spent[-self.backfill :]
        days, number = self._day_of(len(ages) + calls - 1)
        today = -ages[number] if number < len(ages) else self._leaves(number + 1, ages)
        return max(0.0, days * SECONDS["day"] + today)

    def _day_of(self, number: int) -> tuple[int, int]:
        """Days until a call leaves, and the one of today at whose hour it does: a day opens as the one before it was
        spent, and what it has more than that at once."""
        if number < self.backfill:
            return 0, number
        weeks, number = divmod(number - self.backfill, sum(self.later))
        for day, share in enumerate(self.later, 1 + weeks * len(self.later)):
            if number < share:
                return day, max(0, number - share + self.backfill)
            number -= share
        raise AssertionError

    def _leaves(self, calls: int, ages: Sequence[float]) -> float:
        """Until so many calls of today's share have left, of which some have."""
        evenly = self.backfill * (2 * self.spread + _SPREAD) / 3  # on a first day it falls as the day goes on
        beyond = calls - (self.backfill - evenly)
        later = ((beyond - earlier) * SECONDS["day"] / evenly - age for earlier, age in enumerate(ages or (0.0,)))
        return min(max(self._at_once(calls - len(ages)), *later), SECONDS["day"])

    def _at_once(self, calls: int) -> float:
        """Until the last has left, as far as the day has them."""
        shorter = {window: int(calls) for window, calls in self.limits.items() if window != "day"}
        return duration(calls, [(seconds, shorter.get(window, 0)) for window, seconds in SECONDS.items()])


def plan_quota(limits: Mapping[str, float], reserve: Mapping[Lane, int], demand: Demand) -> QuotaPlan | None:
    """None where calls are not limited.

    limits  calls by the window they are allowed in; 0: that window has no limit
    """
    allowed = {window: calls * _A_DAY[window] for window, calls in limits.items() if calls}
    if not allowed:
        return None
    window = min(allowed, key=lambda name: allowed[name])
    granted, reserved = int(allowed[window]), reserve.get(Lane.DETAILS, 0)
    beyond = min(1.0, 2 * demand.unknown) * granted
    quarter = int(granted * _MOST_FOR_URGENT)
    paid = min(int(demand.paid * _URGENT_SPARE), quarter)
    foreseen = min(demand.urgent + int(_UNKNOWN_URGENT * beyond), int(_MOST_UNKNOWN * granted) + paid)
    usual = [max(reserved, min(int(calls * _URGENT_SPARE), quarter + paid)) for calls in _urgent(demand)]
    kept = max(usual[0], foreseen if demand.unknown else 0)
    paying = max(paid, demand.paid + int(_UNKNOWN_PAYMENTS * beyond))
    least = max(1, int(granted * _LEAST_SHARE))
    filling = demand.backlog is None or demand.backlog > granted * _FILL_FROM
    wanted = [calls * _TODAY_SPARE + granted * _TODAY_BESIDE for calls in _changed(demand)]
    in_a_fill = granted * _LISTS_IN_A_FILL
    spare = max(
        granted - kept - wanted[0] - max(demand.spent, least), min(in_a_fill, granted - kept - least - wanted[0])
    )
    lists = max(demand.bound, min(demand.lists, in_a_fill if filling else spare), 1.0)
    days = [
        _divided(max(granted - calls - int(lists), least), int(today))
        for calls, today in zip((kept, *usual[1:]), wanted, strict=True)
    ]
    today, waiting = days[0]
    part = _BACKFILL_BESIDE_FILES if demand.files else 1
    return QuotaPlan(
        limits=limits,
        granted=granted,
        window=window,
        kept=kept,
        paying=min(paying, quarter, kept) if demand.pays else 0,
        listing=max(demand.polled, int(demand.bound)) + min(int(demand.bound), int(granted * _TO_SPARE_FOR_LISTS)),
        lists=int(lists),
        today=today,
        waiting=waiting,
        backfill=max(1, int(waiting * part)),
        later=[max(1, int(calls * part)) for _, calls in days[1:]],
        filling=filling,
        bound=demand.bound,
        spread=round(_SPREAD + (_SPREAD_AT_FIRST - _SPREAD) * demand.unknown, 2),
        crowded=wanted[0] > today + 1,
    )


def _urgent(demand: Demand) -> Sequence[float]:
    """Calls of payments and deliveries, today and on the days to come. They go with what changes."""
    return _days(demand, _mean_day(demand, demand.urgent, demand.usual), demand.urgent)


def _changed(demand: Demand) -> Sequence[float]:
    """Documents, today and on the days to come."""
    usual = demand.changes / max(demand.coming)
    return _days(demand, max(usual, _mean_day(demand, demand.detailed, usual)), demand.detailed)


def _mean_day(demand: Demand, made: int, usual: float) -> float:
    """Calls, by those of the last day and, as long as little of a day was seen, by what is usual."""
    guess = _USUAL_FOR * max(0.0, 1 - demand.seen)
    return (made + usual * guess) / max(demand.seen + guess, _LEAST_SEEN)


def _days(demand: Demand, mean_day: float, made: int) -> Sequence[float]:
    """Calls to reckon with today and on the days to come: those of that day or, if these were more, of the one before
    it, which are still among the last day's then."""
    today, *later = (mean_day * max(pair) for pair in pairwise((0.0, *demand.coming)))
    return [max(today, made), *later]


def _divided(documents: int, wanted: int) -> tuple[int, int]:
    """What is kept for the documents that change on a day, and what can wait."""
    today = min(wanted, documents // 2)
    return today, max(1, documents - today)


def duration(calls: int, windows: Sequence[tuple[float, int]]) -> float:
    """Seconds until the last of `calls` has left, when each window of that many seconds admits that many calls.

    A window with 0 calls is lifted. Windows are given from the shortest to the longest; each must be a multiple of
    what the shorter ones take to fill it, which the documented limits are.
    """
    seconds = 0.0
    left = max(calls - 1, 0)
    for length, limit in sorted(windows, reverse=True):
        if limit:
            seconds += (left // limit) * length
            left %= limit
    return seconds
