"""one snapshot of the whole program, which terminal, page, health and metrics show"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct, field

from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.mirror.ports.deliveries import DeliveryCounts
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.budget import NO_KEY, Budget, Opening
from precoro_daemon.quota.forecast import TimeToGo, duration
from precoro_daemon.quota.limits import SECONDS, Lane
from precoro_daemon.quota.plan import QuotaPlan
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.values.humanize import many, moment

if TYPE_CHECKING:
    from precoro_daemon.catalogue.ports.plans import PlanState
    from precoro_daemon.mirror.ports.mirror import Quarantined
    from precoro_daemon.mirror.rules.cursors import Scan
    from precoro_daemon.mirror.rules.shapes import ShapeChange
    from precoro_daemon.payments.ports.switch import Switch
    from precoro_daemon.runtime.ports import LapTimes
    from precoro_daemon.status.facts import Fact
    from precoro_daemon.status.freshness import Freshness
    from precoro_daemon.status.grants import GrantStatus
    from precoro_daemon.status.history import Day
    from precoro_daemon.status.reading import FileState


class Tallies(Struct, frozen=True):
    """Counts since the process started.

    calls    by method, route and outcome
    lines    of the log, by level and event
    answers  to webhooks, by status
    began    the start, in monotonic seconds (time.monotonic)
    """

    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    began: float = field(default_factory=monotonic)

    def line(self, level: str, event: str) -> None:
        self.lines[level, event] += 1


class CollectionStatus(Struct, frozen=True):
    """One collection.

    mirrored     the configuration names it; else the state still holds what was mirrored before
    as_of        up to date as of then (Unix seconds); None: not yet listed to its end
    whole_as_of  a census proved it complete as of then
    live         rows Precoro still has, as far as the user's filter keeps them; vanished: the others
    detailed     rows whose detail is up to date; due: those whose detail is missing or old, None where none is wanted
    scans        lists that are being read, as far as they got
    census       "owed": the last listing was not proved complete; "due": the last census is old
    freshness    of the last week; None: nothing is known of it
    short        rows that the last whole list counted and did not show; hidden: believed not to be for this key
    """

    name: str
    mirrored: bool = True
    as_of: float | None = None
    whole_as_of: float | None = None
    live: int = 0
    vanished: int = 0
    detailed: int = 0
    due: int | None = None
    scans: Sequence[Scan] = ()
    census: Literal["", "due", "owed"] = ""
    freshness: Freshness | None = None
    short: int = 0
    hidden: int = 0


class PaymentStatus(Struct, frozen=True):
    """Payments in both directions.

    intents      by direction and state, how many and since when the oldest
    ledger       its name, None where the configuration names none any more
    enabled      at least one job of payments is
    switch       whether payments are armed
    kill_switch  the path of that file; stopped: why it keeps payments from being sent, "" if it does not
    unreadable   rows of the ledger that cannot be read; unreadable_since: the oldest of them
    unmatched    payments in the ledger without a matching payable invoice
    lacking        what payments go by and Precoro's answers have not as before, "" if they have
    """

    intents: Mapping[tuple[str, str], tuple[int, float]]
    switch: Switch
    kill_switch: str
    stopped: str = ""
    ledger: str | None = None
    enabled: bool = True
    unreadable: int = 0
    unreadable_since: float = 0.0
    unmatched: int = 0
    lacking: str = ""

    @property
    def held_back(self) -> Sequence[str]:
        """The reasons why no payment is sent although the configuration enables some."""
        reasons = ("" if self.switch.armed else self.switch.reason, self.stopped, self.lacking)
        return [reason for reason in reasons if reason and self.enabled]


class Hour(Struct, frozen=True):
    """Calls of one hour by lane; None for calls of a version that did not record the lane. `begins` in Unix
    seconds.
    """

    begins: float
    calls: Mapping[Lane | None, int]

    @property
    def total(self) -> int:
        return sum(self.calls.values())


class Stored(Struct, frozen=True):
    """What the state held when it was read at `read_at`.

    collections         the mirrored ones in their order, then others that the state holds
    quarantined         the newest things that failed; quarantined_counts: all of them by collection and stage
    payments            None where there is no ledger and no payment
    grant               of the accounting system, None where it gives none
    items               plans of item changes that are under way
    laps                the last lap of each job of a service
    refused_at          Precoro refused the key then, and has answered no call since
    hours               the last 24, oldest first; the last one is not over
    free                bytes free on the disks of "state", and of "files" or of "spool" where files go on to a bucket
    backlog             documents whose detail is missing or old and may be asked for
    backfilled          when the calls for older documents of the last day left, oldest first
    delays              mean delay of changes by the hour of the day (UTC) in which they were made, in seconds, in the
                        last week; None: none is known
    days                the last two weeks, the oldest first
    skew                seconds by which scans reach back further, as Precoro reads times in another zone
    exports             by name, changes that each has still to follow; None: it never ended a lap
    waiting_pushes      by export, records that its receiver refused and that are pushed again
    dead_letters        by export, records that its receiver refused for too long
    gone                exports whose receiver wants no more
    shape_changes       what of Precoro's answers is another one than it was, the newest first: of the last month, and
                        what stands
    facts               what was found out about Precoro
    """

    read_at: float
    collections: Sequence[CollectionStatus]
    files: FileState
    quarantined: Sequence[Quarantined] = ()
    quarantined_counts: Mapping[tuple[str, Stage], int] = field(default_factory=dict)
    payments: PaymentStatus | None = None
    grant: GrantStatus | None = None
    items: Sequence[PlanState] = ()
    deliveries: DeliveryCounts = field(default_factory=DeliveryCounts)
    laps: Mapping[str, LapTimes] = field(default_factory=dict)
    refused_at: float | None = None
    hours: Sequence[Hour] = ()
    free: Mapping[str, int] = field(default_factory=dict)
    backlog: int = 0
    backfilled: Sequence[float] = ()
    delays: Sequence[float | None] = ()
    days: Sequence[Day] = ()
    skew: float = 0.0
    exports: Mapping[str, int | None] = field(default_factory=dict)
    waiting_pushes: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    gone: Sequence[str] = ()
    shape_changes: Sequence[ShapeChange] = ()
    facts: Sequence[Fact] = ()

    @property
    def mirrored(self) -> Sequence[CollectionStatus]:
        return [one for one in self.collections if one.mirrored]

    @property
    def listed(self) -> bool:
        """Whether every list was read to its end, or cannot be read, so that the backlog is known."""
        return all(
            one.as_of is not None or (one.name, Stage.SCAN) in self.quarantined_counts for one in self.mirrored
        )


class Quota(Struct, frozen=True):
    """The account of calls at one moment.

    limits, left  calls by window, without windows that have no limit
    reserved      calls of a day that details leave to others
    lanes         calls that a lane may still make today, None for any number
    opens         when its next call may leave, and which window decides that
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    reserved: int = 0
    lanes: Mapping[Lane, int | None] = field(default_factory=dict)
    opens: Mapping[Lane, Opening] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Budget, now: float) -> Quota:
        left = account.left(now)
        return cls(
            limits={window: getattr(account.limits, f"per_{window}") for window in left},
            left=left,
            reserved=account.limits.reserved("day", Lane.DETAILS),
            lanes={lane: account.spendable(lane, now) for lane in Lane},
            opens={lane: account.opening(lane, NO_KEY, now) for lane in Lane},
        )

    @property
    def for_details(self) -> int:
        """The calls of a day that details may use, 0 for any number."""
        return max(self.limits.get("day", 0) - self.reserved, 0)

    def seconds_for(self, calls: int) -> float:
        """Returns the seconds until the last of `calls` for details has left, if nothing else needs any."""
        windows = {**self.limits, "day": self.for_details}
        return duration(calls, [(seconds, windows.get(window, 0)) for window, seconds in SECONDS.items()])


