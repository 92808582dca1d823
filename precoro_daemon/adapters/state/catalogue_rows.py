"""rows of the tables of suppliers' items ↔ the domain's values"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from precoro_daemon.adapters.state.session import Row
from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.catalogue.rules.items import from_json, to_json
from precoro_daemon.catalogue.rules.plan import Change, Kind, Step
from precoro_daemon.catalogue.rules.suppliers import Supplier
from precoro_daemon.catalogue.rules.write_states import State


def to_supplier(row: Row) -> Supplier:
    said = json.loads(row["data"], parse_float=str)
    code = said.get("uniqueCode")
    return Supplier(
        id=row["id"],
        name=str(said.get("name") or f"supplier {row['id']}"),
        code=str(code) if code else None,
        external_id=row["external_id"],
        enabled=str(said.get("enable", True)).lower() not in ("false", "0"),
    )


def to_plan(row: Row, counts: Mapping[State, int]) -> PlanState:
    return PlanState(
        number=row["number"],
        supplier=Supplier(row["supplier"], row["name"], row["code"], row["external_id"]),
        source=row["source"],
        wanted=row["wanted"],
        made_at=row["made_at"],
        as_of=row["as_of"],
        checked_at=row["checked_at"],
        approved_at=row["approved_at"],
        probed=row["probed"],
        ended=row["ended"],
        counts=counts,
    )


def to_write(row: Row) -> Write:
    changes = [
        Change(name, from_json(name, old), from_json(name, new)) for name, old, new in json.loads(row["changes"])
    ]
    step = Step(Kind(row["kind"]), row["key"], row["label"], row["row"], changes, row["item"], row["version"])
    return Write(
        plan=row["plan"],
        number=row["number"],
        supplier=row["supplier"],
        step=step,
        state=State(row["state"]),
        reason=row["reason"],
        sent_at=row["sent_at"],
        checks=row["looks"],
        check_at=row["look_at"],
        before=row["before"],
    )


def write_cells(step: Step, plan: int, number: int, supplier: int) -> Mapping[str, Any]:
    changes = [[change.field, to_json(change.old), to_json(change.new)] for change in step.changes]
    return {
        "plan": plan,
        "number": number,
        "supplier": supplier,
        "kind": str(step.kind),
        "key": step.key,
        "label": step.label,
        "row": step.row,
        "item": step.item,
        "version": step.version,
        "changes": json.dumps(changes, ensure_ascii=False),
    }
