"""plans for suppliers' items as tables for people, and as JSON for programs"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from precoro_daemon.app.items import PlanView, Pulled
from precoro_daemon.catalogue.plan_items import Outline
from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.item_fields import CUSTOM
from precoro_daemon.catalogue.rules.item_rows import shown_custom
from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.catalogue.rules.items import CustomField, Item, Value, to_json
from precoro_daemon.catalogue.rules.plan import Change, Kind, Step
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.sheets import Sheet
from precoro_daemon.values.humanize import moment

_WRITES_SHOWN = 40
"""The number of writes shown unless --all is given."""

_LONGEST_LINE_CHARS = 40
_WORD_BY_KIND = {Kind.CREATE: ("create", "green"), Kind.UPDATE: ("update", "yellow"), Kind.HIDE: ("hide", "red")}


def outline(made: Outline, *, everything: bool) -> RenderableType:
    """Returns what a plan would change, field by field, and what it leaves as it is."""
    plan = made.plan
    shown = plan.steps if everything else plan.steps[:_WRITES_SHOWN]
    parts: list[RenderableType] = [_steps(shown, made.fields)] if shown else []
    if len(shown) < len(plan.steps):
        parts.append(as_line(f"  … and {len(plan.steps) - len(shown):,} more; --all shows them, --json too\n"))
    hidden = {step.item for step in plan.steps if step.kind is Kind.HIDE}
    others = [item for item in plan.only_there if item.id not in hidden]
    parts += _only_there(others, everything=everything)
    if plan.doubted:
        parts.append(
            as_line(f"in doubt, not planned again: {', '.join(plan.doubted[:_WRITES_SHOWN])}", style="yellow")
        )
    if plan.left:
        parts.append(
            as_line(f"{len(plan.left):,} more differ, which the configuration leaves alone (create, update).")
        )
    parts.append(_summary(made))
    return Group(*parts)


def _summary(made: Outline) -> Text:
    plan = made.plan
    said = ", ".join(
        f"{plan.count(kind):,} to {word}" for kind, (word, _) in _WORD_BY_KIND.items() if plan.count(kind)
    )
    words = f"{said or 'Nothing to do'}; {plan.unchanged:,} unchanged, {len(plan.only_there):,} only in Precoro."
    hint = f"\nNothing was sent. `items apply` carries out this plan (number {made.state.number})." if said else ""
    return as_line(f"{made.state.supplier}: {words}", style="bold").append(hint)


def _only_there(items: Sequence[Item], *, everything: bool) -> Iterator[RenderableType]:
    shown = items if everything else items[:10]
    if shown:
        names = ", ".join(f"{item.text('externalId') or item.text('sku') or item.id}" for item in shown)
        more = f" and {len(items) - len(shown):,} more" if len(items) > len(shown) else ""
        yield as_line(f"only in Precoro, left as they are: {names}{more}")


def _steps(steps: Sequence[Step], fields: Mapping[int, CustomField]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for title in ("", "item", "name", "field", "at Precoro", "wanted"):
        table.add_column(title, no_wrap=title in ("", "item", "field"), overflow="fold")
    for step in steps:
        word, style = _WORD_BY_KIND[step.kind]
        first = (as_line(word, style=style), as_line(step.key), as_line(_cut(step.label)))
        if step.kind is Kind.CREATE:
            table.add_row(*first, "", "", as_line(_in_short(step)))
            continue
        for change in step.changes:
            cells = (shown(change.old, change.field, fields), shown(change.new, change.field, fields))
            table.add_row(*first, *map(as_line, (field_name(change.field, fields), *map(_cut, cells))))
            first = (as_line(), as_line(), as_line())
    return table


def _in_short(step: Step) -> str:
    """Returns the price, currency and unit of a new item. --json has all of its fields."""
    wanted = step.wanted
    price = shown(wanted.get("price"), "price", {}) or "no price"
    return " ".join(filter(None, (price, str(wanted.get("currency") or ""), str(wanted.get("unit") or ""))))


def field_name(name: str, fields: Mapping[int, CustomField]) -> str:
    known = fields.get(int(name.removeprefix(CUSTOM))) if name.startswith(CUSTOM) else None
    return f"{CUSTOM}{known.name}" if known else name


def shown(value: Value, name: str, fields: Mapping[int, CustomField]) -> str:
    if isinstance(value, tuple):
        return shown_custom(value, fields.get(int(name.removeprefix(CUSTOM))))
    plain = to_json(value)
    return "" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_LINE_CHARS else f"{line[: _LONGEST_LINE_CHARS - 1]}…"


def outline_as_json(made: Outline) -> str:
    plan = made.plan
    document = _state(made.state) | {
        "unchanged": plan.unchanged,
        "writes": [_step(step, made.fields) for step in plan.steps],
        "left_alone": [_step(step, made.fields) for step in plan.left],
        "in_doubt": plan.doubted,
        "only_there": [
            {"id": item.id, "externalId": item.text("externalId"), "sku": item.text("sku"), "name": item.text("name")}
            for item in plan.only_there
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _step(step: Step, fields: Mapping[int, CustomField]) -> dict[str, Any]:
    changes = {field_name(change.field, fields): _pair(change) for change in step.changes}
    return {"kind": str(step.kind), "item": step.item, "key": step.key, "row": step.row, "changes": changes}


def _pair(change: Change) -> list[Any]:
    return [to_json(change.old), to_json(change.new)]


def plan_state(view: PlanView) -> RenderableType:
    """Returns the progress of a plan, and a table of the writes that need a person's attention."""
    parts: list[RenderableType] = []
    if view.writes:
        table = Sheet(("state", "", "item", "name", "why"), sentences="why")
        for write in view.writes:
            table.add(str(write.state), str(write.step.kind), write.step.key, _cut(write.step.label), _why(write))
        parts.append(table)
    return Group(*parts, as_line(f"{plan_line(view.state)}", style="bold"))


