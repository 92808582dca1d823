"""the port for reading the state consistently, beside the process that holds it"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts
from precoro_daemon.mirror.ports.deliveries import DeliveryCounts
from precoro_daemon.mirror.rules.reach import Skew
from precoro_daemon.payments.ports.switch import Switch

if TYPE_CHECKING:
    from precoro_daemon.catalogue.ports.plans import PlanState
    from precoro_daemon.mirror.ports.mirror import Quarantined
    from precoro_daemon.mirror.rules.cursors import Cursor, Scan
    from precoro_daemon.mirror.rules.quarantine import Stage
    from precoro_daemon.mirror.rules.shapes import ShapeChange
    from precoro_daemon.quota.limits import Lane
    from precoro_daemon.quota.watched_hours import WatchedHour
    from precoro_daemon.runtime.ports import LapTimes, PastLap
    from precoro_daemon.status.facts import Fact


class CollectionState(Struct, frozen=True):
    """Rows of a collection by kind, and the progress of its scans.

    live      rows Precoro still has
    wanted    live rows that the user's filter keeps
    vanished  rows that Precoro no longer has
    detailed  wanted rows with an up-to-date detail
    due       wanted rows whose detail is missing or outdated
    """

    cursor: Cursor
    scans: Sequence[Scan] = ()
    live: int = 0
    wanted: int = 0
    vanished: int = 0
    detailed: int = 0
    due: int = 0


class FileState(Struct, frozen=True):
    """stored     files kept, by collection
    due        missing files
    too_large  files that are left out
    """

    stored: Mapping[str, FileCounts]
    due: FileCounts
    too_large: Sequence[AttachedFile]

    @property
    def kept(self) -> FileCounts:
        """The files kept of all collections together."""
        counts = self.stored.values()
        return FileCounts(sum(one.files for one in counts), sum(one.bytes for one in counts))


class Overview(Struct, frozen=True):
    """Everything that people are shown of the state, as it was at one moment.

    collections         by name, as far as the state knows something of them
    quarantined         the newest; quarantined_counts: all of them by collection and stage
    calls, closed       the account of calls: when each was charged, and until when a window is closed
    lessons             what the service has learned of the line and of others on the key
    lanes               which lane made which call, where that was noted
    refusals            when Precoro refused a key, by the fingerprint of the credentials
    payments            by direction and state, how many and the time of the oldest
    switch              whether payments may be sent
    unreadable          by ledger, rows that cannot be read
    unreadable_since    by ledger, since when the oldest of them
    unmatched           by ledger, payments without a matching payable invoice
    items               plans that are under way
    laps                the last lap of each job
    history             the laps of the last two weeks that did something, the oldest first
    watched             what scans saw of when collections change, as far as it is kept, in the order of time
    backlog             documents whose detail is missing or old and may be asked for
    skew                of Precoro's reading of `modifiedSince`
    exports             by name, changes that each has still to follow
    waiting_pushes      by export, records that its receiver refused and that are pushed again
    dead_letters        by export, records that its receiver refused for too long
    gone                exports whose receiver wants no more
    shape_changes       what of Precoro's answers is another one than it was, the oldest first
    facts               what was found out about Precoro
    """

    collections: Mapping[str, CollectionState]
    quarantined: Sequence[Quarantined]
    quarantined_counts: Mapping[tuple[str, Stage], int]
    calls: Sequence[tuple[float, bytes]]
    closed: Mapping[str, float]
    files: FileState
    payments: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    items: Sequence[PlanState] = ()
    deliveries: DeliveryCounts = field(default_factory=DeliveryCounts)
    laps: Mapping[str, LapTimes] = field(default_factory=dict)
    history: Sequence[PastLap] = ()
    lanes: Sequence[tuple[float, Lane]] = ()
    lessons: Mapping[str, float] = field(default_factory=dict)
    refusals: Mapping[str, float] = field(default_factory=dict)
    switch: Switch = field(default_factory=lambda: Switch(armed=False))
    unreadable: Mapping[str, int] = field(default_factory=dict)
    unreadable_since: Mapping[str, float] = field(default_factory=dict)
    unmatched: Mapping[str, int] = field(default_factory=dict)
    watched: Sequence[WatchedHour] = ()
    backlog: int = 0
    skew: Skew = field(default_factory=Skew)
    exports: Mapping[str, int] = field(default_factory=dict)
    waiting_pushes: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    gone: Collection[str] = ()
    shape_changes: Sequence[ShapeChange] = ()
    facts: Sequence[Fact] = ()
