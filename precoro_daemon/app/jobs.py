"""the jobs of a company, and the place of each in the plan"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from precoro_daemon.app.files import open_files
from precoro_daemon.app.values import chosen, only_with_attachments, wanted_files
from precoro_daemon.mirror.details import DetailAnswers, Details
from precoro_daemon.mirror.fetch_details import FetchDetails
from precoro_daemon.mirror.mirror_collections import MirrorCollections, PollCollections
from precoro_daemon.mirror.resolve_custom_fields import ResolveCustomFields
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.scanning import Lister
from precoro_daemon.mirror.take_census import TakeCensus
from precoro_daemon.runtime.job import Registration
from precoro_daemon.runtime.schedules import Every

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.ports import Store
    from precoro_daemon.catalogue.ports.gateway import ItemGateway
    from precoro_daemon.files.ports.source import AttachmentSource
    from precoro_daemon.mirror.polling import Polling
    from precoro_daemon.mirror.ports.precoro import Precoro
    from precoro_daemon.mirror.sentinel import Sentinel
    from precoro_daemon.runtime.ports import Clock
    from precoro_daemon.settings import Settings
    from precoro_daemon.status.progress import Progress

JOB_NAMES = (
    "mirror_collections", "apply_deliveries", "mark_invoices_paid", "export_payments", "manage_items",
    "find_attachments", "fetch_details", "resolve_custom_fields", "fetch_attachments", "backfill_details",
    "follow_exports", "take_census",
)  # fmt: skip
"""In the order of a round: payments go by what the lists just brought; then what a person approved and waits for;
details of what the lists brought; what details name is fetched; older documents follow; then all of it goes
out; a census comes when there is nothing else to do."""

LISTS = frozenset({"mirror_collections", "apply_deliveries", "take_census"})
_DETAIL_JOBS = frozenset({"fetch_details", "backfill_details"})
_EVERY_MINUTE, _EVERY_HOUR, _EVERY_DAY = Every(60.0), Every(3600.0), Every(86_400.0)

FILE_JOBS = frozenset({"find_attachments", "fetch_attachments"})
"""Not there unless a directory of files is set."""

ITEM_JOBS = frozenset({"manage_items"})
"""Not there unless [manage_items] says where wanted items are."""

DELIVERY_JOBS = frozenset({"apply_deliveries"})
"""Not there unless webhooks come in somewhere."""

EXPORT_JOBS = frozenset({"follow_exports"})
"""Not there unless there is an [exports.NAME]."""

PAYMENT_JOBS = frozenset({"mark_invoices_paid", "export_payments"})
"""Not there unless they are enabled."""


class Gateways(Protocol):
    """What only some companies need of Precoro: built when it is asked for."""

    @property
    def attachments(self) -> AttachmentSource: ...

    @property
    def items(self) -> ItemGateway: ...


class Dependencies(Struct, frozen=True):
    """What the jobs work with."""

    precoro: Precoro
    gateways: Gateways
    store: Store
    answers: DetailAnswers
    clock: Clock
    progress: Progress
    polling: Polling
    sentinel: Sentinel


def build_jobs(settings: Settings, given: Dependencies, *, planned: bool) -> Iterator[Registration]:
    """All but those of payments, which need a ledger. `planned`: lists have their turns by their worth."""
    lister = _lister(settings, given)
    yield _list_job(settings, given, lister, planned=planned)
    yield from _mirror_jobs(settings, given, lister)
    yield from _delivery_jobs(settings, given, lister)
    yield from _file_jobs(settings, given)
    yield from _item_jobs(settings, given)
    yield from _export_jobs(settings, given)


def in_order(*jobs: Registration) -> Mapping[str, Registration]:
    """By name, in the order of a round."""
    named = {job.name: job for job in jobs}
    return {name: named[name] for name in JOB_NAMES if name in named}


def _list_job(settings: Settings, given: Dependencies, lister: Lister, *, planned: bool) -> Registration:
    collections, filters = chosen(settings)
    every = MirrorCollections(lister, collections, filters, settings.mirror_collections.overlap)
    if not planned:
        return Registration(every)
    polls = PollCollections(every, given.polling)
    return Registration(polls, schedule=given.polling, after=frozenset({"mark_invoices_paid"}))


def _mirror_jobs(settings: Settings, given: Dependencies, lister: Lister) -> Iterator[Registration]:
    precoro, clock, progress = given.precoro, given.clock, given.progress
    collections, filters = chosen(settings)
    detailed = settings.fetch_details.collections
    details = FetchDetails(_details(settings, given), progress, detailed, only_with_attachments(settings))
    yield Registration(replace(details, which="recent"), forced=details, after=LISTS)
    yield Registration(replace(details, which="older"), after=LISTS)
    refresh_after = settings.resolve_custom_fields.refresh_after
    fields = ResolveCustomFields(
        precoro, given.store.change_log, given.store.custom_fields, clock, progress, refresh_after
    )
    yield Registration(fields, after=LISTS | _DETAIL_JOBS)
    census = TakeCensus(lister, collections, filters, settings.take_census.every)
    yield Registration(census, forced=replace(census, forced=True), schedule=_EVERY_HOUR)


def _lister(settings: Settings, given: Dependencies) -> Lister:
    return Lister(
        precoro=given.precoro,
        mirror=given.store.mirror,
        clock=given.clock,
        progress=given.progress,
        max_vanished=settings.take_census.max_vanished,
        observer=given.polling,
        shapes=given.sentinel,
    )


def _details(settings: Settings, given: Dependencies) -> Details:
    filters, max_vanished = chosen(settings)[1], settings.take_census.max_vanished
    return Details(given.precoro, given.answers, filters, max_vanished, given.sentinel)


def _delivery_jobs(settings: Settings, given: Dependencies, lister: Lister) -> Iterator[Registration]:
    if settings.apply_deliveries.listen is None:
        return
    from precoro_daemon.mirror.apply_deliveries import ApplyDeliveries

    deliveries = ApplyDeliveries(
        lister=lister,
        details=_details(settings, given),
        deliveries=given.store.deliveries,
        fields=given.store.custom_fields,
        collections=settings.mirror_collections.collections,
        filters=chosen(settings)[1],
        detailed=settings.fetch_details.collections,
        overlap=settings.mirror_collections.overlap,
    )
    yield Registration(deliveries, schedule=_EVERY_MINUTE)


def _file_jobs(settings: Settings, given: Dependencies) -> Iterator[Registration]:
    section = settings.fetch_attachments
    if section.directory is None:
        return
    from precoro_daemon.files.fetch_attachments import FetchAttachments
    from precoro_daemon.files.find_attachments import FindAttachments

    book, clock = given.store.attachments, given.clock
    find_attachments = FindAttachments(
        precoro=given.precoro,
        book=book,
        clock=clock,
        collections=[COLLECTIONS[name] for name in only_with_attachments(settings)],
        overlap=settings.mirror_collections.overlap,
        every=settings.take_census.every,
        skew=given.store.mirror.skew,
    )
    fetch_attachments = FetchAttachments(
        source=given.gateways.attachments,
        log=given.store.change_log,
        book=book,
        mirror=given.store.mirror,
        stores=partial(open_files, settings),
        clock=clock,
        progress=given.progress,
        wanted=wanted_files(settings),
        in_flight=section.in_flight,
        patience=settings.precoro.timeout,
    )
    yield Registration(find_attachments, schedule=_EVERY_DAY, after=LISTS)
    yield Registration(fetch_attachments, after=_DETAIL_JOBS | {"find_attachments"})


def _item_jobs(settings: Settings, given: Dependencies) -> Iterator[Registration]:
    if settings.manage_items.kind != "none":
        from precoro_daemon.catalogue.manage_items import ManageItems

        items = given.gateways.items
        yield Registration(ManageItems(given.store.catalogue, items, given.clock, settings.manage_items.keep))


def _export_jobs(settings: Settings, given: Dependencies) -> Iterator[Registration]:
    if settings.exports:
        from precoro_daemon.app.following import build_exports

        exports = build_exports(settings, given.store, given.clock)
        yield Registration(exports, schedule=_EVERY_MINUTE, after=LISTS | _DETAIL_JOBS)
