"""the progress that can be shown to people"""

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
    """Everything that can be shown to people."""


class Silent:
    """Implements `Progress` and shows nothing; the log says the same."""

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        """Does nothing."""

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        """Does nothing."""

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Does nothing."""

    def payments_ended(self, found: PaymentsAfterRun) -> None:
        """Does nothing."""

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        """Does nothing."""

    def outranked(self, lane: Lane) -> None:
        """Does nothing."""

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        """Does nothing."""

    def answered(self, method: str, route: str, outcome: str) -> None:
        """Does nothing."""
