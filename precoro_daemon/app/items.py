"""what the commands do with suppliers' items and the plans for them"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread

from precoro_daemon.adapters.sources.files import FileSource, Format, write_file
from precoro_daemon.adapters.sources.tables import TableSource
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.company import connect
from precoro_daemon.app.databases import open_named, secrets_of
from precoro_daemon.app.state import state_of
from precoro_daemon.app.values import chosen, clock_for
from precoro_daemon.catalogue.manage_items import ManageItems
from precoro_daemon.catalogue.plan_items import Outline, PlanItems, Rules
from precoro_daemon.catalogue.plan_report import OnProgress
from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.ports.sources import WantedSource
from precoro_daemon.catalogue.rules.item_rows import item_cells, item_columns
from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.catalogue.rules.items import CustomField, Item
from precoro_daemon.catalogue.rules.plan import Policy
from precoro_daemon.catalogue.rules.sheets import Reading, Writing
from precoro_daemon.catalogue.rules.suppliers import Supplier, find_supplier
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import ConfigurationError, PlanRefused
from precoro_daemon.mirror.ports.precoro import Precoro
from precoro_daemon.mirror.scanning import Lister
from precoro_daemon.runtime.job import OnDemand, Registration, RunReport
from precoro_daemon.runtime.lifecycle import run_once
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.settings import Settings
from precoro_daemon.settings.items import ItemsSql
from precoro_daemon.status.progress import Progress, Silent
from precoro_daemon.values.sql_statements import parse

_NOWHERE = "[manage_items] does not say where wanted items are: set kind, and path or [manage_items.sql]"


def _planner(settings: Settings, store: Store, precoro: Precoro, clock: Clock, progress: Progress) -> PlanItems:
    lister = Lister(precoro, store.mirror, clock, progress, settings.take_census.max_vanished)
    _, filters = chosen(settings)
    overlap = settings.mirror_collections.overlap
    return PlanItems(lister, store.catalogue, store.change_log, store.custom_fields, filters, overlap)


def _rules(settings: Settings) -> Rules:
    given = settings.manage_items
    reading = Reading(given.columns, Writing(given.decimal_mark, given.grouping), given.currency)
    return Rules(reading, Policy(given.create, given.update, given.hide_missing), given.max_shrink)


@asynccontextmanager
async def _open_source(settings: Settings) -> AsyncIterator[WantedSource]:
    given = settings.manage_items
    if given.kind == "sql" and given.sql:
        async with _table_source(given.sql) as source:
            yield source
    elif given.kind in ("csv", "jsonl") and given.path:
        yield FileSource(given.path, _format(settings, given.kind))
    else:
        raise ConfigurationError(_NOWHERE)


def _format(settings: Settings, kind: str) -> Format:
    given = settings.manage_items
    return Format("jsonl" if kind == "jsonl" else "csv", given.encoding, given.delimiter)


def _table_source(given: ItemsSql) -> TableSource:
    query = parse(given.query, given.address.dialect)
    return TableSource(open_named(given), query, given.timeout, secrets_of(given))


@asynccontextmanager
async def _open_planner(settings: Settings, progress: Progress) -> AsyncIterator[PlanItems]:
    clock = clock_for(settings)
    async with (
        state_of(settings).open() as store,
        connect(settings, store.budget_book, clock, progress) as there,
    ):
        yield _planner(settings, store, there.precoro, clock, progress)


async def plan_items(settings: Settings, called: str, *, force: bool, progress: Progress) -> Outline:
    """Raises WantedRefused, PlanRefused."""
    async with _open_source(settings) as source, _open_planner(settings, progress) as planner:
        return await planner.plan(source, called, _rules(settings), force=force)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was written where, and the items that were left out as nothing names them."""

    supplier: Supplier
    path: Path
    rows: int
    nameless: Sequence[Item]


async def pull_items(settings: Settings, called: str, path: Path, progress: Progress) -> Pulled:
    """Write the file one starts from. Raises PlanRefused."""
    if await anyio.Path(path).exists():
        raise PlanRefused(f"{path} is there already, and is not overwritten")
    async with _open_planner(settings, progress) as planner:
        supplier, items, fields = await planner.pull(called)
    named = [item for item in items if item.text("externalId") or item.text("sku")]
    kind = "jsonl" if path.suffix in (".jsonl", ".ndjson") else "csv"
    form, reading = _format(settings, kind), _rules(settings).reading
    columns = item_columns(named, reading, fields)
    rows: list[Sequence[Any]] = [item_cells(item, list(columns), reading, fields, called) for item in named]
    try:
        await anyio.to_thread.run_sync(partial(write_file, path, form, list(columns.values()), rows))
    except (OSError, UnicodeEncodeError) as error:
        raise PlanRefused(f"{path} cannot be written: {error}") from None
    return Pulled(supplier, path, len(rows), [item for item in items if item not in named])


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as it stands, with its writes that are of interest."""

    state: PlanState
    writes: Sequence[Write]
    fields: Mapping[int, CustomField]


async def view_plan(settings: Settings, called: str, *states: State) -> PlanView:
    """The supplier's last plan with its writes in these states, or with those that need a person's eye; calls nobody.
    Raises PlanRefused."""
    async with state_of(settings).open_read_only() as store:
        plan = await _last_plan(store, called)
        writes = await store.catalogue.writes(plan.number, *(states or State), limit=1_000_000)
        if not states:
            writes = [one for one in writes if one.reason or one.state in (State.SENDING, State.DOUBT)]
        return PlanView(plan, writes, {one.id: one for one in await store.catalogue.fields()})


async def drop_plan(settings: Settings, called: str) -> PlanState:
    async with state_of(settings).open() as store:
        plan = await _last_plan(store, called)
        await store.catalogue.end(plan.number, "given up by a person")
        return await _last_plan(store, called)


async def apply_plan(
    settings: Settings, called: str, number: int, on_progress: OnProgress
) -> tuple[RunReport, PlanState]:
    """Approve that plan, and carry it out as far as today's quota goes. Raises PlanRefused."""
    clock = clock_for(settings)
    async with (
        state_of(settings).open() as store,
        connect(settings, store.budget_book, clock, Silent()) as there,
    ):
        plan = await _last_plan(store, called)
        if plan.number != number or plan.ended:
            raise PlanRefused("another plan took its place meanwhile; read `items plan` again")
        manager = ManageItems(store.catalogue, there.items, clock, settings.manage_items.keep, on_progress)
        if plan.approved_at is None:
            await manager.approve(plan)
        scheduler = Scheduler([Registration(OnDemand(manager))], Dependencies(clock, there.stop))
        report = await run_once(scheduler, None)
        return report, await _last_plan(store, called)


async def _last_plan(store: Store, called: str) -> PlanState:
    for supplier in find_supplier(await store.catalogue.suppliers(), called):
        if (plan := await store.catalogue.plan(supplier.id)) is not None:
            return plan
    raise PlanRefused(f"there is no plan for supplier {called!r}; make one with `items plan --supplier {called}`")
