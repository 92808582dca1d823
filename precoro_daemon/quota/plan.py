"""what a day's calls go to: polls, documents of today, back-fill; and how long that takes

Theory of operation. The day has so many calls, less what others on the key are known to make. First come those that
are kept for payments and deliveries: the reserve or, if it is more, what these took in the last day. What is left is
divided between polls of lists, the documents that change today, and everything that can wait: older documents that
lack their detail, files, the census.

- In a first fill, as long as more older documents wait than a tenth of a day could bring, polls get little: a mirror
  without documents is of no use, and the planner of scans makes the best of few calls. Details then have at least
  three quarters of the day.
- Afterwards polls may have what documents do not need, up to what the user allows; but no sooner than the last
  older documents are there and the calls of the fill have left the last day, or these and the documents of today
  would wait for that.
- What can wait takes most of its share as soon as it may, so that the mirror is there early, and a part as the day
  goes on. Then no hour finds the day spent: where payments need more than was foreseen, they have what that part
  would have had, and the plan of the next quarter of an hour gives it less. On a first day, when nobody knows what
  payments and deliveries make, that part is more at first, and a sixth of the day is kept beyond what they made so
  far, less and less in its second half.
- Payments and deliveries go with what changes: the part of a day's changes that is to be expected in the hours seen
  so far says how much of them is still to come, on a first day as on Monday morning, and how they leave the days of a
  fill more or less.
- What payments keep of that no other lane takes, not even deliveries and lists. Where a morning took so much that
  payments would have to keep more by now, lists go on at the pace that bounds ask for, as they find what was paid in
  Precoro.
- What bounds ask of lists in a day no document and no delivery takes, however many change: payments made in Precoro
  are found by lists.
- Bounds and schedules of the user's come first in any case. What they take beyond all that is logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from math import ceil
from typing import NamedTuple

from msgspec import Struct

from precoro_daemon.quota.forecast import HOURS_AHEAD, Calls, HourAhead, TimeToGo, calls_by_hour, time_through
from precoro_daemon.quota.limits import Lane, Share

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

_UNSEEN_TIMES, _UNSEEN_URGENT, _UNSEEN_CHANGES = 5, 0.25, 0.07
"""On a first day, the most that payments and deliveries are taken to make before any was seen: so many times what
lists let expect, or the second of a day's calls. Documents that change: so many times as well, or the third."""

_UNKNOWN_PAYMENTS = 0.05
"""Of a day's calls, on a first day with payments: forty of them in each direction."""

_SPREAD, _SPREAD_AT_FIRST = 0.25, 0.6
"""Of what can wait. A first mirror of 7,000 calls is done half a day later at most than if all of it left at once,
and a third of a day earlier than if all were spread. The second when a first day with payments or deliveries
begins."""

_TO_SPARE_FOR_LISTS = 0.02
"""Of a day's calls at most, beyond those that lists made: where these left in the morning, none of them is back
before the next one."""

