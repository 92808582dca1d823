"""custom fields on SQLite: what records refer to, what is due, options and what they were"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from precoro_daemon.adapters.state.sqlite import details
from precoro_daemon.adapters.state.sqlite.change_log import move_position
from precoro_daemon.adapters.state.sqlite.statements import SQL as STATE
from precoro_daemon.adapters.state.sqlite.statements import read_named
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.mirror.ports.custom_fields import DueField
from precoro_daemon.mirror.ports.mirror import Due, Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.mirror.rules.custom_fields import Definition, Option, read_definition, revise
from precoro_daemon.mirror.rules.field_references import FieldReadings, Reference

SQL = read_named("custom_fields.sql")


class SqlCustomFields:
    """ports.CustomFields, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def save_readings(self, readings: FieldReadings, move: Move) -> None:
        def work(connection: sqlite3.Connection) -> None:
            if not move_position(connection, move):
                return
            for read in readings.definitions:
                if read.at is None:
                    _list(connection, read.field, read.definition)
                else:
                    _adopt(connection, read.field, read.definition, read.at)
            connection.executemany(SQL["refer"], readings.references)

        await self._transactions.write(work)

    async def due(self, *, before: float, older_than: float) -> Sequence[DueField]:
        def work(connection: sqlite3.Connection) -> Sequence[DueField]:
            rows = connection.execute(SQL["due_fields"], {"before": before, "older_than": older_than})
            return [DueField(**row) for row in rows]

        return await self._transactions.read(work)

    async def save(self, due: DueField, detail: Detail, *, asked_at: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            answered = Due(due.collection, due.id, None, due.version or b"")
            details.save(connection, answered, detail, asked_at)
            _adopt(connection, (due.collection, due.id), read_definition(detail.raw), asked_at)
            connection.execute(SQL["clear_field"], {"collection": due.collection, "id": due.id})

        await self._transactions.write(work)

    async def quarantine(self, item: Quarantined) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["clear_other_stage"], asdict(item))
            connection.execute(STATE["set_aside"], asdict(item))

        await self._transactions.write(work)

    async def mark_stale(self, collection: str, since: Mapping[int, float]) -> None:
        rows = [{"collection": collection, "id": id_, "at": at} for id_, at in since.items()]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(SQL["mark_stale"], rows)
            connection.executemany(SQL["retry_field"], [(collection, id_) for id_ in since])

        await self._transactions.write(work)


def _list(connection: sqlite3.Connection, field: Reference, said: Definition) -> None:
    """What the list says of a field: its name, and that a refusal may no longer hold."""
    row = {"collection": field[0], "id": field[1], "name": said.name, "type": said.type}
    connection.execute(SQL["list_field"], row)
    connection.execute(SQL["retry_field"], field)


def _adopt(connection: sqlite3.Connection, field: Reference, said: Definition, at: float) -> None:
    """Make a definition the known one."""
    collection, id_ = field
    row = {"collection": collection, "id": id_, "name": said.name, "type": said.type, "at": at}
    connection.execute(SQL["save_field"], row)
    present = {row["id"]: _to_option(row) for row in connection.execute(SQL["present_options"], field)}
    change = revise(present, said.options)
    if not change.ended and not change.begun:
        return
    about = {"collection": collection, "field_id": id_, "at": at}
    connection.executemany(SQL["end_option"], [about | {"id": ended} for ended in change.ended])
    connection.executemany(SQL["supersede_option"], [about | {"id": option.id} for option in change.begun])
    connection.executemany(SQL["begin_option"], [about | asdict(option) for option in change.begun])
    connection.execute(SQL["find_sole"], field)


def _to_option(row: sqlite3.Row) -> Option:
    enabled = row["enabled"]
    return Option(**{**row, "enabled": None if enabled is None else bool(enabled)})
