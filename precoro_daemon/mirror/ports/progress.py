"""shows the progress of scans and details"""

from __future__ import annotations

from typing import Protocol

from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Scan


class MirrorProgress(Protocol):
    """Shows the progress of scans and details. Its methods are cheap and never raise."""

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None: ...

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None: ...
