"""when the next call may leave so that it arrives late enough; how many go side by side

Theory of operation. Precoro counts calls when they arrive, and the way takes longer for one than for the next: what
leaves a second apart may arrive closer, and is refused. A call leaves at d, arrives at a, is answered at r. Two facts
bound a, and the next call leaves by the earlier of them, a gap (a second and a guard) after:

- The answer proves it. No call is over faster than the least round trip R: its way there and what comes after it take
  as long at least, whichever calls they belong to. So whatever leaves at r + gap - R arrives a gap after a. It costs
  the mean of (round trip - R): 65 ms where the way takes 20 to 150 ms. No more than 60 / 1.067 = 56.2 calls a minute
  are certain there, however they are paced; a millisecond of slack or of lateness on this machine costs 0.05 of them.
- Where answers are slow, one cannot wait for them. Whatever leaves at d + gap + W arrives a gap after a, if W is as
  much as one way can be longer than another. At first W is all that round trips differ by, up to a second.

Whether round trips differ on the way or at the server only a trial tells, and only where waiting costs much is it
worth one: where calls then leave more seldom than the hour and the day would have them, so never by the documented
limits, whose hour is full after 50 minutes even if W is a second. W is halved, and halved again whenever calls were
accepted that had come too close if all had been the way (fixed windows pass some of those: so it is the seconds
missing in their gaps that count, not the calls). The first such call that is refused ends the trial: W is four times
what it was, for a week, as paths change seldom. Any other refusal of the second limiter adds to the guard, which long
eventless times give back.

R and W are known from few round trips at first: both are taken with a slack that n of them leave.
A call whose answer is lost proves nothing, so W holds for it. A refused one did arrive, but faster than others are
answered: it proves no more than that it came before its answer.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import islice

from precoro_daemon.quota.lessons import Lessons

_LEAST_IN_FLIGHT = 2
_MOST_IN_FLIGHT = 32
_UNPACED_IN_FLIGHT = 16
"""Where no limit sets the pace: a server that takes 50 ms then never keeps us waiting, and what is read ahead of a
commit stays within some ten megabytes."""

_LONGEST_WAY_S = 1.0
"""By which one way is taken to be longer than another: more would let one call that hangs hold up all others."""

_SHORTEST_WAY_S = 0.03
"""W is never tried below: it costs two calls a minute at most, and any network may take that much longer."""

_WORTH_A_TRIAL_S = 0.1
"""Mean wait for each call from which a refusal is risked once to shorten it. Where answers come too late to prove
anything, every call waits for W, and any W above the shortest is worth a trial."""

_TRIALS_AFTER = 20
"""Round trips."""

_EVIDENCE_S = 0.5
"""Seconds missing in the gaps of accepted calls after which W is halved."""

_EVIDENCE_OF_A_CALL_S = 0.01
"""What any accepted call adds: W that a single slow answer has made large is halved by fifty others."""

_HELD_S = 7 * 86_400.0
"""Until the next trial after one that was refused."""

_GUARD_STEP_S = 0.01
_WIDEST_GUARD_S = 0.5
_QUIET_CALLS = 2_000
"""Accepted calls after which the guard gives back a step."""

_GENERATION = 1_000
"""Round trips after which older ones begin to be forgotten."""

_UNSEEN, _UNSEEN_EXTREMES = 5.0, 0.35
"""Where n round trips are known, the next may lie beyond them by the first n-th of their spread, or by the second's
part by √n if that is more: where way and answer both differ, their extremes meet seldom, and the least known round
trip comes nearer to the least possible one by √n."""

_SUPPOSED_S = 2.0
"""The spread that is supposed where one round trip is known. Where n are, an n-th of it is added to theirs."""


@dataclass(eq=False, slots=True)
class Trip:
    """One call on its way. `before`: the one that it must arrive a gap after."""

    departed: float
    before: Trip | None = None
    answered: float | None = None
    accepted: bool = True

    def took(self, now: float) -> float:
        """Its round trip, or how long it has been out."""
        return (now if self.answered is None else self.answered) - self.departed


class RoundTrips:
    """The least and the greatest of the last 1,000 to 2,000. (Every call that waits asks for them at every turn.)

    slack  what the next ones may be beyond those that are known
    """

    def __init__(self) -> None:
        self.number = 0
        self.least = math.inf
        self.spread = self.slack = 0.0
        self._kept = [(math.inf, -math.inf), (math.inf, -math.inf)]

    def note(self, seconds: float) -> None:
        if self.number and self.number % _GENERATION == 0:
            self._kept = [(math.inf, -math.inf), self._kept[0]]
        least, greatest = self._kept[0]
        self._kept[0] = (min(least, seconds), max(greatest, seconds))
        self.number += 1
        self._sum_up()

    def note_least(self, seconds: float) -> None:
        """One that says nothing of how long others take."""
        least, greatest = self._kept[0]
        self._kept[0] = (min(least, seconds), greatest)
        self._sum_up()

    def recall(self, number: int, least: float, greatest: float) -> None:
        """What an earlier process knew."""
        self.number, self._kept = number, [(least, greatest), (math.inf, -math.inf)]
        self._sum_up()

    @property
    def greatest(self) -> float:
        return self.least + self.spread

    def _sum_up(self) -> None:
        self.least = min(least for least, _ in self._kept)
        self.spread = max(greatest for _, greatest in self._kept) - self.least
        if number := min(self.number, 2 * _GENERATION):
            unseen = max(_UNSEEN / number, _UNSEEN_EXTREMES / math.sqrt(number))
            self.slack = unseen * self.spread + _SUPPOSED_S / number**2


class Pace:
    """When calls may leave, of which so many may arrive in a second; 0: whenever they like.

    sustained  seconds between two calls that longer windows admit in the long run; 0: they admit any number
    """

    def __init__(self, per_second: int, guard: float, sustained: float = 0.0) -> None:
        self._per_second = per_second
        self._sustained = sustained
        self._base_guard = self._guard = guard
        self._trips: deque[Trip] = deque()
        self._round_trips = RoundTrips()
        self._tried = math.inf
        self._cost = 0.0
        self._evidence = 0.0
        self._tightened_at = -math.inf
        self._quiet = 0

    @property
    def _gap(self) -> float:
        return 1.0 + self._guard

    @property
    def interval(self) -> float:
        """Seconds between two calls that the limit of a second asks for; 0 if it is lifted."""
        return self._gap / self._per_second if self._per_second else 0.0

    @property
    def way(self) -> float:
        """W: seconds by which one call's way is taken to be longer than another's."""
        known = self._round_trips
        spread = known.spread + known.slack if known.number else _LONGEST_WAY_S
        return min(spread, self._tried, _LONGEST_WAY_S)

    @property
    def _least_round_trip(self) -> float:
        known = self._round_trips
        return max(0.0, known.least - known.slack) if known.number else 0.0

    def opens(self) -> float:
        """When the next call may leave; -inf if nothing holds it."""
        if not self._per_second:
            return -math.inf
        counting = max(0, len(self._trips) - self._per_second + 1)
        return max(map(self._holds, islice(self._trips, counting)), default=-math.inf)

    def _holds(self, trip: Trip) -> float:
        unproved = trip.departed + self.way
        if trip.answered is None:
            return unproved + self._gap
        proved = trip.answered - (self._least_round_trip if trip.accepted else 0.0)
        return min(unproved, proved) + self._gap

    def sent(self, at: float) -> Trip:
        """A call has left."""
        while self._trips and self._trips[0].departed + self._gap + _LONGEST_WAY_S < at:
            self._trips.popleft()
        earlier = len(self._trips) - self._per_second
        trip = Trip(at, self._trips[earlier] if self._per_second and earlier >= 0 else None)
        self._trips.append(trip)
        return trip

    def answered(self, trip: Trip, at: float, *, accepted: bool) -> None:
        """Its answer came. `accepted`: it was no 429, whichever limit that names."""
        trip.answered, trip.accepted = at, accepted
        if trip.before is not None:
            trip.before.before = None
        if not accepted:
            return
        self._evidence += self._missing_though_accepted(trip) + _EVIDENCE_OF_A_CALL_S
        self._round_trips.note(trip.took(at))
        self._cost += 0.05 * (self._wait_for(trip.took(at)) - self._cost)
        self._ease(at)

    def _wait_for(self, round_trip: float) -> float:
        """What such a call makes the next one wait beyond the gap. An answer proves nothing before it is there."""
        known = self._round_trips
        return min(self.way, known.spread, round_trip - min(known.least, self._gap))

    def refused(self, trip: Trip, at: float) -> None:
        """The limiter of a second refused it. Those that had left before that was known teach nothing more."""
        if self._round_trips.number:
            # Who is refused came faster than others. Left out, the fastest ways would never be learned.
            self._round_trips.note_least(trip.took(at))
        if trip.departed <= self._tightened_at:
            return
        if self._missing(trip, at) > 0:
            self._tried = 4 * self.way
            self._evidence = 0.0
        else:
            self._guard = min(self._guard + _GUARD_STEP_S, max(_WIDEST_GUARD_S, self._base_guard))
        self._tightened_at, self._quiet = at, 0

    def lost(self, trip: Trip) -> None:
        """No answer will come: when it arrived, or whether, nobody knows."""
        trip.accepted, trip.before = False, None

    @property
    def lessons(self) -> Lessons:
        """Of them, what is known of the line."""
        known = self._round_trips
        return Lessons(
            round_trips=min(known.number, 2 * _GENERATION),
            least=known.least,
            greatest=known.greatest,
            tried=self._tried,
            guard=self._guard,
            tightened_at=self._tightened_at,
        )

    def recall(self, lessons: Lessons) -> None:
        """Go on from what an earlier process learned."""
        if lessons.round_trips:
            self._round_trips.recall(lessons.round_trips, lessons.least, lessons.greatest)
            self._tried, self._tightened_at = lessons.tried, lessons.tightened_at
            self._guard = max(self._base_guard, min(lessons.guard, _WIDEST_GUARD_S))

    def forget_trips(self) -> None:
        """The clock was set: what left by the old one is compared with nothing."""
        self._trips.clear()

    @staticmethod
    def _missing(trip: Trip, at: float) -> float:
        """Seconds by which it came too close, if round trips differed on the way there alone; 0 or less: not."""
        before = trip.before
        if before is None or not before.accepted:
            return 0.0
        return 1.0 - (trip.departed - before.departed) - (trip.took(at) - before.took(at))

    def _missing_though_accepted(self, trip: Trip) -> float:
        """Nothing where it overtook the one before, as then that one would have been refused."""
        if trip.before is None or trip.before.answered is None or trip.answered is None:
            return 0.0
        missing = self._missing(trip, trip.answered)
        return missing if 0 < missing <= 1 else 0.0

    def _ease(self, at: float) -> None:
        self._quiet += 1
        if self._quiet % _QUIET_CALLS == 0:
            self._guard = max(self._base_guard, self._guard - _GUARD_STEP_S)
        if self._tried == math.inf:
            if self._worth_a_trial and self._round_trips.number >= _TRIALS_AFTER:
                self._try_half()
        elif self._evidence > _EVIDENCE_S and at >= self._tightened_at + _HELD_S:
            self._try_half()

    @property
    def _worth_a_trial(self) -> bool:
        slow = self._round_trips.least > self._gap
        dear = self._cost > (_SHORTEST_WAY_S if slow else _WORTH_A_TRIAL_S)
        return dear and self._gap + self._cost > self._sustained * self._per_second

    def _try_half(self) -> None:
        self._tried = max(_SHORTEST_WAY_S, self.way / 2)
        self._evidence = 0.0


def latency_after(known: float, measured: float) -> float:
    """Seconds until an answer. Up at once, down slowly: too low a bound costs calls, too high a one none."""
    return max(measured, 0.8 * known + 0.2 * measured)


def in_flight_bound(latency: float, interval: float, *, proven: bool) -> int:
    """Enough calls to use the allowed rate, few enough not to flood a fast server.

    interval  seconds between two calls that the limits ask for; 0 where they ask for none
    proven    the key has been answered. Until then one: a wrong key costs one call, not a burst
    """
    if not proven:
        return 1
    if not interval:
        return _UNPACED_IN_FLIGHT
    return min(max(math.ceil(latency / interval) + 1, _LEAST_IN_FLIGHT), _MOST_IN_FLIGHT)
