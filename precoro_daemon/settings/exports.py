"""[exports.NAME]: what leaves the mirror by itself, and where it goes"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.settings.buckets import Bucket, Place
from precoro_daemon.settings.databases import Database
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.state import SchemaName
from precoro_daemon.settings.values import Allowed, Clash, Lower, Seconds, one_of, read_list

EXPORTED = ("invoices", "credit_notes", *(name for name in COLLECTIONS if name != "invoices"))
"""Tables of records. Credit notes are among the mirror's invoices, and a table of their own."""

EXPORTED_LINES = (
    "invoice_lines",
    "credit_note_lines",
    "purchase_order_lines",
    "receipt_lines",
    "expense_lines",
    "purchase_requisition_lines",
    "warehouse_request_lines",
    "request_for_proposal_lines",
)
"""Tables of their lines."""

_EXPORT_KINDS = ("parquet", "sql")


def _exported(name: str) -> str:
    if name not in (*EXPORTED, *EXPORTED_LINES):
        raise ValueError
    return name


ExportName = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,29}$"), Allowed("up to 30 small letters, digits and _, a letter first")
]
ExportKind = Annotated[Literal["parquet", "sql"], Lower, one_of(_EXPORT_KINDS)]
ExportedTables = Annotated[
    tuple[Annotated[str, AfterValidator(_exported)], ...],
    BeforeValidator(read_list),
    AfterValidator(lambda names: tuple(dict.fromkeys(names))),
    one_of((*EXPORTED, *EXPORTED_LINES), "a list of"),
]


class ExportDatabase(Database):
    """A PostgreSQL database that people use."""

    @field_validator("url")
    @classmethod
    def _only_postgresql(cls, url: str) -> str:
        if not url.startswith("postgresql://"):
            raise Clash("is none of PostgreSQL; allowed: postgresql://user@host:port/database")
        return url


class Export(Section):
    """What follows the mirror by itself, each under a name of its own: [exports.lake], [exports.reports], … One that
    cannot go on never stops the others. None makes a call to Precoro."""

    kind: ExportKind
    """parquet: files of what changed, and a snapshot at times. sql: tables of a PostgreSQL database, which hold what
    the mirror's hold."""

    collections: ExportedTables = ()
    """Which tables. Empty, the default: those of all collections that are mirrored, without their lines."""

    directory: Place | None = None
    """parquet: where the files go: a directory, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix. It
    is made if only it itself is missing. Every export needs one of its own."""

    every: Seconds = 900.0
    """parquet: how long changes are gathered for one file of each table. Fewer and larger files are read faster."""

    snapshot_every: Seconds = 30 * 86_400.0
    """parquet: when a new series begins with a snapshot of the whole tables. Readers need none of the older files
    then."""

    bucket: Bucket = Field(default_factory=Bucket, validate_default=True)
    """How it is reached, if `directory` names a place in an object store."""

    schema_name: SchemaName = "precoro"
    """sql: the schema of the tables, made if it is not there. A table in it that is not of this export is left
    alone."""

    database: ExportDatabase | None = None
    """sql: where the tables are."""

    @field_validator("bucket")
    @classmethod
    def _of_that_place(cls, bucket: Bucket, info: ValidationInfo) -> Bucket:
        if info.data.get("directory") is not None:
            bucket.check(info.data["directory"])
        return bucket

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        needed = {"parquet": "directory", "sql": "database"}
        if getattr(self, needed[self.kind]) is None:
            raise Clash(f"missing; {self.kind} needs it", at=needed[self.kind])
        for key in sorted(self.model_fields_set & _OF_KINDS.keys()):
            if _OF_KINDS[key] != self.kind:
                raise Clash(f"is of kind {_OF_KINDS[key]}; this export is of kind {self.kind}", at=key)
        return self

    @property
    def target(self) -> str:
        """Where it goes, which no two may share."""
        return str(self.directory) if self.database is None else f"{self.database.url} {self.schema_name}"


_OF_KINDS = dict.fromkeys(("directory", "every", "snapshot_every", "bucket"), "parquet") | dict.fromkeys(
    ("schema_name", "database"), "sql"
)
"""Keys that mean something to one kind alone."""
