"""the jobs of a run, and when each of them is due"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from precoro_daemon.daemon import Job
from precoro_daemon.jobs.fetch_details import FetchDetails
from precoro_daemon.jobs.mirror_collections import MirrorCollections
from precoro_daemon.jobs.take_census import TakeCensus
from precoro_daemon.passes import Lister
from precoro_daemon.ports import Clock, Mirror, Precoro, Progress
from precoro_daemon.settings import Settings
from precoro_daemon.wiring.values import chosen

JOB_NAMES = ("mirror_collections", "mark_invoices_paid", "export_payments", "fetch_details", "take_census")
"""In the order of a round: payments go by what the lists just brought, which is then detailed; a census comes when
there is nothing else to do."""

PAYMENT_JOBS = frozenset({"mark_invoices_paid", "export_payments"})
"""Not there unless they are enabled."""


def build_jobs(
    settings: Settings, precoro: Precoro, mirror: Mirror, clock: Clock, progress: Progress
) -> Mapping[str, Job]:
    collections, filters = chosen(settings)
    lister = Lister(precoro, mirror, clock, progress, settings.take_census.max_vanished)
    mirror_collections = MirrorCollections(lister, collections, filters, settings.mirror_collections.overlap)
    fetch_details = FetchDetails(precoro, mirror, clock, progress, settings.fetch_details.collections, filters)
    take_census = TakeCensus(lister, collections, filters, settings.take_census.every)
    began: float | None = None  # what this run sets aside is not due again in it

    async def mirror_due(ran: bool) -> bool:
        return not ran

    async def details_due(_: bool) -> bool:
        nonlocal began
        began = clock.now() if began is None else began
        return await fetch_details.due(before=began) > 0

    async def census_due(ran: bool) -> bool:
        return not ran and bool(await take_census.due())

    jobs = (
        Job("mirror_collections", mirror_due, mirror_collections.lap),
        Job("fetch_details", details_due, fetch_details.lap),
        Job("take_census", census_due, take_census.lap, forced=partial(take_census.lap, forced=True)),
    )
    return {job.name: job for job in jobs}
