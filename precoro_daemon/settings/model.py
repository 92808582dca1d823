"""the whole configuration, with the rules between its sections"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from precoro_daemon.mirror.rules.collections import COLLECTIONS, STATUSES
from precoro_daemon.settings.attachments import FetchAttachments
from precoro_daemon.settings.custom_fields import ResolveCustomFields
from precoro_daemon.settings.fleet import Fleet
from precoro_daemon.settings.items import ManageItems
from precoro_daemon.settings.laziness import Later, Lazy, later, model_of
from precoro_daemon.settings.ledger import Ledger
from precoro_daemon.settings.listening import ApplyDeliveries, Watch
from precoro_daemon.settings.notify import Notify
from precoro_daemon.settings.payments import ExportPayments, MarkInvoicesPaid, Payments
from precoro_daemon.settings.sections import (
    Daemon,
    FetchDetails,
    Filters,
    Freshness,
    Limits,
    Log,
    MirrorCollections,
    Precoro,
    Section,
    TakeCensus,
)
from precoro_daemon.settings.state import State
from precoro_daemon.settings.values import Allowed, Clash, is_loopback

if TYPE_CHECKING:
    from precoro_daemon.settings.exports import Export
else:
    Export = later("exports", "Export")

ANY_NAME = "<name>"
"""In a path: stands for the names that the user gives to the tables of a section."""

SECRETS = (
    ("precoro", "token"),
    ("state", "password"),
    ("ledger", "sql", "password"),
    ("ledger", "rest", "token"),
    ("ledger", "xero", "token"),
    ("ledger", "quickbooks", "token"),
    ("ledger", "odoo", "token"),
    ("ledger", "business_central", "token"),
    ("manage_items", "sql", "password"),
    ("fetch_attachments", "bucket", "secret"),
    ("exports", ANY_NAME, "bucket", "secret"),
    ("exports", ANY_NAME, "database", "password"),
    ("exports", ANY_NAME, "secret"),
    ("exports", ANY_NAME, "previous_secret"),
    ("apply_deliveries", "secret"),
    ("apply_deliveries", "previous_secret"),
    ("notify", "targets"),
)
"""Values that must not be in the configuration file. Each has a file of its own, named by the key with _file
appended.
"""


JobOfPayments = TypeVar("JobOfPayments", MarkInvoicesPaid, ExportPayments)

ExportName = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,29}$"), Allowed("up to 30 small letters, digits and _, a letter first")
]

_INVOICE_STATUS = "mirror_collections.filters.invoices.status"


class Settings(BaseModel):
    """The whole configuration. `load` makes it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True, validate_default=True
    )

    precoro: Lazy[Precoro]
    state: Lazy[State] = Field(default_factory=State.model_construct)
    limits: Lazy[Limits] = Field(default_factory=Limits.model_construct)
    mirror_collections: Lazy[MirrorCollections] = Field(default_factory=MirrorCollections.model_construct)
    freshness: Lazy[Freshness] = Field(default_factory=Freshness.model_construct)
    fetch_details: Lazy[FetchDetails] = Field(default_factory=FetchDetails.model_construct)
    fetch_attachments: Lazy[FetchAttachments] = Field(default_factory=FetchAttachments.model_construct)
    resolve_custom_fields: Lazy[ResolveCustomFields] = Field(default_factory=ResolveCustomFields.model_construct)
    take_census: Lazy[TakeCensus] = Field(default_factory=TakeCensus.model_construct)
    ledger: Lazy[Ledger] = Field(default_factory=Ledger.model_construct)
    payments: Lazy[Payments] = Field(default_factory=Payments.model_construct)
    mark_invoices_paid: Lazy[MarkInvoicesPaid] = Field(default_factory=MarkInvoicesPaid.model_construct)
    export_payments: Lazy[ExportPayments] = Field(default_factory=ExportPayments.model_construct)
    manage_items: Lazy[ManageItems] = Field(default_factory=ManageItems.model_construct)
    exports: dict[ExportName, Lazy[Export]] = {}
    apply_deliveries: Lazy[ApplyDeliveries] = Field(default_factory=ApplyDeliveries.model_construct)
    watch: Lazy[Watch] = Field(default_factory=Watch.model_construct)
    notify: Lazy[Notify] = Field(default_factory=Notify.model_construct)
    daemon: Lazy[Daemon] = Field(default_factory=Daemon.model_construct)
    fleet: Lazy[Fleet] = Field(default_factory=Fleet.model_construct)
    log: Lazy[Log] = Field(default_factory=Log.model_construct)

    @field_validator("limits")
    @classmethod
    def _faster_only_in_rehearsal(cls, limits: Limits, info: ValidationInfo) -> Limits:
        precoro = info.data.get("precoro")
        if limits.time_scale != 1 and precoro and not is_loopback(precoro.origin):
            text = f"{limits.time_scale:g} is for rehearsals; allowed: 1, unless precoro.base_url is on this machine"
            raise Clash(text, at="time_scale")
        return limits

    @field_validator("freshness")
    @classmethod
    def _weighs_what_is_mirrored(cls, freshness: Freshness, info: ValidationInfo) -> Freshness:
        mirrored = info.data.get("mirror_collections")
        strays = [name for name in freshness.weights if mirrored and name not in mirrored.collections]
        if strays:
            text = (
                f"not mirrored, so there is nothing to weigh: {', '.join(strays)}; allowed: mirror it too, or drop it"
            )
            raise Clash(text, at=f"weights.{strays[0]}", also="mirror_collections.collections")
        return freshness

    @field_validator("mark_invoices_paid", "export_payments")
    @classmethod
    def _between_ledger_and_invoices(cls, job: JobOfPayments, info: ValidationInfo) -> JobOfPayments:
        """Raises Clash unless there are a ledger and mirrored invoices, because a payment needs both."""
        mirrored = info.data.get("mirror_collections")
        if job.enabled and mirrored and "invoices" not in mirrored.collections:
            text = "payments are matched with mirrored invoices; allowed: false, or mirror invoices too"
            raise Clash(text, at="enabled", also="mirror_collections.collections")
        ledger = info.data.get("ledger")
        if job.enabled and ledger and ledger.kind == "none":
            raise Clash(
                "there is no ledger to work with; allowed: false, or a [ledger] section that says where it is",
                at="enabled",
            )
        if job.enabled and mirrored:
            _refuse_hidden_invoices(job, mirrored)
        return job

    @field_validator("manage_items")
    @classmethod
    def _against_the_mirror(cls, items: ManageItems, info: ValidationInfo) -> ManageItems:
        mirrored = info.data.get("mirror_collections")
        if items.kind == "none" or not mirrored:
            return items
        if missing := [name for name in ("items", "suppliers") if name not in mirrored.collections]:
            text = f"needs the mirror of {' and '.join(missing)}; allowed: none, or mirror them too"
            raise Clash(text, at="kind", also="mirror_collections.collections")
        if mirrored.filter_of("items").modified_since:
            text = "the filter on items keeps out older ones, which would seem missing; allowed: none, or drop it"
            raise Clash(text, at="kind", also="mirror_collections.filters.items.modified_since")
        return items

    @field_validator("exports")
    @classmethod
    def _of_what_there_is(cls, exports: dict[str, Export], info: ValidationInfo) -> dict[str, Export]:
        if not exports:
            return exports
        from precoro_daemon.settings.exports import (  # noqa: PLC0415 - nothing of it where there are none
            EXPORTED,
            EXPORTED_LINES,
            EXPORTED_PARTS,
        )

        mirrored = info.data.get("mirror_collections")
        there = frozenset(mirrored.collections if mirrored else COLLECTIONS)
        kept = [name for name, collection in EXPORTED.items() if collection in there]
        more = [name for name, collection in EXPORTED_LINES.items() if collection in there]
        more += [name for name, collections in EXPORTED_PARTS.items() if not there.isdisjoint(collections)]
        for name, export in exports.items():
            if strays := [one for one in export.collections if one not in (*kept, *more)]:
                text = f"not mirrored, so there is nothing to export: {', '.join(strays)}"
                raise Clash(text, at=f"{name}.collections", also="mirror_collections.collections")
        used = [export.target for export in exports.values()]
        for name, export in exports.items():
            if used.count(export.target) > 1:
                key = {"parquet": "directory", "sql": "database.url", "push": "url"}[export.kind]
                at = f"{name}.{key}"
                raise Clash("is where another export writes too; allowed: a place of its own", at=at)
        return {
            name: one if one.collections else one.model_copy(update={"collections": tuple(kept)})
            for name, one in exports.items()
        }

    @field_validator("watch")
    @classmethod
    def _on_a_socket_of_its_own(cls, watch: Watch, info: ValidationInfo) -> Watch:
        deliveries = info.data.get("apply_deliveries")
        if watch.listen and deliveries and deliveries.listen and watch.listen.collides(deliveries.listen):
            text = f"{watch.listen} is where webhooks come in from outside; allowed: another port or socket"
            raise Clash(text, at="listen", also="apply_deliveries.listen")
        return watch

    @field_validator("daemon")
    @classmethod
    def _longer_than_a_call(cls, daemon: Daemon, info: ValidationInfo) -> Daemon:
        precoro, limits = info.data.get("precoro"), info.data.get("limits")
        if precoro and limits and limits.time_scale == 1 and daemon.stuck_after < 2 * precoro.timeout:
            least = f"{2 * precoro.timeout:g}s"
            text = f"{daemon.stuck_after:g}s is not twice the time that a call may take; allowed: {least} or more"
            raise Clash(text, at="stuck_after", also="precoro.timeout")
        return daemon

    @field_validator("fetch_details", "fetch_attachments")
    @classmethod
    def _of_what_is_mirrored(cls, section: Section, info: ValidationInfo) -> Section:
        """Reduces a default list to the mirrored collections. Raises Clash if a given list names a collection that is
        not mirrored.
        """
        wanted: tuple[str, ...] = section.collections  # type: ignore[attr-defined]
        mirrored = (
            info.data["mirror_collections"].collections if "mirror_collections" in info.data else tuple(COLLECTIONS)
        )
        kept = tuple(name for name in wanted if name in mirrored)
        if "collections" in section.model_fields_set and kept != wanted:
            strays = ", ".join(name for name in wanted if name not in kept)
            what = "detail" if isinstance(section, FetchDetails) else "fetch files of"
            text = f"not mirrored, so there is nothing to {what}: {strays}"
            raise Clash(text, at="collections", also="mirror_collections.collections")
        return section.model_copy(update={"collections": kept})


