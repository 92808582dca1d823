"""the mirror, its scans and cursors"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct

from precoro_daemon.errors import DaemonError, NotFound
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.retries import quarantine_period

if TYPE_CHECKING:
    from precoro_daemon.mirror.ports.precoro import Detail
    from precoro_daemon.mirror.rules.absences import Missing
    from precoro_daemon.mirror.rules.cursors import Cursor, Kind, Page, Scan
    from precoro_daemon.mirror.rules.documents import Record
    from precoro_daemon.mirror.rules.reach import Skew


class Committed(Struct, frozen=True):
    """The result of one transaction: the scan and the cursor after it, and the number of rows by their outcome.

    closed      whether the scan is over and needs no more work
    changed_at  `updateDate` of each row that was created or updated, "" if it has none
    """

    scan: Scan
    cursor: Cursor
    closed: bool = False
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    changed_at: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A collection's cursor, its open scans, and the known skew of Precoro's reading of `modifiedSince`."""

    cursor: Cursor
    skew: Skew
    whole: Scan | None = None
    changes: Scan | None = None

    def left(self, kind: Kind) -> Scan | None:
        """Returns the interrupted scan of that kind, to be resumed."""
        scan = self.whole if kind == "whole" else self.changes
        # What one that is finished could not ask about is asked about by the next.
        return None if scan is None or scan.finished else scan

    def without(self, kind: Kind, cursor: Cursor) -> Standing:
        """Returns the standing after the scan of that kind was closed."""
        if kind == "whole":
            return Standing(cursor, self.skew, changes=self.changes)
        return Standing(cursor, self.skew, whole=self.whole)


@dataclass(frozen=True, slots=True)
class Due:
    """A document whose detail is missing or older than its version.

    attempts  failures since the last success
    absent    whether the last of them was a 404
    """

    collection: str
    id: int
    idn: int | str | None
    version: bytes
    attempts: int = 0
    absent: bool = False


class Known(Struct, frozen=True):
    """A record of the mirror, when its up-to-date detail was requested, and until when it is quarantined; None if
    there is no such detail or quarantine.
    """

    due: Due
    detailed_at: float | None
    quarantined_until: float | None


class Age(Struct, frozen=True):
    """Selects the recent documents or the others.

    Recent documents changed at or after `since` (Unix seconds) by their own date, but not before the mirror began; or
    they have an outdated detail.
    """

    since: float
    recent: bool


