"""what jobs need from outside, as Protocols with written contracts"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.collections import Collection
from precoro_daemon.domain.cursors import Cursor, Kind, Page, Pass
from precoro_daemon.domain.documents import Record


class Clock(Protocol):
    """Time as the program lives it: Unix seconds that never run backwards while the process lives.

    For rehearsals it may run faster than real time; `sleep` is then shorter by the same factor.
    """

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Detail:
    """A full document. `id` is the id inside it (None if it has none), `raw` its JSON exactly as it came."""

    id: int | None
    raw: str


Query = tuple[tuple[str, str], ...]
"""Pairs of a query string in the order they are sent, e.g. (("status[]", "2"), ("status[]", "4"))."""


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

    async def first_page(self, collection: Collection, query: Query, lane: Lane) -> Page:
        """Page 1 alone (for estimates)."""
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
class Missing:
    """A live record that a whole pass did not list. `shares_idn`: another live row has the same idn."""

    id: int
    idn: int | str | None
    shares_idn: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A document whose detail is missing or older than its version."""

    collection: str
    id: int
    idn: int | str | None
    version: bytes


@dataclass(frozen=True, slots=True)
class Aside:
    """Something set aside: `stage` is "record" (a list row that cannot be read) or "detail"."""

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
        A finished pass of changes is closed here; a finished whole pass stays open until `close_pass`.
        """
        ...

    async def missing(self, walk: Pass) -> tuple[Sequence[Missing], int]:
        """Live, wanted records that the finished whole pass did not list and that have not changed since it
        started; and how many live, wanted records there are in all."""
        ...

    async def close_pass(self, walk: Pass, vanished: Sequence[int] = (), *, at: float) -> None:
        """Mark the ids vanished (with change rows), forget the pass and what it saw."""
        ...

    async def refilter(self, collection: str, fingerprint: str, keeps: Callable[[Record], bool]) -> None:
        """Set `wanted` of every stored record anew and store the filter's fingerprint; drop open passes."""
        ...

    async def due_details(self, collections: Sequence[str], *, before: float, limit: int) -> Sequence[Due]:
        """Newest first; without what is set aside until `before` or later."""
        ...

    async def count_due(self, collections: Sequence[str], *, before: float) -> Mapping[str, int]: ...

    async def save_detail(self, due: Due, detail: Detail, *, at: float) -> None:
        """Store the detail under the row it names (its own id, else `due.id`), and note that every live row with
        the same idn has been answered as of its present version if it was `due` too. Clears what was set aside."""
        ...

    async def set_aside(self, item: Aside) -> None:
        """Remember a failure; a repeat raises `attempts` and keeps `since`."""
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
