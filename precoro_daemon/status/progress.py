"""what a person watching may see"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from precoro_daemon.files.ports.progress import FileProgress
from precoro_daemon.mirror.ports.progress import MirrorProgress
from precoro_daemon.payments.ports.progress import PaymentProgress, PaymentsAfterRun
from precoro_daemon.quota.ports import CallProgress

if TYPE_CHECKING:
    from precoro_daemon.files.ports.attachment_book import FileCounts
    from precoro_daemon.mirror.ports.mirror import Committed
    from precoro_daemon.mirror.rules.cursors import Scan
    from precoro_daemon.quota.limits import Lane


class Progress(CallProgress, MirrorProgress, FileProgress, PaymentProgress, Protocol):
    """Everything a person watching may see."""


class Silent:
    """Implements `Progress` for when nobody watches; the log says the same."""

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        """Nobody watches."""

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        """Nobody watches."""

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Nobody watches."""

    def payments_ended(self, found: PaymentsAfterRun) -> None:
        """Nobody watches."""

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """Nobody watches."""

    def outranked(self, lane: Lane) -> None:
        """Nobody watches."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """Nobody watches."""

    def answered(self, method: str, route: str, outcome: str) -> None:
        """Nobody watches."""
