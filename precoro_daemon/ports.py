"""what jobs need from outside, as Protocols with written contracts"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from precoro_daemon.domain.absences import Missing
from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import Collection
from precoro_daemon.domain.cursors import Cursor, Kind, Page, Pass
from precoro_daemon.domain.documents import Record
from precoro_daemon.domain.filters import Query
from precoro_daemon.errors import DaemonError


class Clock(Protocol):
    """Time as the program lives it: Unix seconds that never run backwards while the process lives.

    For rehearsals it may run faster than real time; `sleep` is then shorter by the same factor.
    """

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Detail:
    """A full document.

    id      the id inside it, None if it has none
    raw     its JSON exactly as it came
    wanted  False if only the detail shows that the user's filter does not keep it
    """

    id: int | None
    raw: str
    wanted: bool = True


class Precoro(Protocol):
    """The company's data at Precoro. Every call is charged to the budget of its lane before it leaves.

    All methods raise TemporaryError (after their own retries), PermanentError, AuthenticationError, BudgetSpent.
    Reading is idempotent; cancellation leaves nothing behind but the charge of calls already sent.
    """

    def walk(
        self, collection: Collection, query: Query, lane: Lane, start: int
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Page]]]:
        """Pages `start`, `start + 1`, ... in order, as batches of those that have arrived; ends after the last.

        Fetches ahead; on exit what is still in flight is cancelled. A page that fails is raised in its turn, after
        all pages before it were given out.
        """
        ...

    async def probe(self, collection: Collection, lane: Lane) -> None:
        """One small call, to see whether it is answered."""
        ...

    async def measure(self, collection: Collection, query: Query, lane: Lane) -> int:
        """Records of a list, by one small page or, where that does not tell, also the last; at least those on the
        first page where neither tells."""
        ...

    async def detail(self, collection: Collection, key: int | str, lane: Lane) -> Detail: ...


@dataclass(frozen=True, slots=True)
class Committed:
    """What one transaction did: the pass as it now stands, the cursor, and counts of rows by what became of them."""

    walk: Pass
    cursor: Cursor
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A document whose detail is missing or older than its version; `attempts` have failed since it was last good."""

    collection: str
    id: int
    idn: int | str | None
    version: bytes
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Aside:
    """Something set aside, to be looked at or tried again.

    stage     "record" (a list row that cannot be read), "detail", "pass" (the list itself) or "census" (one that was
              not believed); for the last two the key is the collection
    retry_at  when it is due again (Unix seconds); None: only when Precoro sends it again
    """

    collection: str
    key: str
    stage: str
    reason: str
    raw: str | None
    attempts: int
    since: float
    retry_at: float | None


