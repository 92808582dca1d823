"""exports into files: a snapshot, then a segment for each range of changes, each listed in a manifest"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b

from precoro_daemon.exports.ports.feed import ExportFeed, RecordKey, Touched
from precoro_daemon.exports.ports.segments import OpenSegments, SegmentStore
from precoro_daemon.exports.ports.tables import Cells, Table, TableColumn
from precoro_daemon.exports.rules.series import (
    Range,
    Series,
    begin,
    go_on,
    goes_on,
    manifest_path,
    read_range,
    read_series,
    segment_path,
)
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_CHANGES_A_SEGMENT = 50_000
"""The most changes in one segment, so that a range interrupted by a crash is written again within seconds."""

_ROWS_A_READ = 500

_OWN_COLUMNS = (
    TableColumn("change_kind", "text", "`changed`, or `deleted`: Precoro no longer has it, or a filter keeps it out"),
    TableColumn("change_seq", "integer", "the change after which the row was read; of a record those with the "
                "highest count"),
)  # fmt: skip


@dataclass(slots=True)
class WriteSegments:
    """Writes one series of segments to the end of the change log.

    A segment is made durable, then listed, and only then the position moves. After a kill in between, the same
    range is
    written again under the same names: nothing is missing, and nothing is there twice.

    snapshot_every  seconds after which a new series begins
    """

    name: str
    feed: ExportFeed
    tables: Sequence[Table]
    stores: Callable[[], OpenSegments]
    clock: Clock
    snapshot_every: float
    _listed: Sequence[Range] | None = field(default=None, init=False)

    async def behind(self) -> bool:
        """Returns whether there is anything to write."""
        series = read_series(await self.feed.note(self.name))
        return series is None or not series.done or await self.feed.position(self.name) < await self.feed.newest()

    async def follow(self) -> int:
        """Writes all pending ranges and returns the number of rows."""
        written = 0
        async with self.stores() as store:
            while (series := await self._next(store)) is not None:
                await self.feed.save_note(self.name, series.text)
                written += await self._write(store, series)
        return written

    async def _next(self, store: SegmentStore) -> Series | None:
        """Returns the series with the range to write next, None at the end of the change log."""
        if self._listed is None:
            self._listed = [one for name in await store.names() if (one := read_range(name))]
        series, now = read_series(await self.feed.note(self.name)), self.clock.now()
        if series is None or not goes_on(series, self._listed, self._schema, now - self.snapshot_every):
            fresh = begin(series, self._listed, self._schema, await self.feed.newest(), now)
            _log.info("series_started", export=self.name, epoch=fresh.written.epoch)
            return fresh
        if not series.done:
            return series
        end = await self.feed.end(series.written.upto, _CHANGES_A_SEGMENT)
        return go_on(series, end) if end > series.written.upto else None

    @property
    def _schema(self) -> str:
        said = [(table.name, [(one.name, one.kind) for one in table.columns]) for table in self.tables]
        return blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()

    async def _write(self, store: SegmentStore, series: Series) -> int:
        one, position = series.written, await self.feed.position(self.name)
        touched = [] if one.is_whole else await self.feed.touched(self.tables, one.after, one.upto)
        files: list[Mapping[str, object]] = []
        for table in self.tables:
            due = [each for each in touched if each.table == table.name]
            if one.is_whole or due:
                rows = self._everything(table, one) if one.is_whole else self._changed(table, due)
                full = replace(table, columns=(*_OWN_COLUMNS, *table.columns))
                files.append(await store.write_rows(segment_path(table.name, one), full, rows))
        await store.write_text(manifest_path(one), self._manifest(one, files))
        await self.feed.move(Move(self.name, position, one.upto), replace(series, done=True).text)
        rows_written = sum(int(str(each["rows"])) for each in files)
        _log.info("segment_saved", export=self.name, after=one.after, upto=one.upto, rows=rows_written)
        return rows_written

    def _manifest(self, one: Range, files: Sequence[Mapping[str, object]]) -> str:
        said = {
            "epoch": one.epoch,
            "after": one.after,
            "upto": one.upto,
            "snapshot": one.is_whole,
            "written_at": datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "files": files,
        }
        return json.dumps(said, indent=1)

    async def _everything(self, table: Table, one: Range) -> AsyncIterator[Sequence[Cells]]:
        after = None
        while some := await self.feed.some_rows(table, after, _ROWS_A_READ):
            after = some[-1][0]
            yield [_row(table, cells, one.upto) for _, shown in some for cells in shown]

    async def _changed(self, table: Table, due: Sequence[Touched]) -> AsyncIterator[Sequence[Cells]]:
        for start in range(0, len(due), _ROWS_A_READ):
            some = due[start : start + _ROWS_A_READ]
            found = await self.feed.rows(table, [each.record for each in some])
            yield list(_rows(table, some, found))


def _rows(table: Table, some: Sequence[Touched], found: Mapping[RecordKey, Sequence[Cells]]) -> Iterator[Cells]:
    for each in some:
        shown = found.get(each.record)
        yield from [_gone(table, each)] if shown is None else (_row(table, cells, each.seq) for cells in shown)


def _row(table: Table, cells: Cells, seq: int) -> Cells:
    vanished = cells[table.at("vanished_at")] is not None
    return ["deleted" if vanished else "changed", seq, *cells]


def _gone(table: Table, touched: Touched) -> Cells:
    """Returns the row for a record that the table no longer shows: its key, and nothing else."""
    known = dict(zip(("collection", table.key), touched.record, strict=True))
    return ["deleted", touched.seq, *(known.get(column.name) for column in table.columns)]
