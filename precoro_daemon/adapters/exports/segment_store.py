"""segments of tables as Parquet files, in a directory or a bucket"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio.to_thread

from precoro_daemon.adapters.exports.parquet import ParquetWriter, demand_arrow
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.files.ports.object_store import ObjectStore


class ParquetSegments:
    """Implements `exports.ports.SegmentStore` on a store of files."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def names(self) -> Sequence[str]:
        return [path async for some in self._store.paths() for path in some]

    async def write_rows(self, path: str, table: Table, rows: AsyncIterator[Sequence[Cells]]) -> Mapping[str, object]:
        sink = _Sink()
        writer = await anyio.to_thread.run_sync(lambda: ParquetWriter(sink, table))
        async with self._store.partial_file(path, replaces=True) as file:
            async for some in rows:
                await anyio.to_thread.run_sync(writer.add, list(zip(*some, strict=True)))
                await file.write(sink.taken())
            count = await anyio.to_thread.run_sync(writer.close)
            await file.write(sink.taken())
            kept = await file.keep()
        return {"table": table.name, "path": path, "rows": count, "bytes": kept.length, "sha256": kept.sha256.hex()}

    async def write_text(self, path: str, text: str) -> None:
        async with self._store.partial_file(path, replaces=True) as file:
            await file.write(text.encode())
            await file.keep()


@asynccontextmanager
async def open_segments(files: AbstractAsyncContextManager[ObjectStore]) -> AsyncIterator[ParquetSegments]:
    """Opens the store. Raises ConfigurationError if pyarrow is missing, and whatever the file store raises."""
    await anyio.to_thread.run_sync(demand_arrow)
    async with files as store:
        yield ParquetSegments(store)


class _Sink(io.RawIOBase):
    """A file object that keeps what is written to it until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, block: object, /) -> int:
        piece = bytes(memoryview(block))  # type: ignore[arg-type]
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