class Mirror(Protocol):
    """The mirror, its change log, its passes and cursors. One writer.

    Every method that writes is one transaction, durable when it returns; cancellation leaves it done or not begun.
    Raises StoreUnusable when the disk is full, read-only or the file damaged.
    """

    async def cursor(self, collection: str) -> Cursor:
        """An empty Cursor if the collection was never listed."""
        ...

    async def open_pass(self, collection: str, kind: Kind) -> Pass | None:
        """The pass of that kind that was begun and not closed."""
        ...

    async def commit_pages(self, walk: Pass, pages: Sequence[Page]) -> Committed:
        """Records, change rows, pass progress and, when the pass is over, the cursor: all or nothing.

        `pages` follow `walk.next_page` without gap. Committing the same pages again changes nothing but the pass.
        A finished pass of changes is closed here; a finished whole pass stays open until `close_pass`. What was set
        aside for the stage "pass" is cleared when the pass is over.
        """
        ...

    async def missing(self, walk: Pass) -> tuple[Sequence[Missing], int]:
        """Live, wanted records that the finished whole pass did not list and that have not changed since it
        started; and how many live, wanted records there are in all."""
        ...

    async def close_pass(self, walk: Pass, vanished: Sequence[int] = (), *, at: float) -> None:
        """Mark the ids vanished (with change rows), forget the pass and what it saw. What was set aside for the
        stage "census" is cleared."""
        ...

    async def refilter(self, collection: str, fingerprint: str, keeps: Callable[[Record, str | None], bool]) -> None:
        """Set `wanted` of every stored record anew, by its row and its detail (None if that is not up to date); store
        a cursor that has only the filter's fingerprint, so that the next pass is whole; drop open passes."""
        ...

    async def due_details(self, collections: Sequence[str], *, before: float, limit: int) -> Sequence[Due]:
        """Newest first; without what is set aside until `before` or later."""
        ...

    async def count_due(self, collections: Sequence[str], *, before: float) -> Mapping[str, int]: ...

    async def save_detail(self, due: Due, detail: Detail, *, at: float) -> None:
        """Store the detail under the live row it names (its own id; `due.id` if it has none or no such row), set that
        row's `wanted` if the detail says False, and note `due.version` as answered for `due` and, for rows that
        share the idn, their present version. Clears what was set aside for the stage "detail"."""
        ...

    async def mark_gone(self, due: Due, *, at: float) -> None:
        """Mark vanished (with change rows) the live rows that `due` addresses: its own, and those that share its idn.
        Clears what was set aside for the stage "detail"."""
        ...

    async def count_aside(self) -> Mapping[tuple[str, str], int]:
        """How many things are set aside, by collection and stage."""
        ...

    async def set_aside(self, item: Aside) -> None:
        """Remember a failure; a repeat raises `attempts` and keeps `since`."""
        ...


class BudgetBook(Protocol):
    """What the budget must not forget: calls made, windows kept closed, refusals of the key.

    Every method that writes is durable when it returns; cancellation leaves it done or not begun.
    Times are Unix seconds. Raises StoreUnusable when the disk is full, read-only or the file damaged.
    """

    async def load(self, since: float) -> Sequence[tuple[float, bytes]]:
        """Calls charged at `since` or later, oldest first, each with the 8-byte hash of its GET (b"" for none)."""
        ...

    async def charge(self, at: float, key: bytes) -> None:
        """Note one call."""
        ...

    async def prune(self, before: float) -> None:
        """Forget the calls before that time."""
        ...

    async def refund(self, at: float, key: bytes) -> None:
        """Forget one call noted with exactly these: its request was never written. None such: nothing happens."""
        ...

    async def load_closed(self) -> Mapping[str, float]:
        """Until when each window is kept closed; a window that was never closed is absent."""
        ...

    async def close(self, window: str, until: float) -> None:
        """Keep a window closed until then, whatever was noted for it before."""
        ...

    async def load_refusal(self, fingerprint: str) -> tuple[int, float] | None:
        """How often in a row this key was refused, and when last; None if it was not."""
        ...

    async def save_refusal(self, fingerprint: str, count: int, at: float) -> None: ...

    async def clear_refusal(self) -> None:
        """Forget the refusals of every key."""
        ...


class Progress(Protocol):
    """What a person watching may see. Calls are cheap and never raise."""

    def pass_advanced(self, collection: str, walk: Pass, committed: Committed) -> None: ...

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None: ...

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """The next call of the lane waits for that window until then (Unix seconds by the Clock)."""
        ...

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """A call left; calls left per window by name."""
        ...


class Silent:
    """Implements `Progress` for when nobody watches; the log tells the same."""

    def pass_advanced(self, collection: str, walk: Pass, committed: Committed) -> None:
        """Nobody looks."""

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        """Nobody looks."""

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """Nobody looks."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """Nobody looks."""


@dataclass(frozen=True, slots=True)
class LapReport:
    """What one lap of a job did.

    brought  records and details that are new or changed
    failed   one line for each thing that failed and will be tried again
    ended    what ended the lap before its work was done: BudgetSpent, Stopped or a FatalError
    """

    brought: int = 0
    failed: Sequence[str] = field(default=())
    ended: DaemonError | None = None
