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
    """What one transaction did: the scan as it now stands, the cursor, and counts of rows by what became of them.

    closed      the scan is over, and nothing is left to do at its end
    changed_at  `updateDate` of each row that was created or updated, "" where it has none
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
    """Where a collection stands: its cursor, the scans that were begun and not closed, and the skew of Precoro's
    reading of `modifiedSince`, as far as it was found."""

    cursor: Cursor
    skew: Skew
    whole: Scan | None = None
    changes: Scan | None = None

    def left(self, kind: Kind) -> Scan | None:
        """The scan of that kind that goes on where it was cut off."""
        scan = self.whole if kind == "whole" else self.changes
        # What one that is finished could not ask about is asked about by the next.
        return None if scan is None or scan.finished else scan

    def without(self, kind: Kind, cursor: Cursor) -> Standing:
        """Once the scan of that kind is closed."""
        if kind == "whole":
            return Standing(cursor, self.skew, changes=self.changes)
        return Standing(cursor, self.skew, whole=self.whole)


@dataclass(frozen=True, slots=True)
class Due:
    """A document whose detail is missing or older than its version; `attempts` have failed since it was last good,
    the last of them because it was not there (`absent`)."""

    collection: str
    id: int
    idn: int | str | None
    version: bytes
    attempts: int = 0
    absent: bool = False


class Known(Struct, frozen=True):
    """A record of the mirror, when its detail was asked for, if it is not older than the record's version, and until
    when it is quarantined, if it is."""

    due: Due
    detailed_at: float | None
    quarantined_until: float | None


class Age(Struct, frozen=True):
    """Which documents are meant: the recent ones or the others.

    Recent is what changed at `since` (Unix seconds) or later by its own date, though not before the mirror began; and
    what had a detail that is old now.
    """

    since: float
    recent: bool


class WantedDetails(Struct, frozen=True):
    """Which collections get details: of all records, or only of those with attachments."""

    collections: Sequence[str] = ()
    with_attachments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that failed and is kept apart, for a person to see, or to be tried again.

    retry_at  when it is due again (Unix seconds); None: only when Precoro sends it again
    absent    Precoro says that there is no such document
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
        """Of a record, by collection and id, that failed `attempts` times in a row: tried again ever more seldom."""
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
    """The mirror, its scans and cursors. One writer.

    Every method that writes is one transaction, durable when it returns; cancellation leaves it done or not begun.
    Raises StoreUnusable when the disk is full, read-only or the file damaged.
    """

    async def cursor(self, collection: str) -> Cursor:
        """An empty Cursor if the collection was never listed."""
        ...

    async def anchor(self, collection: str) -> Cursor:
        """The cursor, once its anchor is known: where it was not, the records that the mirror has show it."""
        ...

    async def skew(self) -> Skew:
        """Of Precoro's reading of `modifiedSince`, as far as it was found."""
        ...

    async def save_skew(self, skew: Skew) -> None: ...

    async def standing(self, collection: str) -> Standing:
        """All that a scan goes by, in one trip."""
        ...

    async def commit_pages(self, scan: Scan, pages: Sequence[Page]) -> Committed:
        """Records, change rows, scan progress and, when the scan is over, the cursor: all or nothing.

        `pages` follow `scan.next_page` without gap. Committing the same pages again changes nothing but the scan.
        A finished scan of changes is closed here, and so is a whole one that missed nothing; another one stays open
        until `close_scan`. What was quarantined at the stage SCAN is cleared when the scan is over.
        """
        ...

    async def unseen(self, scan: Scan, ids: Collection[int]) -> int:
        """How many of them the open scan has not met."""
        ...

    async def live(self, collection: str) -> int:
        """Live, wanted records."""
        ...

    async def missing(self, scan: Scan) -> tuple[Sequence[Missing], int]:
        """Live, wanted records that the finished whole scan did not list and that have not changed since it
        started; and how many live, wanted records there are in all."""
        ...

    async def close_scan(self, scan: Scan, vanished: Sequence[int] = (), *, at: float) -> None:
        """Mark the ids vanished, as `mark_vanished` does; forget the scan and what it saw. What was quarantined at
        the stage CENSUS is cleared."""
        ...

    async def mark_vanished(self, scan: Scan, ids: Sequence[int], *, at: float) -> None:
        """Mark them vanished (with change rows), but for those that were listed as changed since the scan started."""
        ...

    async def refilter(self, collection: str, fingerprint: str, keeps: Callable[[Record, str | None], bool]) -> None:
        """Set `wanted` of every stored record anew, by its row and its detail (None if that is not up to date), with
        change rows where it is another; store a cursor that has only the filter's fingerprint, so that the next scan
        is whole; drop open scans."""
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
        """Newest first; without what is quarantined until `before` or later. Of `with_attachments` only the records
        that are known to have files; of either only those of that age."""
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
        """Those of them that are live and wanted."""
        ...

    async def save_detail(self, due: Due, detail: Detail, *, at: float, patience: float = 0.0) -> None:
        """Store the detail, asked for at `at`, under the live row it names (its own id; `due.id` if it has none or no
        such row), set that row's `wanted` if the detail says False, and note `due.version` as answered for `due` and,
        for rows that share the idn, their present version. Clears what was quarantined at the stage DETAIL.

        patience  real seconds for which it may wait for another write, to become durable in one commit with it
        """
        ...

    async def mark_gone(self, due: Due, *, at: float) -> None:
        """Mark vanished (with change rows) the live rows that `due` addresses: its own, and those that share its idn.
        Clears what was quarantined at the stage DETAIL."""
        ...

    async def count_quarantined(self) -> Mapping[tuple[str, Stage], int]:
        """How many things are quarantined, by collection and stage."""
        ...

    async def quarantine(self, item: Quarantined) -> None:
        """Remember a failure; a repeat raises `attempts` and keeps `since`."""
        ...

    async def quarantined(self, collection: str, key: str, stage: Stage) -> Quarantined | None: ...

    async def release(self, collection: str, key: str, stage: Stage) -> None:
        """End its quarantine."""
        ...

    async def release_unseen(self, collection: str, stage: Stage, before: float) -> None:
        """End the quarantine of what did not fail since then."""
        ...

    async def quarantine_detail(self, due: Due, error: DaemonError, *, at: float, stale: bool = False) -> None:
        """The same of a detail that did not come, for each live row that `due` addresses. `stale`: it is due though
        the row is as it was."""
        ...