_TO_SPARE_OF_PAYMENTS = 0.01
"""Of a day's calls, beyond those that payments made: of these no list takes any, whatever bounds ask."""

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
    ebbing   likewise after each further hour, until the first day is over
    unsure   less than half a day's work was seen since the first call, or it is not over
    usual    calls a day that they should make by what changes: it counts for little once they were seen
    seen     of the changes of a mean day, the part to be expected in that of the last day from which calls are known
    gone     likewise in each of its hours
    coming   likewise in each hour to come, and those of a day beyond
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
    ebbing: Sequence[float] = ()
    unsure: bool = False
    usual: float = 0.0
    seen: float = 1.0
    gone: Sequence[float] = (1 / 24,) * 24
    coming: Sequence[float] = (1 / 24,) * (HOURS_AHEAD + 24)
    files: bool = False


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """Calls of a day, as whole numbers.

    limits    what Precoro allows, by window; 0: that window has no limit
    granted   what that comes to in a day, and window: which limit says so
    kept      what is left to payments and deliveries; paying: of it to payments alone
    unpaid    what all but payments may make
    lists     what polls may take
    listing   what documents and deliveries leave to lists: those that were made, and some of what bounds ask for
    today     what is kept for documents that change today
    backfill  what is left for older documents
    waiting   what is left for older documents, files and census together
    filling   a first fill is under way: polls get little until it is done
    bound     what bounds and schedules of the user's take of `lists`
    spread    this part of what can wait leaves only as the day goes on
    crowded   more documents change than the day has calls for
    day       what is asked of this day and of those to come
    """

    limits: Mapping[str, float]
    granted: int
    window: str
    kept: int
    paying: int
    unpaid: int
    lists: int
    listing: int
    today: int
    waiting: int
    backfill: int
    filling: bool
    bound: float
    day: Day
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
            Share(_ALL_BUT_PAYMENTS, max(1, self.unpaid)),
            Share(_BELOW_LISTS, max(least, self.granted - self.paying - self.listing)),
        )

    def seconds_for(self, calls: int, spent: Sequence[float] = ()) -> float:
        """Until the last of so many calls for older documents has left.

        spent  how many seconds ago those of the last day left, oldest first: each opens the day for another one when
               it is a day old
        """
        return self._through(self.day.likely, calls, spent)

    def time_for(self, calls: int, spent: Sequence[float] = ()) -> TimeToGo:
        """The same with the time that it takes at least and at most, as far as the days to come are not known yet."""
        likely = self.day.likely
        seconds = self._through(likely, calls, spent)
        soonest, latest = (
            seconds if guess == likely else self._through(guess, calls, spent)
            for guess in (self.day.at_least, self.day.at_most)
        )
        return TimeToGo(seconds, min(soonest, seconds), max(latest, seconds))

    def _through(self, guess: Guess, calls: int, spent: Sequence[float]) -> float:
        return time_through(self.day.hours(guess, self.lists), self.limits, calls, spent)


def plan_quota(limits: Mapping[str, float], reserve: Mapping[Lane, int], demand: Demand) -> QuotaPlan | None:
    """None where calls are not limited.

    limits  calls by the window they are allowed in; 0: that window has no limit
    """
    allowed = {window: calls * _A_DAY[window] for window, calls in limits.items() if calls}
    if not allowed:
        return None
    window = min(allowed, key=lambda name: allowed[name])
    granted, least = int(allowed[window]), max(1, int(allowed[window] * _LEAST_SHARE))
    day = Day(limits, granted, reserve.get(Lane.DETAILS, 0), demand)
    likely = day.likely
    kept = day.kept(next(day.urgent(likely)), demand.unknown)
    wanted = day.wanted(next(day.changed(likely)), likely.changed)
    in_a_fill = granted * _LISTS_IN_A_FILL
    filling = demand.backlog is None or demand.backlog > granted * _FILL_FROM
    documents = max(demand.spent + (demand.backlog or 0) / _SPREAD, least)
    spare = max(granted - kept - wanted - documents, min(in_a_fill, granted - kept - least - wanted))
    lists = int(max(demand.bound, min(demand.lists, in_a_fill if filling else spare), 1.0))
    today, waiting = day.divided(kept, lists, wanted)
    paying = min(day.paying, kept) if demand.pays else 0
    return QuotaPlan(
        limits=limits,
        granted=granted,
        window=window,
        kept=kept,
        paying=paying,
        unpaid=max(granted - paying, day.for_bounds),
        listing=max(demand.polled, int(demand.bound)) + min(int(demand.bound), int(granted * _TO_SPARE_FOR_LISTS)),
        lists=lists,
        today=today,
        waiting=waiting,
        backfill=day.backfill(waiting),
        filling=filling,
        bound=demand.bound,
        day=day,
        spread=round(_spread(demand.unknown), 2),
        crowded=wanted > today + 1,
    )


class Guess(NamedTuple):
    """Calls that a mean day is taken to bring before any was seen: of payments and deliveries, and for documents that
    change."""

    urgent: float
    changed: float


def _spread(unknown: float) -> float:
    return _SPREAD + (_SPREAD_AT_FIRST - _SPREAD) * unknown


