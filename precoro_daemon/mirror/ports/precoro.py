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
    raw     its JSON exactly as it came
    wanted  False if only the detail shows that the user's filter does not keep it
    """

    id: int | None
    raw: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which rows of a list are wanted.

    filter  what the user wants kept
    since   only what was created or changed at or after this time (Unix seconds); None for whatever its age. It is
            the one condition that a record cannot leave
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
        """Pages `start`, `start + 1`, ... in order, as batches of those that have arrived; ends after the last.

        Fetches ahead; on exit what is still in flight is cancelled. A page that fails is raised in its turn, after
        all pages before it were given out.
        """
        ...

    async def page(self, wanted: ListRequest, lane: Lane, number: int) -> Page:
        """One page alone."""
        ...

    async def probe(self, collection: collections.Collection, lane: Lane) -> None:
        """One small call, to see whether it is answered."""
        ...

    async def measure(self, wanted: ListRequest, lane: Lane) -> int:
        """Records of a list, by one small page or, where that does not tell, also the last; at least those on the
        first page where neither tells."""
        ...

    async def detail(self, collection: collections.Collection, key: int | str, lane: Lane) -> Detail: ...