class Outlook(Struct, frozen=True):
    """What the planner intends.

    plan   the division of a day's calls, None if they are not limited
    scans  when each collection is scanned next (Unix seconds); empty without a service
    """

    plan: QuotaPlan | None = None
    scans: Mapping[str, float] = field(default_factory=dict)


class Live(Struct, frozen=True):
    """Signs of life of a service; empty in another process.

    up  seconds since the service's process started
    """

    pulse: Pulse = field(default_factory=lambda: Pulse(0.0))
    tallies: Tallies = field(default_factory=Tallies)
    up: float = 0.0


class Snapshot(Struct, frozen=True):
    """Everything at `now` (Unix seconds by the Clock).

    stored      None until the state was read once
    unreadable  why the last attempt to read it failed, "" if it did not
    webhooks    whether webhooks are received
    command     how this program is called with this configuration
    company     its name, "" if the configuration names none
    """

    now: float
    quota: Quota
    outlook: Outlook = field(default_factory=Outlook)
    stored: Stored | None = None
    unreadable: str = ""
    live: Live = field(default_factory=Live)
    webhooks: bool = False
    command: str = "precoro-daemon"
    company: str = ""

    @property
    def pulse(self) -> Pulse:
        return self.live.pulse

    @property
    def plan(self) -> QuotaPlan | None:
        return self.outlook.plan

    @property
    def backfill_time(self) -> TimeToGo | None:
        """The time until every document has its detail, by the plan of a service; None if calls are not limited, or
        the number of documents is unknown because some list was never read to its end.
        """
        if self.plan is None or self.stored is None or not self.stored.listed:
            return None
        return self.plan.time_for(self.stored.backlog, [self.now - at for at in self.stored.backfilled])

    @property
    def to_go(self) -> str:
        """How many documents lack their detail and when they will have it, in a sentence; "" if none does."""
        plan, stored = self.plan, self.stored
        if plan is None or stored is None or not (stored.backlog or not stored.listed):
            return ""
        served = "" if self.outlook.scans else " as a service"
        words = (
            f"{'First fill' if plan.filling else 'Back-fill'}: {many(stored.backlog, 'document')} to go, at"
            f" {plan.backfill:,} calls a day{served}"
        )
        if (left := self.backfill_time) is None:
            return f"{words}; some lists were not read to their end yet, so there may be more."
        ends = [left.seconds] if left.sure else [left.least, left.most]
        return f"{words}; done in {left.words} ({' to '.join(moment(self.now + end) for end in ends)})."

    def seconds_left(self, plan: PlanState) -> float:
        """Returns the seconds until the last change of the plan has left, if nothing else needs the calls; 0 if none
        is to be sent.
        """
        calls = plan.open - plan.counts.get(State.DOUBT, 0)
        if not calls:
            return 0.0
        return max(0.0, self.quota.opens[Lane.DETAILS].at - self.now) + self.quota.seconds_for(calls)


class Watcher(Protocol):
    """Takes snapshots. Its methods never raise, and never delay the program."""

    def glance(self) -> Snapshot:
        """Returns at once, with the state as it was last read."""
        ...

    async def snapshot(self, patience: float) -> Snapshot:
        """Returns with a fresh reading of the state, if one is due and takes no longer than `patience` (real
        seconds).
        """
        ...
