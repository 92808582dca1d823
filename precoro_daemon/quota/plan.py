"""how a day's calls are divided: polls, today's documents, back-fill; and how long that takes

Theory of operation. The day has a number of calls, less those that others on the key are known to make. Calls for
payments and deliveries are kept first: the reserve or, if it is more, what these took in the last day. The rest is
divided between polls of lists, documents that change today, and everything that can wait: older documents without
their detail, files, the census.

- During a first fill, that is, while more older documents wait than a tenth of a day could bring, polls get little: a
  mirror without documents is of no use, and the planner of scans makes the best of few calls. Details then have at
  least three quarters of the day.
- Afterwards polls may have what documents do not need, up to what the user allows. That begins only when the last
older
  documents are there and the calls of the fill have left the last day; otherwise these and today's documents would
  wait for it.
- What can wait takes most of its share as soon as it may, so that the mirror is complete early, and the rest as
the day
  goes on. So no hour finds the day spent: if payments need more than was foreseen, they take what that rest would
  have
  had, and the plan of the next quarter of an hour gives it less. On a first day, when nobody knows what payments and
  deliveries make, the rest is larger at first, and a sixth of the day is kept beyond what they made so far, less and
  less in its second half.
- Payments and deliveries follow changes. The share of a day's changes that is expected in the observed hours says how
  many of them are still to come, on a first day as on a Monday morning, and how much they leave the days of a fill.
- What payments keep of that no other lane takes, not even deliveries and lists. If a morning took so much that
payments
  would have to keep more by now, lists continue at the pace of their bounds, because they find what was paid in
  Precoro.
- What bounds demand of lists in a day no document and no delivery takes, however many change: lists find the payments
  made in Precoro.
- The user's bounds and schedules come first in any case. If they take more than all that, it is logged.
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
"""Share of a day's calls: 200 of 3,000, with which the busy lists are still polled every quarter of an hour in office
hours.
"""

_FILL_FROM = 0.1
"""Share of a day's calls. If fewer documents wait, they arrive tomorrow whatever polls take."""

_TODAY_SPARE = 1.25
"""Factor by which more than usual is kept for documents that change today: days differ."""

_TODAY_BESIDE = 0.02
"""Share of a day's calls for other calls that cannot wait: definitions of custom fields, documents requested
twice.
"""

_URGENT_SPARE, _MOST_FOR_URGENT = 1.25, 0.25
"""Factor by which more than in the last day is kept for payments and deliveries, unless the reserve is larger, and
the largest share of the day for each of the two: webhooks have a share of their own, and may be a flood.
"""

_UNKNOWN_URGENT, _MOST_UNKNOWN = 0.15, 0.35
"""Share of a day's calls kept beyond those made, in the first half of a first day, so that a fill that begins at
night leaves payments of the evening their calls; and the largest share altogether.
"""

_UNSEEN_TIMES, _UNSEEN_URGENT, _UNSEEN_CHANGES = 5, 0.25, 0.07
"""On a first day, the most that payments and deliveries are assumed to make before any was observed: this multiple of
what lists suggest, or the second value as a share of a day's calls. For documents that change: the same multiple, or
the third value.
"""

_UNKNOWN_PAYMENTS = 0.05
"""Share of a day's calls, on a first day with payments: forty of them in each direction."""

_SPREAD, _SPREAD_AT_FIRST = 0.25, 0.6
"""Shares of what can wait. A first mirror of 7,000 calls ends at most half a day later than if all of it left at
once, and a third of a day earlier than if all were spread. The second value applies when a first day with payments or
deliveries begins.
"""

_TO_SPARE_FOR_LISTS = 0.02
"""Share of a day's calls at most, beyond those that lists made: if these left in the morning, none of them returns
before the next morning.
"""

_TO_SPARE_OF_PAYMENTS = 0.01
"""Share of a day's calls, beyond those that payments made, that no list takes, whatever bounds demand."""

_LEAST_SHARE = 0.05
"""Share of a day's calls that goes to documents whatever polls demand: a mirror without details is of little use."""

_BACKFILL_BESIDE_FILES = 2 / 3
"""Share of what can wait, if attached files are fetched too."""

_A_DAY = {"day": 1, "hour": 24, "minute": 1_440, "second": 86_400}

