"""the company's data at Precoro"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from precoro_daemon.mirror.rules import collections
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane


@dataclass(frozen=True, slots=True)
class Detail:
    """A full document.

    id      the id inside it, None if it has none
    raw     its JSON exactly as it was received
    wanted  False if only the detail shows that the user's filter excludes it
    """

    id: int | None
    raw: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which rows of a list are wanted.

    filter  what the user wants to keep
    since   only what was created or changed at or after this time (Unix seconds), None for any age; the one
    condition that
            a record cannot leave
    """

    collection: collections.Collection
    filter: Filter = field(default_factory=Filter)
    since: float | None = None


class Precoro(Protocol):
    """The company's data at Precoro. Every call is charged to the budget of its lane before it leaves.

    All methods raise TemporaryError (after their own retries), PermanentError, AuthenticationError, BudgetSpent.
    Reading is idempotent; cancellation leaves nothing behind but the charge of calls already sent.
    """

    def scan(
        self, wanted: ListRequest, lane: Lane, start: int
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Page]]]:
        """Yields pages `start`, `start + 1`, ... in order, in batches of those that have arrived; ends after the
        last.

        Fetches ahead; on exit, calls in flight are cancelled. A failure is raised in the failed page's place, after
        all pages before it.
        """
        ...

    async def page(self, wanted: ListRequest, lane: Lane, number: int) -> Page:
        """Returns a single page."""
        ...

    async def probe(self, collection: collections.Collection, lane: Lane) -> None:
        """Makes one small call, to see whether it is answered."""
        ...

    async def measure(self, wanted: ListRequest, lane: Lane) -> int:
        """Returns the number of records of a list, from one small page or, if that does not state it, the last; if
        neither does, at least those of the first page.
        """
        ...

    async def detail(self, collection: collections.Collection, key: int | str, lane: Lane) -> Detail: ...
