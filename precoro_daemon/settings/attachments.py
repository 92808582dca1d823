"""[fetch_attachments]: attached files"""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from precoro_daemon.mirror.rules.collections import WITH_FILES
from precoro_daemon.settings.buckets import Bucket, Place
from precoro_daemon.settings.laziness import Lazy
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Bytes, FileCollections, Hosts, InFlight


class FetchAttachments(Section):
    """Downloads files attached to documents, to a disk or to a bucket."""

    directory: Place | None = None
    """Where files are kept. No default: without it, no file is fetched. The directory is created, but its parent must
    exist. s3://bucket/prefix, gs://bucket/prefix and az://container/prefix name a place in an object store. Each
    configuration needs a place of its own.
    """

    collections: FileCollections = WITH_FILES
    """The collections whose files are fetched. By default all mirrored collections that can have files; credit notes
    belong to the invoices. If [fetch_details] does not list a collection, only the details of its records with
    files are fetched.
    """

    max_bytes: Bytes = 2**30
    """Larger files are skipped, and `status` names them. A gigabyte is far above what people attach to an order."""

    in_flight: InFlight = 8
    """Number of concurrent downloads. The calls for them still leave one by one. More downloads help if files are
    large and the network is fast.
    """

    reserve_bytes: Bytes = 2**30
    """Free space that downloads leave on the disk of the files, so that the other users of the disk, the state above
    all, can continue.
    """

    allowed_hosts: Hosts = Field(default=())
    """Hosts, as host or host:port, from which files may come although they are private, local or without https. All
    other files must come from a public address by https.
    """

    bucket: Lazy[Bucket] = Field(default_factory=Bucket.model_construct, validate_default=True)
    """How the object store is reached, if `directory` names a place in one."""

    @field_validator("bucket")
    @classmethod
    def _of_that_place(cls, bucket: Bucket, info: ValidationInfo) -> Bucket:
        if "directory" in info.data:
            bucket.check(info.data["directory"])
        return bucket