def _refuse_hidden_invoices(job: JobOfPayments, mirrored: MirrorCollections) -> None:
    """Raises Clash if a filter on status keeps invoices out of the mirror that the job's payments need."""
    names = ("approved", "partly_paid") if isinstance(job, MarkInvoicesPaid) else ("partly_paid", "paid")
    kept = mirrored.filter_of("invoices").status
    if kept and (hidden := [name for name in names if STATUSES[name] not in kept]):
        text = (
            f"the filter on invoices keeps out {' and '.join(hidden)} ones, which are needed; allowed: false, or add"
        )
        raise Clash(f"{text} {'it' if len(hidden) == 1 else 'them'}", at="enabled", also=_INVOICE_STATUS)


def file_keys(model: type[BaseModel] = Settings) -> frozenset[str]:
    """Returns the dotted names of all keys of a configuration file; `<collection>` and `<name>` stand for any
    name.
    """
    return frozenset(_keys(model)) - {".".join(path) for path in SECRETS}


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name == "filters":
            yield from (f"{name}.<collection>.{key}" for key in _keys(Filters))
        elif below := model_in(field.annotation):
            named = f"{name}.{ANY_NAME}" if name == "exports" else name
            yield from (f"{named}.{key}" for key in _keys(below))
        else:
            yield name


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Returns the section in an annotation, also if it is optional or one of several types; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, (BaseModel, Later)):
        return model_of(annotation)
    return next(filter(None, map(model_in, get_args(annotation))), None)
