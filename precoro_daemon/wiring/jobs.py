"""the jobs of a run, and when each of them is due"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from precoro_daemon.adapters.disk.folder import open_folder
from precoro_daemon.adapters.sql.store import Store
from precoro_daemon.daemon import Job
from precoro_daemon.domain.collections import COLLECTIONS
from precoro_daemon.jobs.fetch_attachments import FetchAttachments
from precoro_daemon.jobs.fetch_details import FetchDetails
from precoro_daemon.jobs.find_attachments import FindAttachments
from precoro_daemon.jobs.mirror_collections import MirrorCollections
from precoro_daemon.jobs.resolve_custom_fields import ResolveCustomFields
from precoro_daemon.jobs.take_census import TakeCensus
from precoro_daemon.passes import Lister
from precoro_daemon.ports import AttachmentSource, Clock, Precoro, Progress
from precoro_daemon.settings import Settings
from precoro_daemon.wiring.values import carriers, chosen, identity, wanted_files

JOB_NAMES = (
    "mirror_collections", "mark_invoices_paid", "export_payments", "manage_items", "find_attachments",
    "fetch_details", "resolve_custom_fields", "fetch_attachments", "take_census",
)  # fmt: skip
"""In the order of a round: payments go by what the lists just brought; then what a person approved and waits for;
details of what the lists brought; what details name is fetched; a census comes when there is nothing else to do."""

FILE_JOBS = frozenset({"find_attachments", "fetch_attachments"})
"""Not there unless a directory of files is set."""

ITEM_JOBS = frozenset({"manage_items"})
"""Not there unless [manage_items] says where wanted items are."""

PAYMENT_JOBS = frozenset({"mark_invoices_paid", "export_payments"})
"""Not there unless they are enabled."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What jobs stand between."""

    precoro: Precoro
    attachments: AttachmentSource
    store: Store
    clock: Clock
    progress: Progress


def build_jobs(settings: Settings, sides: Sides) -> Mapping[str, Job]:
    jobs = {job.name: job for job in (*_mirror_jobs(settings, sides), *_file_jobs(settings, sides))}
    return {name: jobs[name] for name in JOB_NAMES if name in jobs}


def _mirror_jobs(settings: Settings, sides: Sides) -> Iterator[Job]:
    precoro, mirror, clock, progress = sides.precoro, sides.store.mirror, sides.clock, sides.progress
    collections, filters = chosen(settings)
    refresh_after = settings.resolve_custom_fields.refresh_after
    lister = Lister(precoro, mirror, clock, progress, settings.take_census.max_vanished)
    mirror_collections = MirrorCollections(lister, collections, filters, settings.mirror_collections.overlap)
    detailed = settings.fetch_details.collections
    fetch_details = FetchDetails(precoro, mirror, clock, progress, detailed, filters, carriers(settings))
    resolve_fields = ResolveCustomFields(precoro, sides.store.custom_fields, clock, progress, refresh_after)
    take_census = TakeCensus(lister, collections, filters, settings.take_census.every)
    begin = _Beginning(clock)

    async def details_due(_: bool) -> bool:
        return await fetch_details.due(before=begin()) > 0

    async def fields_due(_: bool) -> bool:
        return await resolve_fields.due(before=begin())

    async def census_due(ran: bool) -> bool:
        return not ran and bool(await take_census.due())

    yield Job("mirror_collections", _at_first, mirror_collections.lap)
    yield Job("fetch_details", details_due, fetch_details.lap)
    yield Job("resolve_custom_fields", fields_due, resolve_fields.lap)
    yield Job("take_census", census_due, take_census.lap, forced=partial(take_census.lap, forced=True))


def _file_jobs(settings: Settings, sides: Sides) -> Iterator[Job]:
    section = settings.fetch_attachments
    if section.directory is None:
        return
    book, clock = sides.store.attachments, sides.clock
    find_attachments = FindAttachments(
        precoro=sides.precoro,
        book=book,
        clock=clock,
        collections=[COLLECTIONS[name] for name in carriers(settings)],
        overlap=settings.mirror_collections.overlap,
        every=settings.take_census.every,
    )
    folders = partial(open_folder, section.directory, identity=identity(settings), reserve=section.reserve_bytes)
    fetch_attachments = FetchAttachments(
        source=sides.attachments,
        book=book,
        mirror=sides.store.mirror,
        folders=folders,
        clock=clock,
        progress=sides.progress,
        wanted=wanted_files(settings),
        in_flight=section.in_flight,
        patience=settings.precoro.timeout,
    )
    begin = _Beginning(clock)

    async def find_due(ran: bool) -> bool:
        return not ran and bool(carriers(settings))

    async def files_due(ran: bool) -> bool:
        due = await fetch_attachments.due(before=begin())
        return due > 0 or not ran  # the first lap of a run looks after the manifest too

    yield Job("find_attachments", find_due, find_attachments.lap)
    yield Job("fetch_attachments", files_due, fetch_attachments.lap)


async def _at_first(ran: bool) -> bool:
    return not ran


class _Beginning:
    """When this run first asked what is due: what it sets aside is not due again in it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: float | None = None

    def __call__(self) -> float:
        if self._at is None:
            self._at = self._clock.now()
        return self._at
