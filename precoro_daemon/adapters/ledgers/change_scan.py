"""a list in order of change, page after page, without losing rows that move between pages meanwhile"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ChangeScan:
    """Decides what is asked next of a list that is sorted by the moment of the last change.

    A row that changes meanwhile moves to the end, and the others move up by one: the first row of the next page is
    then on none. So the next question is not for the next page but for the first one from the newest moment on, and
    only among rows of one moment for the next page.

    since  rows that changed at that moment or later are asked for
    page   which page of them, the first is 0
    safe   from where a reading may go on: before the newest moment, of which there may be more rows later
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
        """The page was full: there is another one."""
        if self.safe in self._asked:
            self.page += 1
        else:
            self._asked.add(self.safe)
            self.since, self.page = self.safe, 0
