"""suppliers' items on SQLite: what the mirror has of them, and the plans"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from precoro_daemon.adapters.state.sqlite.catalogue_rows import to_plan, to_supplier, to_write, write_cells
from precoro_daemon.adapters.state.sqlite.statements import read_named
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.catalogue.ports.plans import Made, PlanState, Probed
from precoro_daemon.catalogue.rules.item_writes import State, Write
from precoro_daemon.catalogue.rules.items import CustomField, Item, Seen, read_item, supplier_of
from precoro_daemon.catalogue.rules.plan import Plan
from precoro_daemon.catalogue.rules.suppliers import Supplier
from precoro_daemon.errors import StaleWrite
from precoro_daemon.mirror.rules.custom_fields import Option

CATALOGUE = read_named("catalogue.sql")

_BATCH = 2_000
"""Items read at a time: some milliseconds of the store's thread."""


class SqlCatalogue:
    """ports.Catalogue, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def suppliers(self) -> Sequence[Supplier]:
        def work(connection: sqlite3.Connection) -> Sequence[Supplier]:
            return [to_supplier(row) for row in connection.execute(CATALOGUE["read_suppliers"])]

        return await self._transactions.read(work)

    async def fields(self) -> Sequence[CustomField]:
        return await self._transactions.read(_fields)

    async def seen(self) -> Seen:
        seen = await self._transactions.read(_known_elsewhere)
        after: int | None = 0
        while after is not None:
            after = await self._transactions.read(partial(_see_after, after=after, seen=seen))
        return seen

    async def items(self, supplier: int, fields: Mapping[int, CustomField]) -> AsyncIterator[Sequence[Item]]:
        after: int | None = 0
        while after is not None:
            work = partial(_items_after, after=after, supplier=supplier, fields=fields)
            after, items = await self._transactions.read(work)
            yield items

    async def versions(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        def work(connection: sqlite3.Connection) -> Mapping[int, bytes]:
            return dict(connection.execute(CATALOGUE["read_versions"], (json.dumps(ids),)).fetchall())

        return await self._transactions.read(work)

    async def changed_since(self, plan: int) -> Sequence[Item]:
        def work(connection: sqlite3.Connection) -> Sequence[Item]:
            rows = connection.execute(CATALOGUE["changed_since"], (plan,))
            return [item for row in rows if (item := read_item(row["data"], {}, row["version"])) is not None]

        return await self._transactions.read(work)

    async def raw(self, ident: int) -> tuple[str, bytes] | None:
        row = await self._first("read_item", (ident,))
        return None if row is None else (row["data"], row["version"])

    async def wanted_before(self, supplier: int) -> int:
        row = await self._first("wanted_before", (supplier,))
        return 0 if row is None else int(row["wanted"])

    async def doubted(self, supplier: int) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> Sequence[str]:
            return [row["key"] for row in connection.execute(CATALOGUE["doubted"], (supplier,))]

        return await self._transactions.read(work)

    async def save_plan(self, supplier: Supplier, made: Made, plan: Plan) -> PlanState:
        about = {"supplier": supplier.id, "name": supplier.name, "code": supplier.code}
        row = asdict(made) | about | {"external_id": supplier.external_id}
        return await self._transactions.write(partial(_save_plan, row=row, plan=plan))

    async def plan(self, supplier: int) -> PlanState | None:
        def work(connection: sqlite3.Connection) -> PlanState | None:
            row = connection.execute(CATALOGUE["read_plan"], (supplier,)).fetchone()
            return None if row is None else counted(connection, row)

        return await self._transactions.read(work)

    async def under_way(self) -> Sequence[PlanState]:
        return await self._transactions.read(plans_under_way)

    async def approve(self, plan: int, *, at: float) -> None:
        await self._transactions.execute(CATALOGUE["approve_plan"], {"plan": plan, "at": at})

    async def note(self, plan: int, *, checked_at: float | None = None, probed: Probed | None = None) -> None:
        row = {"plan": plan, "checked_at": checked_at, "probed": probed}
        await self._transactions.execute(CATALOGUE["note_plan"], row)

    async def end(self, plan: int, reason: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for name in ("end_plan", "drop_planned"):
                connection.execute(CATALOGUE[name], {"plan": plan, "reason": reason})

        await self._transactions.write(work)

    async def writes(self, plan: int, *states: State, limit: int = 500) -> Sequence[Write]:
        asked = {"plan": plan, "states": json.dumps(states), "limit": limit}

        def work(connection: sqlite3.Connection) -> Sequence[Write]:
            return [to_write(row) for row in connection.execute(CATALOGUE["read_writes"], asked)]

        return await self._transactions.read(work)

    async def planned_for(self, plan: int, items: Sequence[int], keys: Sequence[str]) -> Sequence[Write]:
        asked = {"plan": plan, "items": json.dumps(items), "keys": json.dumps(keys)}

        def work(connection: sqlite3.Connection) -> Sequence[Write]:
            return [to_write(row) for row in connection.execute(CATALOGUE["planned_for"], asked)]

        return await self._transactions.read(work)

    async def begin(self, write: Write, before: str, *, at: float) -> Write:
        await self._move(write, "begin_write", at=at, before=before)
        return replace(write, state=State.SENDING, sent_at=at, checks=0, check_at=None, before=before)

    async def move(
        self, write: Write, state: State, reason: str, *, item: int | None = None, check_at: float | None = None
    ) -> Write:
        given = {"state": str(state), "was": str(write.state), "reason": reason, "item": item, "look_at": check_at}
        await self._move(write, "move_write", **given)
        checks = write.checks + (state is State.DOUBT and write.state is State.DOUBT)
        return replace(write, state=state, reason=reason, checks=checks, check_at=check_at)

    async def _move(self, write: Write, statement: str, **given: Any) -> None:
        row = {"plan": write.plan, "number": write.number, **given}
        if not await self._transactions.write(
            lambda connection: connection.execute(CATALOGUE[statement], row).rowcount
        ):
            raise StaleWrite(f"{write.step.kind} of {write.step.key}: it is no longer {write.state}")

    async def _first(self, statement: str, values: tuple[object, ...]) -> sqlite3.Row | None:
        def work(connection: sqlite3.Connection) -> sqlite3.Row | None:
            row: sqlite3.Row | None = connection.execute(CATALOGUE[statement], values).fetchone()
            return row

        return await self._transactions.read(work)


def plans_under_way(connection: sqlite3.Connection) -> Sequence[PlanState]:
    return [counted(connection, row) for row in connection.execute(CATALOGUE["plans_under_way"]).fetchall()]


def counted(connection: sqlite3.Connection, row: sqlite3.Row) -> PlanState:
    counts = connection.execute(CATALOGUE["count_writes"], (row["number"],))
    return to_plan(row, {State(state): writes for state, writes in counts})


def _save_plan(connection: sqlite3.Connection, row: Mapping[str, Any], plan: Plan) -> PlanState:
    connection.execute(CATALOGUE["drop_earlier"], row)
    connection.execute(CATALOGUE["end_earlier"], row)
    [made] = connection.execute(CATALOGUE["create_plan"], row).fetchall()
    cells = (write_cells(step, made["number"], number, row["supplier"]) for number, step in enumerate(plan.steps))
    connection.executemany(CATALOGUE["create_write"], cells)
    return counted(connection, connection.execute(CATALOGUE["read_plan"], (row["supplier"],)).fetchone())


def _fields(connection: sqlite3.Connection) -> Sequence[CustomField]:
    options: dict[int, dict[str, Option]] = {}
    for row in connection.execute(CATALOGUE["read_options"]):
        cells = dict(row)
        field_id = cells.pop("field_id")
        enabled = None if cells["enabled"] is None else bool(cells["enabled"])
        options.setdefault(field_id, {})[row["id"]] = Option(**cells | {"enabled": enabled})
    rows = connection.execute(CATALOGUE["read_fields"])
    return [CustomField(row["id"], row["name"], row["type"], options.get(row["id"], {})) for row in rows]


def _known_elsewhere(connection: sqlite3.Connection) -> Seen:
    """What suppliers and the list of units say."""
    seen = Seen()
    for row in connection.execute(CATALOGUE["read_suppliers"]):
        said = json.loads(row["data"], parse_float=str)
        several = said.get("currencies")
        seen.currencies.update(filter(None, (said.get("currency"), *(several if isinstance(several, list) else ()))))
    for row in connection.execute(CATALOGUE["read_units"]):
        said = json.loads(row["data"], parse_float=str)
        seen.units.update(str(said[name]) for name in ("name", "code") if said.get(name))
    return seen


def _see_after(connection: sqlite3.Connection, after: int, seen: Seen) -> int | None:
    rows = connection.execute(CATALOGUE["read_items"], (after, _BATCH)).fetchall()
    for row in rows:
        seen.see(row["data"])
    return rows[-1]["id"] if len(rows) == _BATCH else None


def _items_after(
    connection: sqlite3.Connection, after: int, supplier: int, fields: Mapping[int, CustomField]
) -> tuple[int | None, Sequence[Item]]:
    """Where to go on (None: nowhere), and the supplier's items among the next ones."""
    rows = connection.execute(CATALOGUE["read_items"], (after, _BATCH)).fetchall()
    ours = (row for row in rows if supplier_of(row["data"]) == supplier)
    items = [item for row in ours if (item := read_item(row["data"], fields, row["version"])) is not None]
    return (rows[-1]["id"] if len(rows) == _BATCH else None), items
