"""a place for segments of tables; a file there is complete and durable, or absent"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from precoro_daemon.exports.ports.tables import Cells, Table


class SegmentStore(Protocol):
    """A place for files of tables. Writing an existing path replaces the file atomically.

    Raises FolderUnusable, BucketUnusable, DiskFull. A cancelled write leaves a complete file, or none.
    """

    async def names(self) -> Sequence[str]:
        """Returns the path of every file."""
        ...

    async def write_rows(self, path: str, table: Table, rows: AsyncIterator[Sequence[Cells]]) -> Mapping[str, object]:
        """Writes the rows, which arrive in batches, into a file and returns its manifest entry: path, rows, bytes,
        sha256.
        """
        ...

    async def write_text(self, path: str, text: str) -> None: ...


OpenSegments = AbstractAsyncContextManager[SegmentStore]
"""Opens the place for the duration of the context."""
