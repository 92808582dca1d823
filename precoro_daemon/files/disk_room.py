"""the space left for files, without asking the disk for every file"""

from __future__ import annotations

from dataclasses import dataclass

from precoro_daemon.errors import DiskFault, DiskFull
from precoro_daemon.files.ports.object_store import ObjectStore

_CHECK_BYTES = 64 * 2**20
"""Bytes of files between two checks of the free space."""


@dataclass(slots=True)
class DiskRoom:
    """Checks the free space now and then, and counts in between, because files are small compared with the
    reserve.
    """

    store: ObjectStore
    left: int = 0

    async def take(self, size: int) -> None:
        """Counts a file of that size. Raises DiskFault if only smaller ones fit, DiskFull if none does."""
        self.left -= size
        if self.left <= _CHECK_BYTES:
            self.left = await self.store.room() - size
        if self.left <= 0 < self.left + size:
            self.left += size
            raise DiskFault(f"its {size:,} bytes are more than the disk has room for; smaller ones go on")
        if self.left <= 0:
            raise DiskFull("the disk has no more room than it must keep")
        self.left = min(self.left, 2 * _CHECK_BYTES)

    def correct(self, size: int, length: int) -> None:
        """Corrects the counted size of a file to its real length."""
        self.left -= max(length - size, 0)
