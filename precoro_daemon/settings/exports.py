"""[exports.NAME]: exports that follow the mirror, and where they go"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS, WITH_FILES
from precoro_daemon.settings.buckets import Bucket, Place
from precoro_daemon.settings.databases import Database
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.state import SchemaName
from precoro_daemon.settings.values import (
    Allowed,
    Clash,
    Hosts,
    InFlight,
    Lower,
    Seconds,
    one_of,
    read_host,
    read_list,
)

EXPORTED = {"invoices": "invoices", "credit_notes": "invoices"} | {name: name for name in COLLECTIONS}
"""Tables of records, each with its collection. Credit notes have a table of their own; in the mirror they belong to
the invoices.
"""

EXPORTED_LINES = {
    "invoice_lines": "invoices",
    "credit_note_lines": "invoices",
    "purchase_order_lines": "purchase_orders",
    "receipt_lines": "receipts",
    "expense_lines": "expenses",
    "purchase_requisition_lines": "purchase_requisitions",
    "warehouse_request_lines": "warehouse_requests",
    "request_for_proposal_lines": "requests_for_proposals",
}
"""Tables of the documents' lines, each with the collection of the documents."""

EXPORTED_PARTS = {
    "attachments": WITH_FILES,
    "document_custom_values": DOCUMENTS,
    "line_custom_values": DOCUMENTS,
    "item_custom_values": ("items",),
    "supplier_custom_values": ("suppliers",),
}
"""Tables of attached files and of values of custom fields, each with the collections that can have them."""

_EXPORT_KINDS = ("parquet", "sql", "push")


def _exported(name: str) -> str:
    if name not in (*EXPORTED, *EXPORTED_LINES, *EXPORTED_PARTS):
        raise ValueError
    return name