class Day(Struct, frozen=True):
    """A day's calls and what is asked of them."""

    limits: Mapping[str, float]
    granted: int
    reserved: int
    demand: Demand

    @property
    def likely(self) -> Guess:
        coming = self.demand.coming
        most = max(sum(coming[hour : hour + 24]) for hour in range(0, HOURS_AHEAD, 24))
        return Guess(self.demand.usual, self.demand.changes / round(most, 9))

    @property
    def at_most(self) -> Guess:
        """As long as it is not known what a day brings."""
        likely, (urgent, changed) = self.likely, (part * self.granted for part in (_UNSEEN_URGENT, _UNSEEN_CHANGES))
        if not self.demand.unsure:
            return likely
        return Guess(
            max(likely.urgent * _UNSEEN_TIMES, urgent) if likely.urgent else 0.0,
            max(likely.changed, changed, min(likely.changed * _UNSEEN_TIMES, urgent)),
        )

    @property
    def at_least(self) -> Guess:
        return Guess(0.0, 0.0) if self.demand.unsure else self.likely

    @property
    def _quarter(self) -> int:
        return int(self.granted * _MOST_FOR_URGENT)

    @property
    def _paid(self) -> int:
        return min(int(self.demand.paid * _URGENT_SPARE), self._quarter)

    @property
    def paying(self) -> int:
        unknown = int(_UNKNOWN_PAYMENTS * self._beyond(self.demand.unknown))
        return min(max(self._paid, self.demand.paid + unknown), self._quarter)

    @property
    def for_bounds(self) -> int:
        """What all but payments may have made in an hour, if lists go on as bounds ask."""
        demand = self.demand
        made = demand.polled + demand.spent + demand.urgent - demand.paid
        return min(
            made + ceil(demand.bound / 24), self.granted - demand.paid - int(_TO_SPARE_OF_PAYMENTS * self.granted)
        )

    def _beyond(self, unknown: float) -> float:
        return min(1.0, 2 * unknown) * self.granted

    def kept(self, urgent: Calls, unknown: float) -> int:
        """For payments and deliveries, on a first day of which that part is unknown."""
        usual = max(self.reserved, min(int(urgent.reckoned * _URGENT_SPARE), self._quarter + self._paid))
        foreseen = int(urgent.made) + int(_UNKNOWN_URGENT * self._beyond(unknown))
        return max(usual, min(foreseen, int(_MOST_UNKNOWN * self.granted) + self._paid) if unknown else 0)

    def wanted(self, changed: Calls, usual: float) -> float:
        """For documents that change, of which lists let expect so many on a mean day."""
        return max(changed.reckoned, usual * changed.coming) * _TODAY_SPARE + self.granted * _TODAY_BESIDE

    def divided(self, kept: int, lists: int, wanted: float) -> tuple[int, int]:
        """What is kept for the documents that change on a day, and what can wait."""
        documents = max(self.granted - kept - lists, int(self.granted * _LEAST_SHARE), 1)
        today = min(int(wanted), documents // 2)
        return today, max(1, documents - today)

    def backfill(self, waiting: int) -> int:
        return max(1, int(waiting * (_BACKFILL_BESIDE_FILES if self.demand.files else 1)))

    def urgent(self, guess: Guess) -> Iterator[Calls]:
        """Of payments and deliveries, now and at each hour to come."""
        demand = self.demand
        return calls_by_hour(demand.gone, demand.coming, demand.seen, guess.urgent, demand.urgent)

    def changed(self, guess: Guess) -> Iterator[Calls]:
        """For documents that change, likewise."""
        demand = self.demand
        return calls_by_hour(demand.gone, demand.coming, demand.seen, guess.changed, demand.detailed)

    def hours(self, guess: Guess, lists: int) -> Iterator[HourAhead]:
        """As the plan of each hour to come will have it, if that brings what is to be expected."""
        demand, usual = self.demand, self.likely.changed
        unknown = chain((demand.unknown, *demand.ebbing), repeat(0.0))
        for of_urgent, of_changed, part in zip(self.urgent(guess), self.changed(guess), unknown, strict=False):
            today, waiting = self.divided(self.kept(of_urgent, part), lists, self.wanted(of_changed, usual))
            documents = today + waiting - of_changed.made
            yield HourAhead(max(1.0, min(self.backfill(waiting), documents)), _spread(part))
