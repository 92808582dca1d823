"""when each job last had its turn, across restarts"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LapTimes:
    """Unix seconds by the Clock. `good_at`: when a lap last ended without failures, None if none did."""

    started_at: float
    ended_at: float
    good_at: float | None = None


class LapBook(Protocol):
    """The last lap of each job. Durable when `save` returns. Raises StoreUnusable."""

    async def load(self) -> Mapping[str, LapTimes]: ...

    async def save(self, job: str, times: LapTimes) -> None:
        """Where `good_at` is None, the earlier one stays."""
        ...
