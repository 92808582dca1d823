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
- What payments keep of that no other lane takes, not even deliveries and lists.
- Bounds and schedules of the user's come first in any case. What they take beyond all that is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
anyway; but no more than a quarter of the day: webhooks have a share of their own, and may be a flood."""

_UNKNOWN_URGENT, _MOST_UNKNOWN = 0.15, 0.35
"""Of a day's calls, beyond those that were made, in the first half of a first day: a fill that begins at night leaves
to payments of the evening what they need. No more than the second altogether."""

_USUAL_URGENT, _USUAL_FOR = 0.05, 0.2
"""Of a day's calls: what payments and deliveries are taken to make before any was seen, which counts for so much of a
day. It says how long a fill takes; a day that is over says it better."""

_UNKNOWN_PAYMENTS = 0.05
"""Of a day's calls, on a first day with payments: forty of them in each direction."""

_SPREAD, _SPREAD_AT_FIRST = 0.25, 0.6
"""Of what can wait. A first mirror of 7,000 calls is done half a day later at most than if all of it left at once,
and a third of a day earlier than if all were spread. The second when a first day with payments or deliveries
begins."""

_LEAST_SHARE = 0.05
"""Of a day's calls go to documents whatever polls ask for: a mirror without details is of little use."""

_BACKFILL_BESIDE_FILES = 2 / 3
"""Of what can wait, where attached files are fetched too."""

_A_DAY = {"day": 1, "hour": 24, "minute": 1_440, "second": 86_400}

DOCUMENT_LANES = frozenset({Lane.DETAILS, Lane.FILES, Lane.CENSUS})
_ALL_BUT_PAYMENTS = frozenset(Lane) - {Lane.PAYMENTS}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a day's calls.

    bound    calls of polls that bounds and schedules of the user's ask for, whatever changes
    lists    calls that polls may take at most
    changes  documents that change on a busy day and get a detail
    backlog  older documents that lack their detail; None: not known yet, as some list was never read to its end
    spent    calls that documents made in the last day; detailed: of them those of documents that change today
    urgent   calls that payments and deliveries made in the last day; paid: of them payments
    pays     payments are kept in step
    unknown  there are payments or deliveries, and of this part of the day nobody knows yet what they make
    files    attached files are fetched too
    """

    bound: float
    lists: float
    changes: float = 0.0
    backlog: int | None = 0
    spent: int = 0
    detailed: int = 0
    urgent: int = 0
    paid: int = 0
    pays: bool = False
    unknown: float = 0.0
    files: bool = False


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """Calls of a day, as whole numbers.

    limits    what Precoro allows, by window; 0: that window has no limit
    granted   what that comes to in a day, and window: which limit says so
    kept      what is left to payments and deliveries; paying: of it to payments alone
    lists     what polls may take
    today     what is kept for documents that change today
    backfill  what is left for older documents; later: likewise after this day, if it is a first one
    waiting   what is left for older documents, files and census together
    filling   a first fill is under way: polls get little until it is done
    bound     what bounds and schedules of the user's take of `lists`
    spread    this part of what can wait leaves only as the day goes on
    """

    limits: Mapping[str, float]
    granted: int
    window: str
    kept: int
    paying: int
    lists: int
    today: int
    waiting: int
    backfill: int
    later: int
    filling: bool
    bound: float
    spread: float = _SPREAD

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
        return (
            Share(DOCUMENT_LANES, self.documents, self.lists, least=max(1, int(self.granted * _LEAST_SHARE))),
            Share(DOCUMENT_LANES - {Lane.DETAILS}, self.waiting, self.lists, spread=self.spread),
            Share(frozenset({Lane.CENSUS}), self.backfill, self.lists, spread=self.spread),
            Share(_ALL_BUT_PAYMENTS, max(1, self.granted - self.paying)),
        )

    def seconds_for(self, calls: int, spent: Sequence[float] = ()) -> float:
        """Until the last of so many calls for older documents has left.

        spent  how many seconds ago those of the last day left, oldest first: each opens the day for another one when
               it is a day old, so every day goes as the one before it
        """
        if calls <= 0:
            return 0.0
        ages = spent[-self.backfill :]
        days, number = 0, len(ages) + calls - 1
        if number >= self.backfill:
            days, number = divmod(number - self.backfill + self.later, self.later)
        today = (
            -ages[number]
            if number < len(ages)
            else self._leaves(number + 1, ages, *((self.later, _SPREAD) if days else (self.backfill, self.spread)))
        )
        return max(0.0, days * SECONDS["day"] + today)

    def _leaves(self, calls: int, ages: Sequence[float], share: int, spread: float) -> float:
        """Until so many calls of a day's share have left, of which some have."""
        evenly = share * spread
        beyond = calls - (share - evenly)
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
    days = {window: calls * _A_DAY[window] for window, calls in limits.items() if calls}
    if not days:
        return None
    window = min(days, key=lambda name: days[name])
    granted, reserved = int(days[window]), reserve.get(Lane.DETAILS, 0)
    usual = max(reserved, min(int(_urgent_a_day(demand, granted) * _URGENT_SPARE), int(granted * _MOST_FOR_URGENT)))
    beyond = min(1.0, 2 * demand.unknown) * granted
    foreseen = min(demand.urgent + int(_UNKNOWN_URGENT * beyond), int(_MOST_UNKNOWN * granted))
    kept = max(reserved, foreseen) if demand.unknown else usual
    paying = max(int(demand.paid * _URGENT_SPARE), demand.paid + int(_UNKNOWN_PAYMENTS * beyond))
    least = max(1, int(granted * _LEAST_SHARE))
    filling = demand.backlog is None or demand.backlog > granted * _FILL_FROM
    wanted = max(demand.changes, demand.detailed) * _TODAY_SPARE + granted * _TODAY_BESIDE
    in_a_fill = granted * _LISTS_IN_A_FILL
    spare = max(granted - kept - wanted - max(demand.spent, least), min(in_a_fill, granted - kept - least - wanted))
    lists = max(demand.bound, min(demand.lists, in_a_fill if filling else spare), 1.0)
    documents = max(granted - kept - int(lists), least)
    today = min(int(wanted), documents // 2)
    waiting = max(1, documents - today)
    part = _BACKFILL_BESIDE_FILES if demand.files else 1
    return QuotaPlan(
        limits=limits,
        granted=granted,
        window=window,
        kept=kept,
        paying=min(paying, kept) if demand.pays else 0,
        lists=int(lists),
        today=today,
        waiting=waiting,
        backfill=max(1, int(waiting * part)),
        later=max(1, int((waiting + kept - usual) * part)),
        filling=filling,
        bound=demand.bound,
        spread=round(_SPREAD + (_SPREAD_AT_FIRST - _SPREAD) * demand.unknown, 2),
    )


def _urgent_a_day(demand: Demand, granted: int) -> float:
    """Calls that payments and deliveries make, by what was seen of a day so far."""
    guess = _USUAL_FOR * demand.unknown
    return (demand.urgent + _USUAL_URGENT * granted * guess) / (1 - demand.unknown + guess)


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
