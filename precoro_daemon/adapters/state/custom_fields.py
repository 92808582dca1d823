"""custom fields in SQL: references, what is due, and options with their history"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from precoro_daemon.adapters.state import details
from precoro_daemon.adapters.state.change_log import move_position
from precoro_daemon.adapters.state.rows import cells, to_option
from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.mirror.ports.custom_fields import DueField
from precoro_daemon.mirror.ports.mirror import Due, Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.change_log import ChangeKind, Move
from precoro_daemon.mirror.rules.custom_fields import Definition, read_definition, revise
from precoro_daemon.mirror.rules.field_references import FieldReadings, Reference

_NO_VERSION = b""
"""For a field that is not a record of the mirror."""


class SqlCustomFields:
    """Implements mirror.ports.CustomFields, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def save_readings(self, readings: FieldReadings, move: Move) -> None:
        def work(session: Session) -> None:
            if not move_position(session, move):
                return
            for read in readings.definitions:
                if read.at is None:
                    _list(session, read.field, read.definition)
                else:
                    _adopt(session, read.field, read.definition, read.at)
            session.run_many("custom_fields.refer", readings.references)

        await self._transactions.write(work)

    async def due(self, *, before: float, older_than: float) -> Sequence[DueField]:
        rows = await self._transactions.rows("custom_fields.due_fields", {"before": before, "older_than": older_than})
        return [DueField(**row) for row in rows]

    async def save(self, due: DueField, detail: Detail, *, asked_at: float) -> None:
        def work(session: Session) -> None:
            answered = Due(due.collection, due.id, None, due.version or b"")
            details.save(session, answered, detail, asked_at)
            _adopt(session, (due.collection, due.id), read_definition(detail.raw), asked_at)
            session.run("custom_fields.release_field", {"collection": due.collection, "id": due.id})

        await self._transactions.write(work)

    async def quarantine(self, item: Quarantined) -> None:
        def work(session: Session) -> None:
            session.run("custom_fields.release_other_stage", cells(item))
            session.run("mirror.quarantine", cells(item))

        await self._transactions.write(work)

    async def mark_stale(self, collection: str, since: Mapping[int, float]) -> None:
        rows = [{"collection": collection, "id": id_, "at": at} for id_, at in since.items()]

        def work(session: Session) -> None:
            session.run_many("custom_fields.mark_stale", rows)
            session.run_many("custom_fields.retry_field", [(collection, id_) for id_ in since])

        await self._transactions.write(work)


def _list(session: Session, field: Reference, said: Definition) -> None:
    """Saves the field's name from the list, and clears a refusal, which may no longer hold."""
    row = {"collection": field[0], "id": field[1], "name": said.name, "type": said.type}
    _write_field(session, "custom_fields.list_field", field, row)
    session.run("custom_fields.retry_field", field)


def _write_field(session: Session, statement: str, field: Reference, row: Mapping[str, object]) -> None:
    """Writes a field. Its values are shown with its name and by its type."""
    before = [tuple(said) for said in session.rows("custom_fields.read_field", field)]
    session.run(statement, row)
    if before != [tuple(said) for said in session.rows("custom_fields.read_field", field)]:
        _log(session, field, "redefined", time.time())


def _log(session: Session, field: Reference, kind: ChangeKind, at: float) -> None:
    session.run("mirror.log_change", (*field, kind, _NO_VERSION, at))


def _adopt(session: Session, field: Reference, said: Definition, at: float) -> None:
    """Saves a definition as the present one."""
    collection, id_ = field
    row = {"collection": collection, "id": id_, "name": said.name, "type": said.type, "at": at}
    _write_field(session, "custom_fields.save_field", field, row)
    present = {row["id"]: to_option(row) for row in session.rows("custom_fields.present_options", field)}
    change = revise(present, said.options)
    if not change.ended and not change.begun:
        return
    about = {"collection": collection, "field_id": id_, "at": at}
    session.run_many("custom_fields.end_option", [about | {"id": ended} for ended in change.ended])
    session.run_many("custom_fields.supersede_option", [about | {"id": option.id} for option in change.begun])
    session.run_many("custom_fields.begin_option", [about | cells(option) for option in change.begun])
    session.run("custom_fields.find_sole", field)
    _log(session, field, "offered", at)