DOCUMENT_LANES = frozenset({Lane.DETAILS, Lane.FILES, Lane.CENSUS})
_ALL_BUT_PAYMENTS = frozenset(Lane) - {Lane.PAYMENTS}
_BELOW_LISTS = DOCUMENT_LANES | {Lane.DELIVERIES}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a day's calls.

    bound    calls of polls that the user's bounds and schedules demand, whatever changes
    lists    the most calls that polls may take
    changes  documents that change on a busy day and get a detail
    backlog  older documents without their detail; None if unknown, because some list was never read to its end
    spent    calls that documents made in the last day
    detailed  those of `spent` for documents that change today
    polled   calls that lists made in the last day
    urgent   calls that payments and deliveries made in the last day
    paid     those of `urgent` for payments
    pays     whether payments are kept in step
    unknown  the part of the day for which the calls of payments or deliveries, if there are any, are still unknown
    ebbing   the same after each further hour, until the first day is over
    unsure   whether less than half a day's work was observed since the first call, or the first day is not over
    usual    calls a day that they should make according to changes; it counts for little once they were observed
    seen     the share of a mean day's changes expected in the part of the last day whose calls are known
    gone     the same for each of its hours
    coming   the same for each coming hour, with a day beyond
    files    whether attached files are fetched too
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
    """Calls of a day, as integers.

    limits    calls that Precoro allows, by window; 0 for no limit
    granted   what that amounts to in a day
    window    the limit that decides it
    kept      what is left to payments and deliveries
    paying    the part of `kept` for payments alone
    unpaid    the most that all lanes but payments may make
    lists     the most that polls may take
    listing   what documents and deliveries leave to lists: the calls made, and part of what bounds demand
    today     what is kept for documents that change today
    backfill  what is left for older documents
    waiting   what is left for older documents, files and census together
    filling   whether a first fill is under way: polls get little until it is done
    bound     the part of `lists` that the user's bounds and schedules take
    spread    the part of what can wait that leaves only as the day goes on
    crowded   whether more documents change than the day has calls for
    day       what is asked of this day and of the coming ones
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
        """Whether bounds and schedules leave something to documents."""
        return self.bound <= self.affordable_lists

    @property
    def affordable_lists(self) -> int:
        """The most calls for lists that leave something to documents."""
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
        """Returns the seconds until the last of `calls` calls for older documents has left.

        spent  ages in seconds of those of the last day, oldest first: each makes room for another one when it is a
        day old
        """
        return self._through(self.day.likely, calls, spent)

    def time_for(self, calls: int, spent: Sequence[float] = ()) -> TimeToGo:
        """Returns the same with the least and the most time, as long as the coming days are uncertain."""
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
    """Returns the plan of a day, None if calls are not limited.

    limits  calls by the window they are allowed in; 0 for no limit
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
    """Calls that a mean day is assumed to bring before any was observed: for payments and deliveries, and for
    documents that change.
    """

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
        """The most that is assumed while it is unknown what a day brings."""
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
        """The most that all lanes but payments may have made in an hour if lists continue at the pace of their
        bounds.
        """
        demand = self.demand
        made = demand.polled + demand.spent + demand.urgent - demand.paid
        return min(
            made + ceil(demand.bound / 24), self.granted - demand.paid - int(_TO_SPARE_OF_PAYMENTS * self.granted)
        )

    def _beyond(self, unknown: float) -> float:
        return min(1.0, 2 * unknown) * self.granted

    def kept(self, urgent: Calls, unknown: float) -> int:
        """Returns the calls kept for payments and deliveries, on a first day of which that part is unknown."""
        usual = max(self.reserved, min(int(urgent.reckoned * _URGENT_SPARE), self._quarter + self._paid))
        foreseen = int(urgent.made) + int(_UNKNOWN_URGENT * self._beyond(unknown))
        return max(usual, min(foreseen, int(_MOST_UNKNOWN * self.granted) + self._paid) if unknown else 0)

    def wanted(self, changed: Calls, usual: float) -> float:
        """Returns the calls for documents that change; `usual` is the number that lists suggest for a mean day."""
        return max(changed.reckoned, usual * changed.coming) * _TODAY_SPARE + self.granted * _TODAY_BESIDE

    def divided(self, kept: int, lists: int, wanted: float) -> tuple[int, int]:
        """Returns the calls kept for documents that change on a day, and those for what can wait."""
        documents = max(self.granted - kept - lists, int(self.granted * _LEAST_SHARE), 1)
        today = min(int(wanted), documents // 2)
        return today, max(1, documents - today)

    def backfill(self, waiting: int) -> int:
        return max(1, int(waiting * (_BACKFILL_BESIDE_FILES if self.demand.files else 1)))

    def urgent(self, guess: Guess) -> Iterator[Calls]:
        """Yields the calls of payments and deliveries, now and at each coming hour."""
        demand = self.demand
        return calls_by_hour(demand.gone, demand.coming, demand.seen, guess.urgent, demand.urgent)

    def changed(self, guess: Guess) -> Iterator[Calls]:
        """Yields the calls for documents that change, likewise."""
        demand = self.demand
        return calls_by_hour(demand.gone, demand.coming, demand.seen, guess.changed, demand.detailed)

    def hours(self, guess: Guess, lists: int) -> Iterator[HourAhead]:
        """Yields what the plan of each coming hour will leave, if that hour brings what is expected."""
        demand, usual = self.demand, self.likely.changed
        unknown = chain((demand.unknown, *demand.ebbing), repeat(0.0))
        for of_urgent, of_changed, part in zip(self.urgent(guess), self.changed(guess), unknown, strict=False):
            today, waiting = self.divided(self.kept(of_urgent, part), lists, self.wanted(of_changed, usual))
            documents = today + waiting - of_changed.made
            yield HourAhead(max(1.0, min(self.backfill(waiting), documents)), _spread(part))