class WantedDetails(Struct, frozen=True):
    """Which collections get details: all records, or only those with attachments."""

    collections: Sequence[str] = ()
    with_attachments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that failed and is kept apart, for a person to see, or to be tried again.

    retry_at  when it is due again (Unix seconds); None: only when Precoro sends it again
    absent    whether Precoro says that the document does not exist
    """

    collection: str
    key: str
    stage: Stage
    reason: str
    raw: str | None
    attempts: int
    since: float
    retry_at: float | None
    absent: bool = False

    @classmethod
    def failed(
        cls, stage: Stage, of: tuple[str, int], error: DaemonError, attempts: int, at: float, *, reason: str = ""
    ) -> Self:
        """Returns the quarantine of a record, by collection and id, that failed `attempts` times in a row. Its
        retries become rarer.
        """
        collection, id_ = of
        return cls(
            collection=collection,
            key=str(id_),
            stage=stage,
            reason=reason or str(error),
            raw=None,
            attempts=attempts,
            since=at,
            retry_at=at + quarantine_period(error, attempts),
            absent=stage is Stage.DETAIL and isinstance(error, NotFound),
        )


class Mirror(Protocol):
    """The mirror, its scans and cursors. Has one writer.

    Every writing method is one transaction, durable on return; cancellation leaves it done or not begun. Raises
    StoreUnusable if the disk is full or read-only, or the file is damaged.
    """

    async def cursor(self, collection: str) -> Cursor:
        """Returns the cursor, an empty one if the collection was never listed."""
        ...

    async def anchor(self, collection: str) -> Cursor:
        """Returns the cursor with its anchor. If that was unknown, the mirror's records show it."""
        ...

    async def skew(self) -> Skew:
        """Returns the known skew of Precoro's reading of `modifiedSince`."""
        ...

    async def save_skew(self, skew: Skew) -> None: ...

    async def standing(self, collection: str) -> Standing:
        """Returns everything that a scan depends on, in one trip."""
        ...

    async def commit_pages(self, scan: Scan, pages: Sequence[Page]) -> Committed:
        """Stores records, change rows, scan progress and, if the scan is over, the cursor, atomically.

        `pages` follow `scan.next_page` without a gap. Committing the same pages again changes only the scan. A
        finished scan of changes is closed here, and so is a whole scan that missed nothing; any other stays open
        until `close_scan`. The end of a scan clears the quarantine at the stage SCAN.
        """
        ...

    async def unseen(self, scan: Scan, ids: Collection[int]) -> int:
        """Returns how many of the ids the open scan has not seen."""
        ...

    async def live(self, collection: str) -> int:
        """Returns the number of live, wanted records."""
        ...

    async def missing(self, scan: Scan) -> tuple[Sequence[Missing], int]:
        """Returns the live, wanted records that the finished whole scan did not list and that have not changed since
        it started, and the number of all live, wanted records.
        """
        ...

    async def close_scan(self, scan: Scan, vanished: Sequence[int] = (), *, at: float) -> None:
        """Marks the ids vanished, as `mark_vanished` does, and forgets the scan and what it saw. Clears the
        quarantine at the stage CENSUS.
        """
        ...

    async def mark_vanished(self, scan: Scan, ids: Sequence[int], *, at: float) -> None:
        """Marks them vanished (with change rows), except those that were listed as changed since the scan started."""
        ...

    async def refilter(self, collection: str, fingerprint: str, keeps: Callable[[Record, str | None], bool]) -> None:
        """Recomputes `wanted` of every stored record from its row and its detail (None if not up to date), with
        change rows for differences. Stores a cursor with nothing but the filter's fingerprint, so that the next scan
        is whole, and drops open scans.
        """
        ...

    async def due_details(
        self,
        collections: Sequence[str],
        with_attachments: Sequence[str] = (),
        *,
        before: float,
        limit: int,
        age: Age | None = None,
    ) -> Sequence[Due]:
        """Returns due details, newest first, without those quarantined until `before` or later. Of `with_attachments`
        only records known to have files are due; `age` selects by age.
        """
        ...

    async def count_due(
        self,
        collections: Sequence[str],
        with_attachments: Sequence[str] = (),
        *,
        before: float,
        age: Age | None = None,
    ) -> Mapping[str, int]: ...

    async def known(self, collection: str, ids: Collection[int]) -> Sequence[Known]:
        """Returns those of the records that are live and wanted."""
        ...

    async def save_detail(self, due: Due, detail: Detail, *, at: float, patience: float = 0.0) -> None:
        """Stores the detail, requested at `at`, under the live row it names (its own id; `due.id` if it has none, or
        there is no such row). If the detail shows that the record is not wanted, so does the row afterwards. Records
        `due.version` as answered for `due`, and for rows that share the idn their present version. Clears the
        quarantine at the stage DETAIL.

        patience  real seconds for which it may wait for another write, to share its commit
        """
        ...

    async def mark_gone(self, due: Due, *, at: float) -> None:
        """Marks the live rows that `due` addresses as vanished (with change rows): its own, and those that share its
        idn. Clears the quarantine at the stage DETAIL.
        """
        ...

    async def count_quarantined(self) -> Mapping[tuple[str, Stage], int]:
        """Returns the number of quarantined things by collection and stage."""
        ...

    async def quarantine(self, item: Quarantined) -> None:
        """Stores a failure. A repeated failure increments `attempts` and keeps `since`."""
        ...

    async def quarantined(self, collection: str, key: str, stage: Stage) -> Quarantined | None: ...

    async def release(self, collection: str, key: str, stage: Stage) -> None:
        """Ends a quarantine."""
        ...

    async def release_unseen(self, collection: str, stage: Stage, before: float) -> None:
        """Ends the quarantine of what has not failed since `before`."""
        ...

    async def quarantine_detail(self, due: Due, error: DaemonError, *, at: float, stale: bool = False) -> None:
        """Quarantines a detail that did not arrive, for each live row that `due` addresses. `stale`: it is due
        although the row is unchanged.
        """
        ...
