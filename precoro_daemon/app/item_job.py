"""the job that carries out plans for suppliers' items"""

from __future__ import annotations

from collections.abc import Mapping

from precoro_daemon.adapters.state.sqlite.store import Store
from precoro_daemon.catalogue.manage_items import ManageItems, Watch
from precoro_daemon.catalogue.ports import ItemGateway, PlanState
from precoro_daemon.runtime.once import Job
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings


def _nobody(_plan: PlanState, _settled: int) -> None:
    """Nobody looks."""


def item_job(settings: Settings, store: Store, desk: ItemGateway, clock: Clock) -> Mapping[str, Job]:
    """The job, if there is anything that could be planned."""
    if settings.manage_items.kind == "none":
        return {}
    manager = build_manager(settings, store, desk, clock)

    async def due(_: bool) -> bool:
        return await manager.due()

    return {"manage_items": Job("manage_items", due, manager.lap)}


def build_manager(
    settings: Settings, store: Store, desk: ItemGateway, clock: Clock, watch: Watch = _nobody
) -> ManageItems:
    return ManageItems(store.catalogue, desk, clock, settings.manage_items.keep, watch)
