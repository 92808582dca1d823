"""what those who watch may see: a snapshot of the whole program, and how to get one"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from precoro_daemon.catalogue.ports import PlanState
from precoro_daemon.files.ports import FileCounts
from precoro_daemon.mirror.ports.deliveries import DeliveryCounts
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.payments.ports.journal import Switch
from precoro_daemon.quota.budget import Lane, Opening
from precoro_daemon.status.pulse import Pulse


@dataclass(frozen=True, slots=True)
class Tallies:
    """What was counted since the process started; nothing is ever taken away.

    calls    by method, route and outcome
    lines    of the log, by level and event
    answers  to webhooks, by status
    began    when that was, by the machine's own seconds that nobody sets (time.monotonic)
    """

    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    began: float = field(default_factory=monotonic)

    def line(self, level: str, event: str) -> None:
        self.lines[level, event] += 1


@dataclass(frozen=True, slots=True)
class ListState:
    """One collection.

    as_of        up to date as of then (Unix seconds); None: not yet listed to its end
    live         rows Precoro still has, as far as the user's filter keeps them; vanished: the others
    detailed     rows whose detail is up to date; due: those whose detail is missing or old; None where none is wanted
    listed       rows of the list that is being walked, and how many it has in all (None if it does not say)
    census_owed  it was not proved complete
    """

    name: str
    as_of: float | None = None
    live: int = 0
    vanished: int = 0
    detailed: int | None = None
    due: int | None = None
    listed: tuple[int, int | None] | None = None
    census_owed: bool = False


@dataclass(frozen=True, slots=True)
class FileStock:
    """kept, due: files on disk, and missing ones · too_large: left out for their size"""

    kept: FileCounts
    due: FileCounts
    too_large: int


@dataclass(frozen=True, slots=True)
class PaymentStock:
    """intents: by direction and state, how many and since when the oldest · switch: whether any may be sent ·
    kill_switch: the path of that file; stopped: it is there · misread: rows of the books that cannot be read ·
    unmet: payments in the books that meet no invoice that can be paid"""

    intents: Mapping[tuple[str, str], tuple[int, float]]
    switch: Switch
    kill_switch: str
    stopped: bool
    unreadable: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Hour:
    """Calls of one hour by lane; None: by a version that did not note the lane. `begins` in Unix seconds."""

    begins: float
    calls: Mapping[Lane | None, int]

    @property
    def total(self) -> int:
        return sum(self.calls.values())


@dataclass(frozen=True, slots=True)
class Stored:
    """What the state held when it was read at `read_at`.

    lists         the mirrored collections, in their order
    aside         the newest things set aside; aside_counts: all of them by collection and stage
    payments      None where no books are configured
    items         plans of item changes that are under way
    hours         the last 24, oldest first; the last one is not over
    free          bytes free on the disks of "state" and "files"
    """

    read_at: float
    lists: Sequence[ListState]
    files: FileStock
    aside: Sequence[Quarantined] = ()
    quarantined_counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    payments: PaymentStock | None = None
    items: Sequence[PlanState] = ()
    deliveries: DeliveryCounts = field(default_factory=DeliveryCounts)
    hours: Sequence[Hour] = ()
    free: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quota:
    """The account of calls at this moment.

    limits, left  calls by window; windows without a limit are not in them
    lanes         calls that a lane may still make of the day's; None: as many as it likes
    opens         when its next call may leave, and which window decides that
    backfill      calls a day that go to documents which did not change lately; 0: not known
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    lanes: Mapping[Lane, int | None] = field(default_factory=dict)
    opens: Mapping[Lane, Opening] = field(default_factory=dict)
    backfill: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at `now` (Unix seconds by the Clock).

    up        seconds since the process started
    stored    None as long as the state could not be read once
    unreadable  why the last attempt to read it failed, "" if it did not
    webhooks  they come in somewhere
    command   how this program is called with this configuration
    """

    now: float
    up: float
    pulse: Pulse
    tallies: Tallies
    quota: Quota
    stored: Stored | None = None
    unreadable: str = ""
    webhooks: bool = False
    command: str = "precoro-daemon"

    @property
    def details_due(self) -> int:
        return sum(one.due or 0 for one in self.stored.lists) if self.stored else 0

    @property
    def backfill_seconds(self) -> float | None:
        """Until every document has its detail, if nothing else wants the calls."""
        if not self.stored or not self.quota.backfill:
            return None
        return 86_400.0 * self.details_due / self.quota.backfill


class Watcher(Protocol):
    """Gives snapshots. Neither call raises, and neither holds up the program."""

    def glance(self) -> Snapshot:
        """At once, with the state as it was last read."""
        ...

    async def look(self, patience: float) -> Snapshot:
        """With a fresh look into the state, if that is due and takes no longer than `patience` (real seconds)."""
        ...
