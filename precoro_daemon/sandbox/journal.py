"""the journal of every request, for tests and for the page for people"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 200_000


@dataclass(slots=True)
class Entry:
    """One request.

    arrived  simulated time since the epoch
    real     a reading of `time.monotonic`
    """

    number: int
    arrived: float
    real: float
    method: str
    path_qs: str
    who: str
    status: int = 0
    """0 while unanswered, or if the connection was cut before a status was sent."""
    taken: float = 0.0
    """Real seconds until the answer was ready."""
    refused: str | None = None
    fault: str | None = None


class Journal:
    """The last requests in order of arrival. `total` counts all of them."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self.total = 0
        self.statuses: Counter[int] = Counter()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def open(self, entry: Entry) -> None:
        self.total += 1
        self._entries.append(entry)

    def close(self, entry: Entry, status: int, taken: float) -> None:
        entry.status, entry.taken = status, taken
        self.statuses[status] += 1

    def last(self, count: int) -> list[dict[str, Any]]:
        """Returns the newest entries first, as JSON objects."""
        entries = list(self._entries)[-count:] if count > 0 else []
        return [asdict(entry) for entry in reversed(entries)]

    def clear(self) -> None:
        self._entries.clear()
        self.statuses.clear()
        self.total = 0
