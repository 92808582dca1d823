"""the jobs of a run, and when each of them is due"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from precoro_daemon.adapters.objects.directory import open_folder
from precoro_daemon.adapters.state.sqlite.store import Store
from precoro_daemon.app.values import carriers, chosen, identity, wanted_files
from precoro_daemon.files.fetch_attachments import FetchAttachments
from precoro_daemon.files.find_attachments import FindAttachments
from precoro_daemon.files.ports import AttachmentSource
from precoro_daemon.mirror.apply_deliveries import ApplyDeliveries
from precoro_daemon.mirror.fetch_details import FetchDetails
from precoro_daemon.mirror.mirror_collections import MirrorCollections
from precoro_daemon.mirror.ports.precoro import Precoro
from precoro_daemon.mirror.resolve_custom_fields import ResolveCustomFields
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.scanning import Lister
from precoro_daemon.mirror.take_census import TakeCensus
from precoro_daemon.runtime.once import Job
from precoro_daemon.runtime.ports import Clock, LapReport
from precoro_daemon.runtime.schedules import Every
from precoro_daemon.settings import Settings
from precoro_daemon.status.progress import Progress

JOB_NAMES = (
    "mirror_collections", "apply_deliveries", "mark_invoices_paid", "export_payments", "manage_items",
    "find_attachments", "fetch_details", "resolve_custom_fields", "fetch_attachments", "backfill_details",
    "take_census",
)  # fmt: skip
"""In the order of a round: payments go by what the lists just brought; then what a person approved and waits for;
details of what the lists brought; what details name is fetched; older documents follow; a census comes when there is
nothing else to do."""

_LISTS = frozenset({"mirror_collections", "apply_deliveries", "take_census"})
_DETAILS = frozenset({"fetch_details", "backfill_details"})
_MINUTE, _HOUR, _DAY = Every(60.0), Every(3600.0), Every(86_400.0)

FILE_JOBS = frozenset({"find_attachments", "fetch_attachments"})
"""Not there unless a directory of files is set."""

ITEM_JOBS = frozenset({"manage_items"})
"""Not there unless [manage_items] says where wanted items are."""

DELIVERY_JOBS = frozenset({"apply_deliveries"})
"""Not there unless webhooks come in somewhere."""

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
    kinds = (_mirror_jobs, _delivery_jobs, _file_jobs)
    jobs = {job.name: job for kind in kinds for job in kind(settings, sides)}
    return {name: jobs[name] for name in JOB_NAMES if name in jobs}


def _mirror_jobs(settings: Settings, sides: Sides) -> Iterator[Job]:
    precoro, mirror, clock, progress = sides.precoro, sides.store.mirror, sides.clock, sides.progress
    collections, filters = chosen(settings)
    refresh_after = settings.resolve_custom_fields.refresh_after
    lister = _lister(settings, sides)
    mirror_collections = MirrorCollections(lister, collections, filters, settings.mirror_collections.overlap)
    detailed = settings.fetch_details.collections
    fetch_details = FetchDetails(
        precoro, mirror, clock, progress, detailed, filters, carriers(settings), settings.take_census.max_vanished
    )
    resolve_fields = ResolveCustomFields(precoro, sides.store.custom_fields, clock, progress, refresh_after)
    take_census = TakeCensus(lister, collections, filters, settings.take_census.every)

    async def census_due(ran: bool) -> bool:
        return not ran and bool(await take_census.due())

    yield Job(
        "mirror_collections",
        _at_first,
        mirror_collections.lap,
        schedule=settings.mirror_collections.every,
        group="lists",
    )
    recent = _Round(clock, replace(fetch_details, which="recent"))
    older = _Round(clock, replace(fetch_details, which="older"))
    yield Job("fetch_details", recent.due, recent.lap, forced=fetch_details.lap, after=_LISTS)
    yield Job("backfill_details", older.due, older.lap, after=_LISTS)
    fields = _Round(clock, resolve_fields)
    yield Job("resolve_custom_fields", fields.due, fields.lap, after=_LISTS | _DETAILS)
    yield Job(
        "take_census",
        census_due,
        take_census.lap,
        forced=partial(take_census.lap, forced=True),
        schedule=_HOUR,
        group="lists",
        yields_to=frozenset({"mirror_collections", "apply_deliveries"}),
    )


def _lister(settings: Settings, sides: Sides) -> Lister:
    return Lister(sides.precoro, sides.store.mirror, sides.clock, sides.progress, settings.take_census.max_vanished)


def _delivery_jobs(settings: Settings, sides: Sides) -> Iterator[Job]:
    if settings.apply_deliveries.listen is None:
        return
    deliveries = ApplyDeliveries(
        lister=_lister(settings, sides),
        deliveries=sides.store.deliveries,
        fields=sides.store.custom_fields,
        collections=settings.mirror_collections.collections,
        filters=chosen(settings)[1],
        detailed=settings.fetch_details.collections,
        overlap=settings.mirror_collections.overlap,
    )

    async def due(_: bool) -> bool:
        return await deliveries.due()

    yield Job("apply_deliveries", due, deliveries.lap, schedule=_MINUTE, group="lists")


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

    async def find_due(ran: bool) -> bool:
        return not ran and bool(carriers(settings))

    files = _Round(clock, fetch_attachments)

    async def files_or_manifest_due(ran: bool) -> bool:
        return await files.due(ran) or not ran  # the first lap of a run looks after the manifest too

    yield Job("find_attachments", find_due, find_attachments.lap, schedule=_DAY, after=_LISTS)
    yield Job(
        "fetch_attachments",
        files_or_manifest_due,
        files.lap,
        after=_DETAILS | {"find_attachments"},
    )


async def _at_first(ran: bool) -> bool:
    return not ran


class _Task(Protocol):
    async def due(self, *, before: float) -> int | bool: ...

    async def lap(self, *, before: float | None = None) -> LapReport: ...


class _Round:
    """A job whose failures are not due again in the run, or round, in which they were set aside."""

    def __init__(self, clock: Clock, task: _Task) -> None:
        self._clock = clock
        self._task = task
        self._begun: float | None = None

    async def due(self, ran: bool) -> bool:
        if not ran:
            self._begun = self._clock.now()
        assert self._begun is not None
        return bool(await self._task.due(before=self._begun))

    async def lap(self) -> LapReport:
        return await self._task.lap(before=self._begun)