def _push_url(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic wants this one
    parts = urlsplit(value.strip())
    read_host(parts.netloc)  # a port that is none, white space, a name before an @
    if parts.scheme not in ("http", "https") or parts.fragment or not value.isprintable():
        raise ValueError
    return value.strip()


_SIGNING_PREFIX = "whsec_"
_SIGNING_BYTES = range(24, 65)
"""Number of bytes in a key. Standard Webhooks: 192 to 512 bits."""


def _signing_secret(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not text.strip().startswith(_SIGNING_PREFIX):
        raise ValueError
    if len(signing_key(text.strip())) not in _SIGNING_BYTES:
        raise Clash(
            "is not 24 to 64 bytes long; make one with: echo whsec_$(openssl rand -base64 32) > push-secret; "
            "chmod 600 push-secret"
        )
    return SecretStr(text.strip())


def signing_key(text: str) -> bytes:
    """Returns the bytes that a secret encodes. Raises ValueError."""
    return base64.b64decode(text.removeprefix(_SIGNING_PREFIX), validate=True)


PushUrl = Annotated[str, BeforeValidator(_push_url), Allowed('"https://host/path"')]
SigningSecret = Annotated[
    SecretStr, BeforeValidator(_signing_secret), Allowed("whsec_ and 24 to 64 bytes in base64, in one line of a file")
]
ExportKind = Annotated[Literal["parquet", "sql", "push"], Lower, one_of(_EXPORT_KINDS)]
ExportedTables = Annotated[
    tuple[Annotated[str, AfterValidator(_exported)], ...],
    BeforeValidator(read_list),
    AfterValidator(lambda names: tuple(dict.fromkeys(names))),
    one_of((*EXPORTED, *EXPORTED_LINES, *EXPORTED_PARTS), "a list of"),
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
    """An export that follows the mirror, under a name of its own: [exports.lake], [exports.reports], … A failing
    export never stops the others. Exports make no calls to Precoro.
    """

    kind: ExportKind
    """parquet: files of changed rows, and a snapshot from time to time. sql: tables of a PostgreSQL database with the
    same content as the mirror's. push: a signed POST for each changed record.
    """

    collections: ExportedTables = ()
    """The exported tables. Empty, the default: the tables of all mirrored collections, without lines, files and
    custom fields.
    """

    directory: Place | None = None
    """parquet: where the files go: a directory, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix. The
    directory is created, but its parent must exist. Each export needs a place of its own.
    """

    every: Seconds = 900.0
    """parquet: seconds for which changes are collected into one file of each table. Fewer and larger files are read
    faster.
    """

    snapshot_every: Seconds = 30 * 86_400.0
    """parquet: seconds between two snapshots of the whole tables. Each snapshot starts a new series, after which
    readers need none of the older files.
    """

    bucket: Bucket = Field(default_factory=Bucket, validate_default=True)
    """How the object store is reached, if `directory` names a place in one."""

    schema_name: SchemaName = "precoro"
    """sql: the schema of the tables, created if it does not exist. A table in it that does not belong to this export
    is left alone.
    """

    database: ExportDatabase | None = None
    """sql: the database with the tables."""

    url: PushUrl | None = None
    """push: the https address to which each record is posted."""

    secret_file: Path | None = None
    """push: file that holds only the secret that signs pushes: whsec_ and base64, as in Standard Webhooks. It is
    refused if everyone can read it.
    """

    secret: SigningSecret | None = None
    """The secret: from the environment, else from secret_file, else from a credential of systemd. Never in the
    configuration file.
    """

    previous_secret_file: Path | None = None
    """push: file with the former secret. While it is named here, pushes are signed with both secrets."""

    previous_secret: SigningSecret | None = None
    """The former secret, read in the same way as `secret`."""

    give_up_after: Seconds = 3 * 86_400.0
    """push: seconds for which a record that the receiver refuses is retried. Then it becomes a dead letter, until
    `exports replay`. Three days are longer than a weekend.
    """

    timeout: Seconds = 15.0
    """push: seconds that the receiver may take for one record."""

    in_flight: InFlight = 16
    """push: number of records that are sent concurrently. Two states of the same record are never sent
    concurrently.
    """

    allowed_hosts: Hosts = Field(default=())
    """push: hosts, as host or host:port, that may be private, local or without https. All other pushes go only to
    public addresses by https.
    """

    @field_validator("bucket")
    @classmethod
    def _of_that_place(cls, bucket: Bucket, info: ValidationInfo) -> Bucket:
        if info.data.get("directory") is not None:
            bucket.check(info.data["directory"])
        return bucket

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        needed = {"parquet": ("directory",), "sql": ("database",), "push": ("url", "secret")}
        for key in needed[self.kind]:
            if getattr(self, key) is None:
                raise Clash(f"missing; {self.kind} needs it", at=key)
        if self.kind == "push" and (lines := [name for name in self.collections if name in EXPORTED_LINES]):
            raise Clash(
                f"lines are not pushed by themselves: {', '.join(lines)}; a record has its own", at="collections"
            )
        for key in sorted(self.model_fields_set & _OF_KINDS.keys()):
            if _OF_KINDS[key] != self.kind:
                raise Clash(f"is of kind {_OF_KINDS[key]}; this export is of kind {self.kind}", at=key)
        return self

    @property
    def target(self) -> str:
        """The place to which the export writes. No two exports may share it."""
        if self.url is not None:
            return self.url
        return str(self.directory) if self.database is None else f"{self.database.url} {self.schema_name}"

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """push: the keys that sign, the present one first."""
        return tuple(signing_key(one.get_secret_value()) for one in (self.secret, self.previous_secret) if one)


_KEYS_OF_KINDS = {
    "parquet": ("directory", "every", "snapshot_every", "bucket"),
    "sql": ("schema_name", "database"),
    "push": (
        "url", "secret_file", "secret", "previous_secret_file", "previous_secret", "give_up_after", "timeout",
        "in_flight", "allowed_hosts",
    ),
}  # fmt: skip
_OF_KINDS = {key: kind for kind, keys in _KEYS_OF_KINDS.items() for key in keys}
"""Keys that belong to one kind only, each with its kind."""
