"""shows the progress of downloads"""

from __future__ import annotations

from typing import Protocol

from precoro_daemon.files.ports.attachment_book import FileCounts


class FileProgress(Protocol):
    """Shows the progress of downloads. Its methods are cheap and never raise."""

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        """Reports files stored and failed in this lap, of those due at its start."""
        ...
