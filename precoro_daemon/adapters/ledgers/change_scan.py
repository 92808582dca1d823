"""scan of a list in order of change, page by page, that loses no row when rows move between pages"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ChangeScan:
    """Decides which page to request next from a list that is sorted by the time of the last change.

    A row that changes during the scan moves to the end, and all rows after its old place move up by one. The first
    row of the next page then moves to a page that was already read. So the scan does not request the next page. It
    requests the first page of the rows from `safe` on. It requests the next page only if it has already requested
    the rows from `safe` on, that is, while all new rows have one time.

    since  the request selects rows that changed at this time or later
    page   the page of these rows; the first one is 0
    safe   the time to resume from: the one before the newest, because more rows of the newest may follow
    """

    since: datetime
    page: int = 0
    safe: datetime = field(init=False)
    _newest: datetime = field(init=False)
    _asked: set[datetime] = field(init=False)

    def __post_init__(self) -> None:
        self.safe = self._newest = self.since
        self._asked = {self.since}

    def follow(self, moments: Sequence[datetime]) -> None:
        for moment in moments:
            if moment > self._newest:
                self.safe, self._newest = self._newest, moment

    def turn(self) -> None:
        """Selects the next request after a full page, which means that there are more rows."""
        if self.safe in self._asked:
            self.page += 1
        else:
            self._asked.add(self.safe)
            self.since, self.page = self.safe, 0
