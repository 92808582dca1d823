"""what a person watching may see"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from precoro_daemon.domain.budget import Lane
from precoro_daemon.domain.cursors import Pass
from precoro_daemon.ports.attachments import FileCounts
from precoro_daemon.ports.mirror import Committed


class Progress(Protocol):
    """What a person watching may see. Calls are cheap and never raise."""

    def pass_advanced(self, collection: str, walk: Pass, committed: Committed) -> None: ...

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None: ...

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Files stored and failed in this lap, of those that were due at its start."""
        ...

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """The next call of the lane waits for that window until then (Unix seconds by the Clock)."""
        ...

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """A call left; calls left per window by name."""
        ...

    def answered(self, method: str, route: str, outcome: str) -> None:
        """A call ended: its path without ids, and what came of it in a word. Both are of a few kinds only."""
        ...


class Silent:
    """Implements `Progress` for when nobody watches; the log tells the same."""

    def pass_advanced(self, collection: str, walk: Pass, committed: Committed) -> None:
        """Nobody looks."""

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        """Nobody looks."""

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Nobody looks."""

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """Nobody looks."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """Nobody looks."""

    def answered(self, method: str, route: str, outcome: str) -> None:
        """Nobody looks."""
