"""the states of a job, as a transition table

Theory of operation
-------------------
Whether there is work follows from the state in the store, so nothing about a job is queued, and nothing of it is lost
with the process. This module only keeps what the job is doing at present, and why it does nothing if it does nothing.

An IDLE job waits for its schedule or for a wake-up; either makes it DUE. Then it is checked for work, before anything
is waited for. If there is work, it is WAITING until its group is free, and is checked once more, because another job
of the group may have done the work meanwhile. Then it is RUNNING for a lap. While there is more to do it continues
with the next lap; a job of a group waits for its turn again before each.

Two states last until `next_at`, and waking the job changes neither: BLOCKED, because a failure does not pass by being
checked more often, and OUT_OF_QUOTA, because the quota opens at a known time. A wake-up that arrives meanwhile or
during a lap is remembered, so none is lost.

DRAINING is the end: laps in flight may finish, whatever their result, and nothing new begins. It is final; after a
reload there is another scheduler.

TABLE is complete: a transition that is not in it cannot happen.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from precoro_daemon.errors import DaemonError
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.ports import PartPulse


class State(StrEnum):
    """idle          no work is known
    due           its time came, or it was woken
    waiting       there is work, and its group is busy
    running       a lap is in progress
    blocked       it could not work, and is tried again at `next_at`
    out_of_quota  the quota lets it continue at `next_at`
    draining      the scheduler ends
    """

    IDLE = "idle"
    DUE = "due"
    WAITING = "waiting"
    RUNNING = "running"
    BLOCKED = "blocked"
    OUT_OF_QUOTA = "out_of_quota"
    DRAINING = "draining"


HELD = frozenset({State.BLOCKED, State.OUT_OF_QUOTA})
"""The states in which waking a job does not help."""


class Event(StrEnum):
    WAKE = "wake"
    CHECK = "check"
    REST = "rest"
    QUEUE = "queue"
    BEGIN = "begin"
    FINISH = "finish"
    FAIL = "fail"
    SPEND = "spend"
    DRAIN = "drain"


class Transition(NamedTuple):
    source: State
    event: Event
    target: State
    meaning: str


TABLE: tuple[Transition, ...] = (
    Transition(State.IDLE, Event.WAKE, State.DUE, "somebody says that there is work"),
    Transition(State.IDLE, Event.CHECK, State.DUE, "its time has come, or its last lap brought something"),
    Transition(State.DUE, Event.WAKE, State.DUE, "it is about to be checked"),
    Transition(State.DUE, Event.CHECK, State.DUE, "it was woken"),
    Transition(State.DUE, Event.REST, State.IDLE, "there is no work"),
    Transition(State.DUE, Event.QUEUE, State.WAITING, "there is work, for which it needs its group"),
    Transition(State.DUE, Event.BEGIN, State.RUNNING, "there is work, and nobody to wait for"),
    Transition(State.DUE, Event.FAIL, State.BLOCKED, "whether there is work is not known"),
    Transition(State.WAITING, Event.WAKE, State.WAITING, "it knows that there is work"),
    Transition(State.WAITING, Event.CHECK, State.DUE, "its group is free"),
    Transition(State.RUNNING, Event.WAKE, State.RUNNING, "remembered until its round is over"),
    Transition(State.RUNNING, Event.FINISH, State.IDLE, "the lap is done"),
    Transition(State.RUNNING, Event.FAIL, State.BLOCKED, "something keeps it from working"),
    Transition(State.RUNNING, Event.SPEND, State.OUT_OF_QUOTA, "its share of the quota is spent"),
    Transition(State.BLOCKED, Event.WAKE, State.BLOCKED, "remembered until it is tried again"),
    Transition(State.BLOCKED, Event.CHECK, State.DUE, "it is tried again"),
    Transition(State.OUT_OF_QUOTA, Event.WAKE, State.OUT_OF_QUOTA, "remembered until the quota opens"),
    Transition(State.OUT_OF_QUOTA, Event.CHECK, State.DUE, "the quota opens"),
    *(Transition(state, Event.DRAIN, State.DRAINING, "no call leaves any more") for state in State),
    Transition(State.DRAINING, Event.WAKE, State.DRAINING, "left to the next process"),
    Transition(State.DRAINING, Event.FINISH, State.DRAINING, "its last lap is done"),
    Transition(State.DRAINING, Event.FAIL, State.DRAINING, "its last check or lap failed"),
    Transition(State.DRAINING, Event.SPEND, State.DRAINING, "its last lap spent its share of the quota"),
)

_TARGETS = {(row.source, row.event): row.target for row in TABLE}


class ImpossibleTransition(LookupError):
    """The table lacks this transition: a bug in this program."""


def after(source: State, event: Event) -> State:
    """Returns the state after an event. Raises ImpossibleTransition."""
    if (target := _TARGETS.get((source, event))) is None:
        raise ImpossibleTransition(f"{event} cannot happen to a job that is {source}")
    return target


class JobStatus(PartPulse):
    """The present status of one job. Times are Unix seconds by the Clock, None if there is none yet.

    next_at             its next check, at the latest; if it is held, not before
    ended_at            the end of its last lap, in whatever process
    good_at             the end of its last lap without failures
    lap                 the report of the last lap in this process
    trouble             why it could not work at its last attempt: a refused key, a ledger that does not fit
    laps, failures      number of laps of this process, and of those with failures
    woken               whether it was woken and not checked since
    setbacks            how many times in a row it could not work
    round_at            the start of its present round
    quota_logged_until  until then the spent quota is not logged again
    planned_at          when `next_at` was set
    """

    state: State = State.IDLE
    next_at: float | None = None
    ended_at: float | None = None
    good_at: float | None = None
    lap: LapReport | None = None
    trouble: DaemonError | None = None
    laps: int = 0
    failures: int = 0
    woken: bool = False
    setbacks: int = 0
    round_at: float = 0.0
    quota_logged_until: float = 0.0
    planned_at: float = 0.0

    def move(self, event: Event) -> None:
        self.state = after(self.state, event)
        if self.state is State.IDLE and self.woken:
            self.state = after(self.state, Event.WAKE)

    def wake(self) -> None:
        self.woken = True
        self.move(Event.WAKE)

    def plan(self, at: float, now: float) -> None:
        """Sets its next check; never in the past, however long the last lap took."""
        self.next_at, self.planned_at = max(at, now), now

    def left(self, now: float) -> float:
        """Returns the seconds until its next check. The clock runs back at most once, when the first answer shows it
        wrong.
        """
        at = self.next_at or now
        if now < self.planned_at:
            self.plan(at - self.planned_at + now, now)
        return (self.next_at or now) - now

    def note(self, lap: LapReport, now: float, *, good: bool) -> None:
        self.lap, self.ended_at = lap, now
        self.laps += 1
        self.good_at = now if good else self.good_at
        self.failures += not good
