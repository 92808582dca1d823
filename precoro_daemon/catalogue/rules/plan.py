"""the plan that turns Precoro's items into the wanted ones"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from precoro_daemon.catalogue.rules.item_fields import NAMING
from precoro_daemon.catalogue.rules.items import Item, Value, Values, is_same
from precoro_daemon.values.names import bent_forms, is_bent, loose, tidy


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wanted item.

    values  what its row says, by field; other fields stay unchanged
    """

    row: int
    values: Values

    @property
    def external_id(self) -> str | None:
        return tidy_name(self.values.get("externalId"))

    @property
    def sku(self) -> str | None:
        return tidy_name(self.values.get("sku"))

    @property
    def name(self) -> str:
        """The name by which people know it."""
        return self.external_id or self.sku or ""


class Mistake(NamedTuple):
    """Why a row cannot be used. Row 0 stands for the whole source."""

    row: int
    column: str
    value: str
    reason: str


class Kind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    HIDE = "hide"


class Change(NamedTuple):
    field: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Step:
    """One write.

    key   what identifies the item, "" if nothing does
    row   its row in the source, 0 if it has none
    item  Precoro's id and the version it had; None and empty for a new item
    """

    kind: Kind
    key: str
    label: str
    row: int
    changes: Sequence[Change]
    item: int | None = None
    version: bytes = b""

    @property
    def wanted(self) -> Values:
        return {change.field: change.new for change in self.changes}


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be done."""

    create: bool = True
    update: bool = True
    hide_missing: bool = False


@dataclass(slots=True)
class Plan:
    """What would be done, and what would not.

    only_there  items that exist at Precoro and are not wanted, including those to be hidden
    left        new and changed items that the policy leaves alone
    doubted     new items that may exist by now
    visible     number of items that Precoro's catalogue shows
    nearly      new items whose names are close to those of unwanted items
    is_apart    whether the source and Precoro have no item in common
    """

    steps: list[Step] = field(default_factory=list)
    unchanged: int = 0
    only_there: list[Item] = field(default_factory=list)
    left: list[Step] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)
    visible: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    nearly: list[Mistake] = field(default_factory=list)
    is_apart: bool = False

    def count(self, kind: Kind) -> int:
        return sum(step.kind is kind for step in self.steps)


class Comparison:
    """Compares Precoro's items with the wanted ones as they arrive; `finish` returns the plan.

    An item is identified by its external id, else by its SKU. An item without an external id is matched by SKU and
    gets
    the external id.
    """

    def __init__(self, wanted: Sequence[Wanted], policy: Policy, doubted: Collection[str] = ()) -> None:
        self._wanted = wanted
        self._policy = policy
        self._doubted = doubted
        self._by_external = {one.external_id: place for place, one in enumerate(wanted) if one.external_id}
        self._by_sku = {one.sku: place for place, one in enumerate(wanted) if one.sku}
        self._taken: dict[int, int] = {}
        self._maybe: dict[int, list[Item]] = {}
        self._steps: dict[int, Step] = {}
        self._plan = Plan()

    def take(self, items: Iterable[Item]) -> None:
        for item in items:
            self._plan.visible += not item.values["hiddenInCatalog"]
            place = self._by_external.get(tidy_name(item.text("externalId")) or "")
            if place is not None:
                self._match(place, item)
            elif (place := self._by_sku.get(tidy_name(item.text("sku")) or "")) is not None:
                self._maybe.setdefault(place, []).append(item)
            else:
                self._plan.only_there.append(item)

    def finish(self) -> Plan:
        plan = self._plan
        for place, candidates in self._maybe.items():
            self._match_by_sku(place, candidates)
        for place, one in enumerate(self._wanted):
            if place not in self._taken:
                self._steps[place] = _new(one)
        plan.is_apart = bool(self._wanted and plan.only_there) and not self._taken
        new = [one for place, one in enumerate(self._wanted) if place not in self._taken]
        plan.nearly += nearly_there(new, plan.only_there) if self._policy.create else ()
        for place in sorted(self._steps):
            self._admit(self._steps[place])
        if self._policy.hide_missing:
            plan.steps += map(_hidden, (item for item in plan.only_there if not item.values["hiddenInCatalog"]))
        return plan

    def _match(self, place: int, item: Item) -> None:
        one = self._wanted[place]
        if (other := self._taken.get(place)) is not None:
            reason = f"Precoro has it more than once (ids {other} and {item.id}); which one is meant is unknown"
            self._plan.mistakes.append(Mistake(one.row, "externalId" if one.external_id else "sku", one.name, reason))
            return
        self._taken[place] = item.id
        changes = tuple(self._changes(one, item))
        if changes:
            self._steps[place] = Step(
                Kind.UPDATE, one.name, _label(one, item), one.row, changes, item.id, item.version
            )
        else:
            self._plan.unchanged += 1

    def _match_by_sku(self, place: int, candidates: Sequence[Item]) -> None:
        one = self._wanted[place]
        if place in self._taken:
            self._plan.only_there += candidates
            return
        free = [item for item in candidates if one.external_id is None or item.text("externalId") is None]
        for item in free:
            self._match(place, item)
        if not free:
            # Another item under the same SKU: nothing would distinguish the two.
            other = candidates[0]
            reason = f"is the SKU of item {other.id}, whose externalId is {other.text('externalId')}"
            self._plan.mistakes.append(Mistake(one.row, "sku", one.sku or "", reason))
            self._taken[place] = other.id
        self._plan.only_there += [item for item in candidates if item not in free]

    def _changes(self, one: Wanted, item: Item) -> Iterator[Change]:
        for name, value in one.values.items():
            old = item.values.get(name)
            if not (is_same(old, value) or (name in NAMING and tidy_name(old) == tidy_name(value))):
                yield Change(name, old, value)
        if self._policy.hide_missing and "hiddenInCatalog" not in one.values and item.values["hiddenInCatalog"]:
            yield Change("hiddenInCatalog", old=True, new=False)

    def _admit(self, step: Step) -> None:
        if step.kind is Kind.CREATE and step.key in self._doubted:
            self._plan.doubted.append(step.key)
        elif self._policy.create if step.kind is Kind.CREATE else self._policy.update:
            self._plan.steps.append(step)
        else:
            self._plan.left.append(step)


def _new(one: Wanted) -> Step:
    """Returns the step that creates an item. Its name is sent without invisible characters."""
    values = {name: tidy_name(value) if name in NAMING else value for name, value in one.values.items()}
    changes = [Change(name, None, value) for name, value in values.items() if value is not None]
    return Step(Kind.CREATE, one.name, str(one.values.get("name") or ""), one.row, changes)


def nearly_there(new: Sequence[Wanted], only_there: Sequence[Item]) -> Iterator[Mistake]:
    """Yields new items whose name equals another item's, apart from what people and spreadsheets do to names."""
    for name in NAMING:
        known: dict[str, Item] = {}
        for item in only_there:
            called = item.text(name) or ""
            for form in (loose(called), *bent_forms(called)):
                known.setdefault(form, item)
        for one in new:
            if called := tidy_name(one.values.get(name)) or "":
                there = known.get(loose(called))
                if there is not None:
                    meant = ascii(there.text(name))
                    reason = f"is new, but item {there.id} at Precoro is called {meant}; was that meant?"
                    yield Mistake(one.row, name, called, reason)
                elif is_bent(called):
                    yield Mistake(one.row, name, called, "was bent by a spreadsheet, so its digits are lost")


def tidy_name(name: Value) -> str | None:
    return (tidy(name) or None) if isinstance(name, str) else None


def _hidden(item: Item) -> Step:
    change = Change("hiddenInCatalog", old=False, new=True)
    key = item.text("externalId") or item.text("sku") or ""
    return Step(Kind.HIDE, key, item.text("name") or "", 0, (change,), item.id, item.version)


def _label(one: Wanted, item: Item) -> str:
    return str(one.values.get("name") or item.text("name") or "")


def shrank(wanted: int, before: int, most: float) -> bool:
    """Returns whether so many fewer items are wanted than before that an incomplete file is likely."""
    return before > 0 and wanted < before * (1 - most)
