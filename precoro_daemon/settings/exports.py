"""[exports.NAME]: what leaves the mirror by itself, and where it goes"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.settings.buckets import Bucket, Place
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Lower, Seconds, one_of, read_list

EXPORTED = ("invoices", "credit_notes", *(name for name in COLLECTIONS if name != "invoices"))
"""Tables of records. Credit notes are among the mirror's invoices, and a table of their own."""

_EXPORT_KINDS = ("parquet",)


def _exported(name: str) -> str:
    if name not in EXPORTED:
        raise ValueError
    return name


ExportName = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,29}$"), Allowed("up to 30 small letters, digits and _, a letter first")
]
ExportKind = Annotated[Literal["parquet"], Lower, one_of(_EXPORT_KINDS)]
ExportedTables = Annotated[
    tuple[Annotated[str, AfterValidator(_exported)], ...],
    BeforeValidator(read_list),
    AfterValidator(lambda names: tuple(dict.fromkeys(names))),
    one_of(EXPORTED, "a list of"),
]


class Export(Section):
    """What follows the mirror by itself, each under a name of its own: [exports.lake], [exports.reports], … One that
    cannot go on never stops the others. None makes a call to Precoro."""

    kind: ExportKind
    """parquet: files of what changed, and a snapshot at times."""

    collections: ExportedTables = ()
    """Which tables. Empty, the default: those of all collections that are mirrored."""

    directory: Place
    """Where the files go: a directory, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix. It is made
    if only it itself is missing. Every export needs one of its own."""

    every: Seconds = 900.0
    """How long changes are gathered for one file of each table. Fewer and larger files are read faster."""

    snapshot_every: Seconds = 30 * 86_400.0
    """When a new series begins with a snapshot of the whole tables. Readers need none of the older files then."""

    bucket: Bucket = Field(default_factory=Bucket, validate_default=True)
    """How it is reached, if `directory` names a place in an object store."""

    @field_validator("bucket")
    @classmethod
    def _of_that_place(cls, bucket: Bucket, info: ValidationInfo) -> Bucket:
        if "directory" in info.data:
            bucket.check(info.data["directory"])
        return bucket
