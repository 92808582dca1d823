"""compares a supplier's wanted items with Precoro's, and plans the difference before anything is sent"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from precoro_daemon.catalogue.ports.plans import Catalogue, Made, PlanState
from precoro_daemon.catalogue.ports.sources import WantedSource
from precoro_daemon.catalogue.rules.item_fields import CUSTOM
from precoro_daemon.catalogue.rules.items import CustomField, Item
from precoro_daemon.catalogue.rules.plan import Comparison, Mistake, Plan, Policy, Wanted, shrank
from precoro_daemon.catalogue.rules.sheets import Known, Reading, Sheet
from precoro_daemon.catalogue.rules.suppliers import Supplier, find_supplier
from precoro_daemon.catalogue.rules.wanted_items import read_wanted
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import PlanRefused, WantedRefused
from precoro_daemon.mirror.details import as_of
from precoro_daemon.mirror.ports.change_log import ChangeLog
from precoro_daemon.mirror.ports.custom_fields import CustomFields, DueField
from precoro_daemon.mirror.resolve_custom_fields import follow_fields
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scanning import Lister, bring_up_to_date, list_whole
from precoro_daemon.quota.limits import Lane
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_MISTAKES_LISTED = 50
_ITEM_CUSTOM_FIELDS = "item_custom_fields"


@dataclass(frozen=True, slots=True)
class Outline:
    """A plan as it was made.

    fields  custom fields by their ids, for their names and options
    """

    state: PlanState
    plan: Plan
    fields: Mapping[int, CustomField]


@dataclass(frozen=True, slots=True)
class Rules:
    """How rows are read, what may be done, and the share by which a source may shrink without a question."""

    reading: Reading
    policy: Policy
    max_shrink: float


@dataclass(frozen=True, slots=True)
class PlanItems:
    """Reads the wanted items, updates Precoro's side, and compares the two. Takes one call if nothing changed.

    filters  the user's filters of every mirrored collection
    """

    lister: Lister
    catalogue: Catalogue
    change_log: ChangeLog
    custom_fields: CustomFields
    filters: Mapping[str, Filter]
    overlap: float

    async def plan(self, source: WantedSource, called: str, rules: Rules, *, force: bool = False) -> Outline:
        """Returns the plan. Raises WantedRefused, PlanRefused, and whatever the source and Precoro raise."""
        supplier = await self.find(called)
        await self._refuse_second(supplier)
        sheet = await source.read(called)
        if not sheet.rows:
            raise WantedRefused(f"{sheet.name} has no rows; taken at its word, every item would be gone")
        names = _wanted_fields(sheet, rules.reading)
        fields = await self._fields((lambda one: one.name in names) if names else None)
        await self._bring_items(supplier)
        wanted = await self._read(sheet, supplier, rules, fields)
        await self._refuse_half(sheet, wanted, supplier, rules, force=force)
        comparison = Comparison(wanted, rules.policy, await self.catalogue.doubted(supplier.id))
        async for items in self.catalogue.items(supplier.id, fields):
            comparison.take(items)
        plan = comparison.finish()
        titles = rules.reading.columns
        mistakes = [*plan.mistakes, *([] if force else plan.nearly)]
        _refuse_mistakes(sheet, [one._replace(column=titles.get(one.column, one.column)) for one in mistakes])
        if plan.is_apart and not force:
            raise PlanRefused(_apart(sheet, wanted, plan))
        if rules.policy.hide_missing and not force and shrank(len(wanted), plan.visible, rules.max_shrink):
            raise PlanRefused(_half(sheet, len(wanted), f"{plan.visible:,} items are shown at Precoro"))
        return Outline(await self._save(supplier, sheet, len(wanted), plan), plan, fields)

    async def _refuse_second(self, supplier: Supplier) -> None:
        """Refuses a second plan while an approved one is unfinished: planning must not drop it."""
        before = await self.catalogue.plan(supplier.id)
        if not before or before.ended or not before.approved_at:
            return
        if before.counts.get(State.PLANNED) or before.counts.get(State.SENDING):
            raise PlanRefused(
                f"plan {before.number} for {supplier} is under way: {before.open:,} of its writes are left. Let it"
                " end, or give up what is left with `items drop`"
            )

    async def pull(self, called: str) -> tuple[Supplier, Sequence[Item], Mapping[int, CustomField]]:
        """Returns the supplier's present items. Raises PlanRefused."""
        supplier = await self.find(called)
        await self._bring_items(supplier)
        used = {name for item in await self._all(supplier, {}) for name in item.values if name.startswith(CUSTOM)}
        fields = await self._fields((lambda one: f"{CUSTOM}{one.id}" in used) if used else None)
        return supplier, await self._all(supplier, fields), fields

    async def _all(self, supplier: Supplier, fields: Mapping[int, CustomField]) -> Sequence[Item]:
        return [item async for items in self.catalogue.items(supplier.id, fields) for item in items]

    async def find(self, called: str) -> Supplier:
        """Returns the supplier with this name. Raises PlanRefused."""
        found = find_supplier(await self.catalogue.suppliers(), called)
        if not found:
            await self._bring("suppliers")
            found = find_supplier(await self.catalogue.suppliers(), called)
        if not found:
            raise PlanRefused(f"Precoro has no supplier {called!r}{await self._guess(called)}")
        if len(found) > 1:
            which = "; ".join(map(str, found))
            raise PlanRefused(f"{called!r} may be several suppliers: {which}. Write id:…, code:… or external:…")
        if not found[0].enabled:
            raise PlanRefused(f"supplier {found[0]} is disabled at Precoro; enable it there first")
        return found[0]

    async def _guess(self, called: str) -> str:
        suppliers = await self.catalogue.suppliers()
        names = {name: one for one in suppliers for name in one.names}
        close = get_close_matches(called, list(names), n=1, cutoff=0.6)
        guess = f"; did you mean {names[close[0]]}?" if close else ""
        return f" (by id, unique code or external id){guess}"

    async def _bring(self, name: str) -> None:
        chosen = self.filters.get(name, Filter())
        await bring_up_to_date(self.lister, COLLECTIONS[name], chosen, self.overlap, Lane.LISTS)

    async def _bring_items(self, supplier: Supplier) -> None:
        """Updates the list of items and proves it complete: an item that the mirror lacks would be created a second
        time.
        """
        chosen = self.filters.get("items", Filter())
        if chosen.modified_since or (chosen.supplier and supplier.id not in chosen.supplier):
            raise PlanRefused(
                f"[mirror_collections.filters.items] keeps out items of {supplier}; they cannot be compared"
            )
        await self._bring("items")
        if (await self.lister.mirror.cursor("items")).unproved:
            await list_whole(
                self.lister, COLLECTIONS["items"], chosen, Lane.LISTS, lambda cursor: cursor.unproved > 0
            )
        if (await self.lister.mirror.cursor("items")).unproved:
            raise PlanRefused(
                "the list of items kept changing while it was read, so it may lack some; try again later"
            )

    async def _fields(self, wanted: Callable[[CustomField], bool] | None) -> Mapping[int, CustomField]:
        """Returns the custom fields of items. Missing definitions of wanted fields are requested once; None requests
        nothing.
        """
        if wanted:
            if (await self.lister.mirror.cursor(_ITEM_CUSTOM_FIELDS)).at is None:
                await self._bring(_ITEM_CUSTOM_FIELDS)
            await follow_fields(self.change_log, self.custom_fields)
            for one in filter(wanted, await self.catalogue.fields()):
                if one.type is None or (one.chosen and not one.options):
                    await self._define(one)
        return {one.id: one for one in await self.catalogue.fields()}

    async def _define(self, one: CustomField) -> None:
        asked_at = self.lister.clock.now()
        detail = await self.lister.precoro.detail(COLLECTIONS[_ITEM_CUSTOM_FIELDS], one.id, Lane.LISTS)
        await self.custom_fields.save(
            DueField(_ITEM_CUSTOM_FIELDS, one.id), detail, asked_at=as_of(asked_at, self.lister.clock)
        )

    async def _read(
        self, sheet: Sheet, supplier: Supplier, rules: Rules, fields: Mapping[int, CustomField]
    ) -> Sequence[Wanted]:
        if (await self.lister.mirror.cursor("units")).at is None and "units" in self.filters:
            await self._bring("units")
        seen = await self.catalogue.seen()
        known = Known(seen.currencies, seen.units, seen.categories, fields)
        reading = replace(rules.reading, supplier=supplier.names)
        wanted, mistakes = read_wanted(sheet, reading, known)
        _refuse_mistakes(sheet, mistakes)
        return wanted

    async def _refuse_half(
        self, sheet: Sheet, wanted: Sequence[Wanted], supplier: Supplier, rules: Rules, *, force: bool
    ) -> None:
        before = await self.catalogue.wanted_before(supplier.id)
        if not force and shrank(len(wanted), before, rules.max_shrink):
            raise PlanRefused(_half(sheet, len(wanted), f"the last plan was made from {before:,}"))

    async def _save(self, supplier: Supplier, sheet: Sheet, wanted: int, plan: Plan) -> PlanState:
        now = self.lister.clock.now()
        made = Made(sheet.name, wanted, now, as_of=(await self.lister.mirror.cursor("items")).at or now)
        state = await self.catalogue.save_plan(supplier, made, plan)
        found = {"writes": len(plan.steps), "unchanged": plan.unchanged}
        _log.info("items_planned", supplier=supplier.id, plan=state.number, source=sheet.name, **found)
        return state


