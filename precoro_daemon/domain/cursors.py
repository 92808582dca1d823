"""when a pass is stable, when a cursor may move"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from precoro_daemon.domain.documents import Record, Rejected

Kind = Literal["changes", "whole"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list as Precoro gave it.

    total, total_pages, has_next are None where the answer does not carry them.
    server_time is the answer's own `Date` (Unix seconds), None if it had none.
    """

    number: int
    records: Sequence[Record]
    rejected: Sequence[Rejected] = ()
    total: int | None = None
    total_pages: int | None = None
    has_next: bool | None = None
    server_time: float | None = None

    @property
    def rows(self) -> int:
        return len(self.records) + len(self.rejected)

    @property
    def is_last(self) -> bool:
        """By what the answer says of itself, never by how many rows it holds."""
        if self.has_next is not None:
            return not self.has_next
        if self.total_pages is not None:
            return self.number >= self.total_pages
        return True


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk through all pages of a list, as far as it got. Kept in the store, so it resumes by page.

    kind        "changes": since the cursor; "whole": all that the user's filter admits (first pass and census)
    since       what `modifiedSince` is sent (Unix seconds), None for none
    filter      fingerprint of the user's filter that bounds a whole pass
    started_at  server's Date of page 1, None until it arrived
    next_page   the first page that is not yet committed
    total       rows the list has by page 1's own word, None if it did not say
    last_page   number of the last page once known
    rows        rows received; distinct: different ids among them
    drifted     the list was seen to change under the walk
    """

    collection: str
    kind: Kind
    since: float | None = None
    filter: str = ""
    started_at: float | None = None
    next_page: int = 1
    total: int | None = None
    last_page: int | None = None
    rows: int = 0
    distinct: int = 0
    drifted: bool = False

    @property
    def finished(self) -> bool:
        return self.last_page is not None and self.next_page > self.last_page

    @property
    def stable(self) -> bool:
        """Every row was seen once: no page disagreed on the total, and distinct ids equal rows and total.

        A row that is no record counts as seen once; it has no id to compare.
        """
        counted = self.total if self.total is not None else self.rows
        return self.finished and not self.drifted and self.rows == self.distinct == counted


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a collection stands.

    at          the next pass of changes starts here, less the overlap (server's clock); None: nothing listed yet
    whole_at    start of the last whole pass that proved complete
    pages       pages that whole pass had
    unproved    passes in a row that could not be proved complete; > 0 demands a census
    unproved_at when the last of them ended (server's clock)
    tries       unstable tries of the present pass of changes
    filter      fingerprint of the user's filter the mirror was filled under
    """

    collection: str
    at: float | None = None
    whole_at: float | None = None
    pages: int = 0
    unproved: int = 0
    unproved_at: float | None = None
    tries: int = 0
    filter: str = ""


def advance(walk: Pass, pages: Sequence[Page], distinct: int) -> Pass:
    """The pass after `pages` were committed; `distinct` ids have been seen in it so far."""
    for page in pages:
        walk = _after(walk, page)
    return replace(walk, distinct=distinct)


def _after(walk: Pass, page: Page) -> Pass:
    first = walk.next_page == 1
    return replace(
        walk,
        started_at=page.server_time if first else walk.started_at,
        total=page.total if first else walk.total,
        last_page=page.number if page.is_last else walk.last_page,
        next_page=page.number + 1,
        rows=walk.rows + page.rows,
        drifted=walk.drifted or (not first and page.total != walk.total),
    )


def settle(walk: Pass, cursor: Cursor, ended_at: float) -> Cursor:
    """Where the collection stands once the pass has ended."""
    raise RuntimeError("being written")
