"""the section of attached files"""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from precoro_daemon.mirror.rules.collections import WITH_FILES
from precoro_daemon.settings.buckets import Bucket, Place
from precoro_daemon.settings.laziness import Lazy
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Bytes, FileCollections, Hosts, InFlight


class FetchAttachments(Section):
    """Files attached to documents, to disk or to a bucket."""

    directory: Place | None = None
    """Where files are kept. No default: without it no file is fetched. It is made if only it itself is missing.
    s3://bucket/prefix, gs://bucket/prefix and az://container/prefix name a place in an object store. Every
    configuration needs one of its own."""

    collections: FileCollections = WITH_FILES
    """Whose files: by default all collections that are mirrored and can have some; credit notes are among the
    invoices. Where [fetch_details] does not list one, only the details of records that carry files are fetched."""

    max_bytes: Bytes = 2**30
    """Larger files are left out, and named by `status`. A gigabyte is far above what people attach to an order."""

    in_flight: InFlight = 8
    """Files that come at the same time. The calls for them still leave one by one; more helps where files are large
    and the line is fast."""

    reserve_bytes: Bytes = 2**30
    """Free space that files leave on their disk. What else is on it, the state above all, must go on."""

    allowed_hosts: Hosts = Field(default=())
    """Hosts, as host or host:port, that files may come from though they are private, local or without https.
    Everywhere else only https and public addresses are followed."""

    bucket: Lazy[Bucket] = Field(default_factory=Bucket.model_construct, validate_default=True)
    """How it is reached, if `directory` names a place in an object store."""

    @field_validator("bucket")
    @classmethod
    def _of_that_place(cls, bucket: Bucket, info: ValidationInfo) -> Bucket:
        if "directory" in info.data:
            bucket.check(info.data["directory"])
        return bucket
