"""one write to an item: its states, and how an unknown outcome is resolved"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from precoro_daemon.catalogue.rules.items import Item, Values
from precoro_daemon.catalogue.rules.losses import falls_short
from precoro_daemon.catalogue.rules.plan import Kind, Step
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.writes.in_doubt import check_before_certainty


@dataclass(frozen=True, slots=True)
class Write:
    """A step of a plan and its progress.

    sent_at   when the last permit was granted (Unix seconds)
    checks    number of checks since then
    check_at  when it is checked next
    before    the item when that permit was granted
    """

    plan: int
    number: int
    supplier: int
    step: Step
    state: State = State.PLANNED
    reason: str = ""
    sent_at: float | None = None
    checks: int = 0
    check_at: float | None = None
    before: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    state: State
    reason: str
    item: int | None = None
    check_at: float | None = None


def rule(write: Write, changed: Mapping[int, Item], now: float) -> Ruling:
    """Decides a doubt from the supplier's items that changed since it was sent.

    A request may arrive hours after its answer was given up. Writing the same values to an item again does no harm; a
    second item would, so a new one is sent again only when the first can no longer arrive.
    """
    if write.step.kind is Kind.CREATE:
        return _rule_on_create(write, changed.values(), now)
    item = changed.get(write.step.item or 0)
    if item is None or item.version == write.step.version:
        return Ruling(State.PLANNED, "it was not carried out; it is sent again")
    if falls_short(item, write.step.wanted):
        return Ruling(State.CONFLICT, "somebody else changed the item meanwhile")
    return Ruling(State.DONE, "found carried out", item.id)


def _rule_on_create(write: Write, items: Iterable[Item], now: float) -> Ruling:
    found = sorted(item.id for item in items if is_it(item, write.step.wanted))
    if len(found) > 1:
        return Ruling(State.CONFLICT, f"there are {len(found)} of it: items {', '.join(map(str, found))}", found[0])
    if found:
        return Ruling(State.DONE, "found carried out", found[0])
    check_at = check_before_certainty(write.sent_at or 0.0, now)
    if check_at is not None:
        return Ruling(State.DOUBT, "not found so far", check_at=check_at)
    return Ruling(State.PLANNED, "not found within a day; it is sent again")


def is_it(item: Item, wanted: Values) -> bool:
    """Returns whether they match: by external id, or if either has none, by SKU, else by name."""
    external = wanted.get("externalId")
    if external and item.text("externalId"):
        return item.text("externalId") == external
    name = "sku" if wanted.get("sku") else "name"
    return item.text(name) == wanted.get(name)
