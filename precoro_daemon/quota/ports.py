"""what the account of API calls and the planner must not forget, and who counts calls"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.watched_hours import WatchedHour


class BudgetBook(Protocol):
    """What the budget must not forget: calls made, windows kept closed, refusals of the key.

    Every method that writes is durable when it returns; cancellation leaves it done or not begun.
    Times are Unix seconds. Raises StoreUnusable when the disk is full, read-only or the file damaged.
    """

    async def now(self) -> float:
        """What time it is for all who write into this book, on whatever machine they are."""
        ...

    async def load(self, since: float) -> Sequence[tuple[float, bytes]]:
        """Calls charged at `since` or later, oldest first, each with the 8-byte hash of its GET (b"" for none)."""
        ...

    async def load_lanes(self, since: float) -> Sequence[tuple[float, Lane]]:
        """The same calls with the lane that made them; without those whose lane was not noted."""
        ...

    async def charge(
        self, at: float, key: bytes, lane: Lane | None = None, lessons: Mapping[str, float] | None = None
    ) -> None:
        """Note one call and, with it, what was learned so far; None: nothing is news."""
        ...

    async def move(self, at: float, key: bytes, to: float) -> None:
        """One call noted with exactly these was made at another time. None such: nothing happens."""
        ...

    async def prune(self, before: float) -> None:
        """Forget the calls before that time, and the windows that opened before it."""
        ...

    async def refund(self, at: float, key: bytes) -> None:
        """Forget one call noted with exactly these: its request was never written. None such: nothing happens."""
        ...

    async def load_closed(self) -> Mapping[str, float]:
        """Until when each window is kept closed; a window that was never closed is absent."""
        ...

    async def close(self, window: str, until: float, lessons: Mapping[str, float] | None = None) -> None:
        """Keep a window closed until then, whatever was noted for it before; and what was learned so far."""
        ...

    async def load_lessons(self) -> Mapping[str, float]:
        """What was learned, as it was last noted; empty if it never was, or cannot be read."""
        ...

    async def load_refusal(self, fingerprint: str) -> tuple[int, float] | None:
        """How often in a row this key was refused, and when last; None if it was not."""
        ...

    async def save_refusal(self, fingerprint: str, count: int, at: float) -> None: ...

    async def clear_refusal(self) -> None:
        """Forget the refusals of every key."""
        ...


class FreshnessBook(Protocol):
    """What scans saw of when collections change, hour by hour.

    Every method that writes is durable when it returns; cancellation leaves it done or not begun. Raises
    StoreUnusable.
    """

    async def load(self, since: float) -> Sequence[WatchedHour]:
        """The hours that began then (Unix seconds) or later, in the order of time."""
        ...

    async def add(self, hours: Sequence[WatchedHour], *, forget_before: float) -> None:
        """Add them to what is known of the same hours, and forget what lies before that time."""
        ...


class CallProgress(Protocol):
    """Who counts calls. Calls are cheap and never raise."""

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """The next call of the lane waits for that window until then (Unix seconds by the Clock)."""
        ...

    def outranked(self, lane: Lane) -> None:
        """The next call of the lane lets more urgent ones go first, and they go."""
        ...

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """A call left; calls left per window by name."""
        ...

    def answered(self, method: str, route: str, outcome: str) -> None:
        """A call ended: its path without ids, and what came of it in a word. Both are of a few kinds only."""
        ...
