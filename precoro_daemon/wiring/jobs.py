"""the jobs of a run, and when each of them is due"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from precoro_daemon.adapters.sql.store import Store
from precoro_daemon.daemon import Job
from precoro_daemon.jobs.fetch_details import FetchDetails
from precoro_daemon.jobs.mirror_collections import MirrorCollections
from precoro_daemon.jobs.resolve_custom_fields import ResolveCustomFields
from precoro_daemon.jobs.take_census import TakeCensus
from precoro_daemon.passes import Lister
from precoro_daemon.ports import Clock, Precoro, Progress
from precoro_daemon.settings import Settings
from precoro_daemon.wiring.values import chosen

JOB_NAMES = ("mirror_collections", "fetch_details", "resolve_custom_fields", "take_census")
"""In the order of a round: what lists bring is detailed at once, a census comes when there is nothing else to do."""


def build_jobs(
    settings: Settings, precoro: Precoro, store: Store, clock: Clock, progress: Progress
) -> Mapping[str, Job]:
    collections, filters = chosen(settings)
    mirror, refresh_after = store.mirror, settings.resolve_custom_fields.refresh_after
    lister = Lister(precoro, mirror, clock, progress, settings.take_census.max_vanished)
    mirror_collections = MirrorCollections(lister, collections, filters, settings.mirror_collections.overlap)
    fetch_details = FetchDetails(precoro, mirror, clock, progress, settings.fetch_details.collections, filters)
    resolve_fields = ResolveCustomFields(precoro, store.custom_fields, clock, progress, refresh_after)
    take_census = TakeCensus(lister, collections, filters, settings.take_census.every)
    began: float | None = None  # what this run sets aside is not due again in it

    async def mirror_due(ran: bool) -> bool:
        return not ran

    def run_began() -> float:
        nonlocal began
        began = clock.now() if began is None else began
        return began

    async def details_due(_: bool) -> bool:
        return await fetch_details.due(before=run_began()) > 0

    async def fields_due(_: bool) -> bool:
        return await resolve_fields.due(before=run_began())

    async def census_due(ran: bool) -> bool:
        return not ran and bool(await take_census.due())

    jobs = (
        Job(JOB_NAMES[0], mirror_due, mirror_collections.lap),
        Job(JOB_NAMES[1], details_due, fetch_details.lap),
        Job(JOB_NAMES[2], fields_due, resolve_fields.lap),
        Job(JOB_NAMES[3], census_due, take_census.lap, forced=partial(take_census.lap, forced=True)),
    )
    return {job.name: job for job in jobs}
