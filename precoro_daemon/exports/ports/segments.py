"""where segments of tables are kept: whole and durable under their names, or not there"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from precoro_daemon.exports.ports.tables import Cells, Table


class SegmentStore(Protocol):
    """A place for files of tables. A file that is there already is replaced, all at once.

    Raises FolderUnusable, BucketUnusable, DiskFull. Cancellation leaves a whole file there, or none.
    """

    async def names(self) -> Sequence[str]:
        """Every file that is there."""
        ...

    async def write_rows(self, path: str, table: Table, rows: AsyncIterator[Sequence[Cells]]) -> Mapping[str, object]:
        """A file of these rows, which come some at a time; what a manifest says of it: path, rows, bytes, sha256."""
        ...

    async def write_text(self, path: str, text: str) -> None: ...


OpenSegments = AbstractAsyncContextManager[SegmentStore]
"""The place, held until the context ends."""
