"""suppliers' items in SQL: the mirror's items, and the plans for them"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from precoro_daemon.adapters.state.catalogue_rows import to_plan, to_supplier, to_write, write_cells
from precoro_daemon.adapters.state.rows import cells, to_option
from precoro_daemon.adapters.state.session import Row, Session, Transactions
from precoro_daemon.catalogue.ports.plans import Made, PlanState, Probed
from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.catalogue.rules.items import CustomField, Item, Seen, read_item, supplier_of
from precoro_daemon.catalogue.rules.plan import Plan
from precoro_daemon.catalogue.rules.suppliers import Supplier
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import StaleWrite
from precoro_daemon.mirror.rules.custom_fields import Option

_ITEMS_A_READ = 2_000
"""Items read in one step: some milliseconds of the store's thread."""


class SqlCatalogue:
    """Implements catalogue.ports.Catalogue, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def suppliers(self) -> Sequence[Supplier]:
        def work(session: Session) -> Sequence[Supplier]:
            return [to_supplier(row) for row in session.rows("catalogue.read_suppliers")]

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
        rows = await self._transactions.rows("catalogue.read_versions", (json.dumps(ids),))
        return {row["id"]: row["version"] for row in rows}

    async def changed_since(self, plan: int) -> Sequence[Item]:
        def work(session: Session) -> Sequence[Item]:
            rows = session.rows("catalogue.changed_since", (plan,))
            return [item for row in rows if (item := read_item(row["data"], {}, row["version"])) is not None]

        return await self._transactions.read(work)

    async def raw(self, ident: int) -> tuple[str, bytes] | None:
        row = await self._transactions.row("catalogue.read_item", (ident,))
        return None if row is None else (row["data"], row["version"])

    async def wanted_before(self, supplier: int) -> int:
        row = await self._transactions.row("catalogue.wanted_before", (supplier,))
        return 0 if row is None else int(row["wanted"])

    async def doubted(self, supplier: int) -> Sequence[str]:
        return [row["key"] for row in await self._transactions.rows("catalogue.doubted", (supplier,))]

    async def save_plan(self, supplier: Supplier, made: Made, plan: Plan) -> PlanState:
        about = {"supplier": supplier.id, "name": supplier.name, "code": supplier.code}
        row = cells(made) | about | {"external_id": supplier.external_id}
        return await self._transactions.write(partial(_save_plan, row=row, plan=plan))

    async def plan(self, supplier: int) -> PlanState | None:
        def work(session: Session) -> PlanState | None:
            row = session.row("catalogue.read_plan", {"supplier": supplier})
            return None if row is None else counted(session, row)

        return await self._transactions.read(work)

    async def under_way(self) -> Sequence[PlanState]:
        return await self._transactions.read(plans_under_way)

    async def approve(self, plan: int, *, at: float) -> None:
        await self._transactions.run("catalogue.approve_plan", {"plan": plan, "at": at})

    async def note(self, plan: int, *, checked_at: float | None = None, probed: Probed | None = None) -> None:
        row = {"plan": plan, "checked_at": checked_at, "probed": probed}
        await self._transactions.run("catalogue.note_plan", row)

    async def end(self, plan: int, reason: str) -> None:
        def work(session: Session) -> None:
            session.run("catalogue.end_plan", {"plan": plan, "reason": reason})
            session.run("catalogue.drop_planned", {"plan": plan, "reason": reason})

        await self._transactions.write(work)

    async def writes(self, plan: int, *states: State, limit: int = 500) -> Sequence[Write]:
        asked = {"plan": plan, "states": json.dumps(states), "limit": limit}

        def work(session: Session) -> Sequence[Write]:
            return [to_write(row) for row in session.rows("catalogue.read_writes", asked)]

        return await self._transactions.read(work)

    async def planned_for(self, plan: int, items: Sequence[int], keys: Sequence[str]) -> Sequence[Write]:
        asked = {"plan": plan, "items": json.dumps(items), "keys": json.dumps(keys)}

        def work(session: Session) -> Sequence[Write]:
            return [to_write(row) for row in session.rows("catalogue.planned_for", asked)]

        return await self._transactions.read(work)

    async def begin(self, write: Write, before: str, *, at: float) -> Write:
        row = {"plan": write.plan, "number": write.number, "at": at, "before": before}
        # Something is sent by leave of it.
        if not await self._transactions.write(
            lambda session: session.run("catalogue.begin_write", row), then=lambda _: None
        ):
            raise _stale(write)
        return replace(write, state=State.SENDING, sent_at=at, checks=0, check_at=None, before=before)

    async def move(
        self, write: Write, state: State, reason: str, *, item: int | None = None, check_at: float | None = None
    ) -> Write:
        given = {"state": str(state), "was": str(write.state), "reason": reason, "item": item, "look_at": check_at}
        row = {"plan": write.plan, "number": write.number, **given}
        if not await self._transactions.run("catalogue.move_write", row):
            raise _stale(write)
        checks = write.checks + (state is State.DOUBT and write.state is State.DOUBT)
        return replace(write, state=state, reason=reason, checks=checks, check_at=check_at)


def _stale(write: Write) -> StaleWrite:
    return StaleWrite(f"{write.step.kind} of {write.step.key}: it is no longer {write.state}")


def plans_under_way(session: Session) -> Sequence[PlanState]:
    return [counted(session, row) for row in session.rows("catalogue.plans_under_way")]


def counted(session: Session, row: Row) -> PlanState:
    counts = session.rows("catalogue.count_writes", (row["number"],))
    return to_plan(row, {State(state): writes for state, writes in counts})


def _save_plan(session: Session, row: Mapping[str, Any], plan: Plan) -> PlanState:
    session.run("catalogue.drop_earlier", row)
    session.run("catalogue.end_earlier", row)
    [made] = session.rows("catalogue.create_plan", row)
    cells = (write_cells(step, made["number"], number, row["supplier"]) for number, step in enumerate(plan.steps))
    session.run_many("catalogue.create_write", cells)
    [kept] = session.rows("catalogue.read_plan", row)
    return counted(session, kept)


def _fields(session: Session) -> Sequence[CustomField]:
    options: dict[int, dict[str, Option]] = {}
    for row in session.rows("catalogue.read_options"):
        options.setdefault(row["field_id"], {})[row["id"]] = to_option(row)
    rows = session.rows("catalogue.read_fields")
    return [CustomField(row["id"], row["name"], row["type"], options.get(row["id"], {})) for row in rows]


def _known_elsewhere(session: Session) -> Seen:
    """Returns the names that suppliers and the list of units use."""
    seen = Seen()
    for row in session.rows("catalogue.read_suppliers"):
        said = json.loads(row["data"], parse_float=str)
        several = said.get("currencies")
        seen.currencies.update(filter(None, (said.get("currency"), *(several if isinstance(several, list) else ()))))
    for row in session.rows("catalogue.read_units"):
        said = json.loads(row["data"], parse_float=str)
        seen.units.update(str(said[name]) for name in ("name", "code") if said.get(name))
    return seen


def _see_after(session: Session, after: int, seen: Seen) -> int | None:
    rows = session.rows("catalogue.read_items", (after, _ITEMS_A_READ))
    for row in rows:
        seen.see(row["data"])
    return rows[-1]["id"] if len(rows) == _ITEMS_A_READ else None


def _items_after(
    session: Session, after: int, supplier: int, fields: Mapping[int, CustomField]
) -> tuple[int | None, Sequence[Item]]:
    """Returns the supplier's items in the next batch, and the id to continue after (None at the end)."""
    rows = session.rows("catalogue.read_items", (after, _ITEMS_A_READ))
    ours = (row for row in rows if supplier_of(row["data"]) == supplier)
    items = [item for row in ours if (item := read_item(row["data"], fields, row["version"])) is not None]
    return (rows[-1]["id"] if len(rows) == _ITEMS_A_READ else None), items