def _why(write: Write) -> str:
    again = f"; checked again after {moment(write.check_at)}" if write.check_at else ""
    return f"{write.reason}{again}"


def plan_line(plan: PlanState) -> str:
    """Returns the state of a plan in one sentence."""
    counts = ", ".join(f"{plan.counts[state]:,} {state}" for state in State if plan.counts.get(state))
    if not plan.counts:
        return f"plan {plan.number} for {plan.supplier} from {plan.source} has nothing to do"
    if plan.ended:
        what = f"is over: {plan.ended}"
    elif plan.approved_at is None:
        what = f"waits for `items apply` since {moment(plan.made_at)}"
    else:
        what = "is under way" if plan.open else "is carried out"
    return f"plan {plan.number} for {plan.supplier} from {plan.source} {what} ({counts})"


def plan_as_json(view: PlanView) -> str:
    writes = [
        _step(write.step, view.fields)
        | {"state": str(write.state), "reason": write.reason, "sent_at": write.sent_at, "check_at": write.check_at}
        | {"before": write.before}
        for write in view.writes
    ]
    return orjson.dumps(_state(view.state) | {"writes": writes}, option=orjson.OPT_INDENT_2).decode()


def _state(plan: PlanState) -> dict[str, Any]:
    return {
        "plan": plan.number,
        "supplier": {"id": plan.supplier.id, "name": plan.supplier.name, "code": plan.supplier.code},
        "source": plan.source,
        "rows": plan.wanted,
        "made_at": plan.made_at,
        "approved_at": plan.approved_at,
        "ended": plan.ended,
        "counts": {str(state): count for state, count in plan.counts.items()},
    }


def question(view: PlanView) -> str:
    """Returns the question whether to carry out a plan."""
    kinds = [write.step.kind for write in view.writes]
    said = ", ".join(f"{kinds.count(kind):,} to {word}" for kind, (word, _) in _WORD_BY_KIND.items() if kind in kinds)
    return f"{view.state.supplier}, plan {view.state.number}: {said}. Carry it out?"


def pulled(found: Pulled) -> RenderableType:
    lines = [as_line(f"{found.rows:,} items of {found.supplier} are in {found.path}", style="bold")]
    if found.nameless:
        ids = ", ".join(str(item.id) for item in found.nameless[:10])
        text = f"{len(found.nameless):,} more have neither externalId nor sku, so nothing could name them: ids {ids}"
        lines.append(as_line(text, style="yellow"))
    return Group(*lines)
