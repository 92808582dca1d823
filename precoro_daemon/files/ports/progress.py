"""who shows how far the downloads are"""

from __future__ import annotations

from typing import Protocol

from precoro_daemon.files.ports.attachment_book import FileCounts


class FileProgress(Protocol):
    """Who shows how far the downloads are. Calls are cheap and never raise."""

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Files stored and failed in this lap, of those that were due at its start."""
        ...
