"""the durable account of API calls, the planner's memory, and the counter of calls"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.watched_hours import WatchedHour


class BudgetBook(Protocol):
    """What the budget must not forget: calls made, closed windows, refusals of the key.

    Every writing method is durable on return; cancellation leaves it done or not begun. Times are Unix seconds.
    Raises StoreUnusable if the disk is full or read-only, or the file is damaged.
    """

    async def now(self) -> float:
        """Returns the time shared by all writers of this book, on whatever machine they are."""
        ...

    async def load(self, since: float) -> Sequence[tuple[float, bytes]]:
        """Returns the calls charged at or after `since`, oldest first, each with the 8-byte hash of its GET (b"" for
        none).
        """
        ...

    async def load_lanes(self, since: float) -> Sequence[tuple[float, Lane]]:
        """Returns the same calls with their lanes, without those whose lane was not recorded."""
        ...

    async def charge(
        self, at: float, key: bytes, lane: Lane | None = None, lessons: Mapping[str, float] | None = None
    ) -> None:
        """Records one call, and the lessons so far; None if there is nothing new."""
        ...

    async def move(self, at: float, key: bytes, to: float) -> None:
        """Changes the time of a call that was recorded with exactly these values. Does nothing if there is none."""
        ...

    async def prune(self, before: float) -> None:
        """Forgets the calls before that time, and the windows that opened before it."""
        ...

    async def refund(self, at: float, key: bytes) -> None:
        """Forgets a call that was recorded with exactly these values: its request was never written. Does nothing if
        there is none.
        """
        ...

    async def load_closed(self) -> Mapping[str, float]:
        """Returns until when each window is closed; a window that was never closed is absent."""
        ...

    async def close(self, window: str, until: float, lessons: Mapping[str, float] | None = None) -> None:
        """Keeps a window closed until then, whatever was recorded before, and records the lessons so far."""
        ...

    async def load_lessons(self) -> Mapping[str, float]:
        """Returns the lessons recorded last; empty if there are none, or they are unreadable."""
        ...

    async def load_refusal(self, fingerprint: str) -> tuple[int, float] | None:
        """Returns how often in a row this key was refused, and when last; None if it was not."""
        ...

    async def save_refusal(self, fingerprint: str, count: int, at: float) -> None: ...

    async def clear_refusal(self) -> None:
        """Forgets the refusals of every key."""
        ...


class FreshnessBook(Protocol):
    """When collections change, as observed by scans, hour by hour.

    Every writing method is durable on return; cancellation leaves it done or not begun. Raises StoreUnusable.
    """

    async def load(self, since: float) -> Sequence[WatchedHour]:
        """Returns the hours that began at or after `since` (Unix seconds), in the order of time."""
        ...

    async def add(self, hours: Sequence[WatchedHour], *, forget_before: float) -> None:
        """Adds them to what is known about the same hours, and forgets what is older than `forget_before`."""
        ...


class CallProgress(Protocol):
    """Counts calls. Its methods are cheap and never raise."""

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """The next call of the lane waits for that window until then (Unix seconds by the Clock)."""
        ...

    def outranked(self, lane: Lane) -> None:
        """The next call of the lane lets more urgent ones go first, and they leave."""
        ...

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """A call left. `left`: calls left by window name."""
        ...

    def answered(self, method: str, route: str, outcome: str) -> None:
        """A call ended. `route`: its path without ids; `outcome`: one word. Both have few values."""
        ...
