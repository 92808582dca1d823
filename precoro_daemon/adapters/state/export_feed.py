"""the feed of exports in SQL: changes, current rows, and each export's note"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from precoro_daemon.adapters.state.change_log import move_position, read_position
from precoro_daemon.adapters.state.custom_field_views import VALUE_VIEWS
from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.adapters.state.view_rows import followed_rows, reader_of, statement_for
from precoro_daemon.exports.ports.feed import RecordKey, Touched
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.mirror.rules.change_log import Move

_FILES = "attachments"


class SqlExportFeed:
    """Implements exports.ports.ExportFeed, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def position(self, export: str) -> int:
        return await self._transactions.read(lambda session: read_position(session, _name(export)))

    async def end(self, after: int, limit: int) -> int:
        return int(await self._transactions.value("change_log.end_of_range", {"after": after, "limit": limit}))

    async def newest(self) -> int:
        return int(await self._transactions.value("change_log.last_change"))

    async def touched(self, tables: Sequence[Table], after: int, upto: int) -> Sequence[Touched]:
        return await self._transactions.read(lambda session: _touched(session, tables, after, upto))

    async def rows(self, table: Table, records: Sequence[RecordKey]) -> Mapping[RecordKey, Sequence[Cells]]:
        return await self._transactions.read(lambda session: _read(session, table, records))

    async def some_rows(
        self, table: Table, after: RecordKey | None, limit: int
    ) -> Sequence[tuple[RecordKey, Sequence[Cells]]]:
        def work(session: Session) -> Sequence[tuple[RecordKey, Sequence[Cells]]]:
            records = _next_records(session, table, after, limit)
            found = _read(session, table, records)
            return [(record, found.get(record, ())) for record in records]

        return await self._transactions.read(work)

    async def note(self, export: str) -> str | None:
        row = await self._transactions.row("positions.read", (_name(export),))
        return None if row is None else str(row["value"])

    async def save_note(self, export: str, note: str) -> None:
        await self._transactions.run("positions.save", (_name(export), note))

    async def move(self, move: Move, note: str) -> bool:
        def work(session: Session) -> bool:
            named = Move(_name(move.follower), move.after, move.upto)
            if not move_position(session, named):
                return False
            session.run("positions.save", (named.follower, note))
            return True

        return await self._transactions.write(work)


def _name(export: str) -> str:
    """Returns the unique name of the export's position and note."""
    return f"export.{export}"


def _touched(session: Session, tables: Sequence[Table], after: int, upto: int) -> Sequence[Touched]:
    asked = {"after": after, "upto": upto}
    changed = _records(session, "change_log.read_touched", asked)
    found: list[Touched] = []
    for table in tables:
        records = changed
        if table.name == _FILES:
            records = _records(session, "change_log.read_touched_files", asked)
        elif table.name in VALUE_VIEWS:
            records = {**changed, **dict.fromkeys(_revalued(session, table.name, asked), upto)}
        found += [Touched(seq, table.name, one) for one, seq in records.items() if one[0] in table.collections]
    return sorted(found, key=lambda one: one.seq)


def _records(session: Session, statement: str, asked: Mapping[str, int]) -> Mapping[RecordKey, int]:
    return {(collection, id_): seq for seq, collection, id_ in session.rows(statement, asked)}


def _revalued(session: Session, view: str, asked: Mapping[str, int]) -> Iterator[RecordKey]:
    """Yields records with a value whose field or option was changed. A record that changed itself is among the
    changed ones
    anyway.
    """
    definitions = VALUE_VIEWS[view].definitions
    fields = [row for row in session.rows("change_log.read_fields", asked) if row["collection"] == definitions]
    offering = [row for row in fields if row["kind"] == "offered"]
    options = {
        text
        for collection, id_, _, since in offering
        for option in session.rows("held_rows.offered", {"collection": collection, "id": id_, "since": since})
        for text in option
    }
    if fields:
        lists = {
            "redefined": [row["id"] for row in fields if row["kind"] == "redefined"],
            "offering": [row["id"] for row in offering],
            "options": sorted(options),
        }
        given = {name: json.dumps(values) for name, values in lists.items()}
        yield from ((collection, id_) for collection, id_ in session.rows(f"held_rows.revalued[{view}]", given))


def _next_records(session: Session, table: Table, after: RecordKey | None, limit: int) -> Sequence[RecordKey]:
    statement = "held_rows.next_with_files" if table.name == _FILES else "record_rows.next_ids"
    first = table.collections.index(after[0]) if after else 0
    found: list[RecordKey] = []
    for collection in table.collections[first:]:
        low = after[1] if after and after[0] == collection else 0
        asked = {"collection": collection, "after": low, "limit": limit - len(found)}
        found += [(collection, int(row["id"])) for row in session.rows(statement, asked)]
        if len(found) >= limit:
            break
    return found


def _read(session: Session, table: Table, records: Sequence[RecordKey]) -> Mapping[RecordKey, Sequence[Cells]]:
    found: dict[RecordKey, list[Cells]] = {}
    key = table.at(table.key)
    for collection, some in groupby(sorted(records), key=lambda record: record[0]):
        asked = {"collection": collection, "ids": json.dumps([id_ for _, id_ in some])}
        for cells in _rows(session, table.name, asked):
            found.setdefault((collection, int(cells[key])), []).append(cells)
    return found


def _rows(session: Session, view: str, asked: Mapping[str, str]) -> Iterator[Cells]:
    if view == _FILES or view in VALUE_VIEWS:
        return followed_rows(view, session.rows(f"held_rows.{view}", asked))
    rows = session.rows(statement_for(asked["collection"], some=True), asked)
    return zip(*reader_of(view)(rows), strict=True)