def _wanted_fields(sheet: Sheet, reading: Reading) -> Sequence[str]:
    names = reading.columns or sheet.columns
    return [name.removeprefix(CUSTOM) for name in names if name.startswith(CUSTOM)]


def _half(sheet: Sheet, wanted: int, other: str) -> str:
    return (
        f"{sheet.name} has {wanted:,} rows, and {other}: half a file is likelier than that. If it is"
        " whole, give --force; max_shrink in [manage_items] allows more"
    )


def _apart(sheet: Sheet, wanted: Sequence[Wanted], plan: Plan) -> str:
    there = plan.only_there[0]
    return (
        f"none of the {len(wanted):,} rows of {sheet.name} is an item that Precoro has, and none of the"
        f" {len(plan.only_there):,} items that it has is among them: names are likelier written otherwise, such as"
        f" {wanted[0].name!r} here and {there.text('externalId') or there.text('sku')!r} there. If all are new, give"
        " --force"
    )


def _refuse_mistakes(sheet: Sheet, mistakes: Sequence[Mistake]) -> None:
    if not mistakes:
        return
    lines = [_line(sheet, mistake) for mistake in mistakes[:_MISTAKES_LISTED]]
    if len(mistakes) > _MISTAKES_LISTED:
        lines.append(f"… and {len(mistakes) - _MISTAKES_LISTED:,} more")
    raise WantedRefused("\n".join([*lines, "nothing was planned, and nothing sent"]))


def _line(sheet: Sheet, mistake: Mistake) -> str:
    parts = [sheet.name]
    parts += [f"row {mistake.row}"] if mistake.row else []
    parts += [f'column "{mistake.column}"'] if mistake.column else []
    return f"{', '.join(parts)}: {f'{mistake.value!r} ' if mistake.value else ''}{mistake.reason}"
