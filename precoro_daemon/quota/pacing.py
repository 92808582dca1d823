"""when the next call may leave so that it arrives late enough, and how many calls are in flight

Theory of operation. Precoro counts calls when they arrive, and one call may travel longer than the next: calls that
leave a second apart may arrive closer together, and are refused. A call leaves at d, arrives at a, and is answered at
r. Two facts bound a, and the next call leaves a gap (a second and a guard) after the earlier of them:

- The answer proves it. No call is faster than the least round trip R: its way there, and everything after its
arrival,
  take at least as long together, whichever calls they belong to. So a call that leaves at r + gap - R arrives a gap
  after a. That costs the mean of (round trip - R): 65 ms if the way takes 20 to 150 ms. Not more than
  60 / 1.067 = 56.2 calls a minute are certain there, however they are paced; a millisecond of slack, or of lateness
  on this machine, costs 0.05 of them.
- Slow answers cannot be waited for. A call that leaves at d + gap + W arrives a gap after a, if W is the most by
which
  one way can be longer than another. At first W is the whole spread of round trips, up to a second.

Only a trial shows whether round trips differ on the way or at the server, and a trial is worth it only if waiting
costs much: if calls then leave less often than the hour and the day allow. By the documented limits that never
happens, because their hour is full after 50 minutes even if W is a second. W is halved, and halved again each time
calls were accepted that would have been too close if the way made all the difference. (Fixed windows accept some of
those, so the seconds missing in their gaps count, not the calls.) The first such call that is refused ends the trial:
W becomes four times as long for a week, because paths seldom change. Any other refusal by the limiter of a second
increases the guard, which long times without refusals reduce again.

R and W are known from few round trips at first: both get a slack that shrinks with their number. A call whose answer
is lost proves nothing, so W applies. A refused call did arrive, but refusals are answered faster than other calls: it
only proves that it arrived before its answer.
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
"""Calls in flight if no limit sets the pace: a server that takes 50 ms then never keeps us waiting, and what is read
ahead of a commit stays within some ten megabytes.
"""

_LONGEST_WAY_S = 1.0
"""The most by which one way is assumed to be longer than another: with more, one call that hangs would delay all
others.
"""

_SHORTEST_WAY_S = 0.03
"""W is never tried below this: it costs two calls a minute at most, and any network may vary that much."""

_WORTH_A_TRIAL_S = 0.1
"""Mean wait for each call from which a refusal is risked once to shorten it. If answers arrive too late to prove
anything, every call waits for W, and any W above the shortest is worth a trial.
"""

_TRIALS_AFTER = 20
"""Round trips before the first trial."""

_EVIDENCE_S = 0.5
"""Seconds missing in the gaps of accepted calls after which W is halved."""

_EVIDENCE_OF_A_CALL_S = 0.01
"""What any accepted call adds to that: a W that one slow answer made large is halved by fifty others."""

_HELD_S = 7 * 86_400.0
"""Seconds from a refused trial to the next."""

_GUARD_STEP_S = 0.01
_WIDEST_GUARD_S = 0.5
_QUIET_CALLS = 2_000
"""Accepted calls after which the guard is reduced by a step."""

_GENERATION = 1_000
"""Round trips after which older ones begin to be forgotten."""

_UNSEEN, _UNSEEN_EXTREMES = 5.0, 0.35
"""With n known round trips, the next may exceed them by their spread times the first value over n, or times the
second over √n if that is more. If way and answer both vary, their extremes seldom coincide, and the least known round
trip approaches the least possible one only with √n.
"""

_SUPPOSED_S = 2.0
"""The spread assumed when one round trip is known. When n are known, an n-th of it is added to theirs."""


@dataclass(eq=False, slots=True)
class Trip:
    """One call on its way.

    before  the call after which it must arrive with a gap
    """

    departed: float
    before: Trip | None = None
    answered: float | None = None
    accepted: bool = True

    def took(self, now: float) -> float:
        """Returns its round trip, or how long it has been out."""
        return (now if self.answered is None else self.answered) - self.departed


class RoundTrips:
    """The shortest and the longest of the last 1,000 to 2,000. (Every waiting call reads them at every turn.)

    slack  how far the next ones may exceed the known ones
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
        """Records a round trip that says nothing about how long others take."""
        least, greatest = self._kept[0]
        self._kept[0] = (min(least, seconds), greatest)
        self._sum_up()

    def recall(self, number: int, least: float, greatest: float) -> None:
        """Continues with what an earlier process knew."""
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
    """When calls may leave so that at most a given number arrive in a second; 0 for any number.

    sustained  seconds between two calls that longer windows allow in the long run; 0 for no limit
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
        """The seconds between two calls that the limit of a second demands, 0 if there is none."""
        return self._gap / self._per_second if self._per_second else 0.0

    @property
    def way(self) -> float:
        """W: the seconds by which one call's way is assumed to be longer than another's."""
        known = self._round_trips
        spread = known.spread + known.slack if known.number else _LONGEST_WAY_S
        return min(spread, self._tried, _LONGEST_WAY_S)

    @property
    def _least_round_trip(self) -> float:
        known = self._round_trips
        return max(0.0, known.least - known.slack) if known.number else 0.0

    def opens(self) -> float:
        """Returns when the next call may leave, -inf if nothing holds it."""
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
        """Records that a call has left."""
        while self._trips and self._trips[0].departed + self._gap + _LONGEST_WAY_S < at:
            self._trips.popleft()
        earlier = len(self._trips) - self._per_second
        trip = Trip(at, self._trips[earlier] if self._per_second and earlier >= 0 else None)
        self._trips.append(trip)
        return trip

    def answered(self, trip: Trip, at: float, *, accepted: bool) -> None:
        """Records an answer. `accepted`: it was no 429 of any limit."""
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
        """Returns how long such a call delays the next one beyond the gap. An answer proves nothing before it
        arrives.
        """
        known = self._round_trips
        return min(self.way, known.spread, round_trip - min(known.least, self._gap))

    def refused(self, trip: Trip, at: float) -> None:
        """Records a refusal by the limiter of a second. Calls that had left before it was known teach nothing
        more.
        """
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
        """Records that no answer will come: whether and when the call arrived is unknown."""
        trip.accepted, trip.before = False, None

    @property
    def lessons(self) -> Lessons:
        """Returns the lessons about the line."""
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
        """Continues with what an earlier process learned."""
        if lessons.round_trips:
            self._round_trips.recall(lessons.round_trips, lessons.least, lessons.greatest)
            self._tried, self._tightened_at = lessons.tried, lessons.tightened_at
            self._guard = max(self._base_guard, min(lessons.guard, _WIDEST_GUARD_S))

    def forget_trips(self) -> None:
        """Forgets the calls on their way, because the clock was set."""
        self._trips.clear()

    @staticmethod
    def _missing(trip: Trip, at: float) -> float:
        """Returns the seconds by which it was too close, if only the way there made round trips differ; 0 or less if
        it was not.
        """
        before = trip.before
        if before is None or not before.accepted:
            return 0.0
        return 1.0 - (trip.departed - before.departed) - (trip.took(at) - before.took(at))

    def _missing_though_accepted(self, trip: Trip) -> float:
        """Returns the same for an accepted call; 0 if it overtook the one before, which would then have been
        refused.
        """
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
    """Returns the seconds until an answer. They rise at once and fall slowly: a bound too low costs calls, one too
    high none.
    """
    return max(measured, 0.8 * known + 0.2 * measured)


def in_flight_bound(latency: float, interval: float, *, proven: bool) -> int:
    """Returns enough concurrent calls to use the allowed rate, and few enough not to flood a fast server.

    interval  seconds between two calls that the limits demand, 0 if none
    proven    whether the key was accepted; before that one call, so that a wrong key costs no burst
    """
    if not proven:
        return 1
    if not interval:
        return _UNPACED_IN_FLIGHT
    return min(max(math.ceil(latency / interval) + 1, _LEAST_IN_FLIGHT), _MOST_IN_FLIGHT)
