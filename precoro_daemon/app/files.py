"""where attached files are kept: a directory, or a bucket"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from precoro_daemon.app.state import identity, place, state_of
from precoro_daemon.settings import Settings
from precoro_daemon.settings.buckets import Bucket, BucketUrl

if TYPE_CHECKING:
    from precoro_daemon.files.ports.object_store import ObjectStore


def open_files(settings: Settings) -> AbstractAsyncContextManager[ObjectStore]:
    """The store of files that [fetch_attachments] names. Raises FolderUnusable, BucketUnusable."""
    section = settings.fetch_attachments
    assert section.directory is not None
    spool = spool_of(settings) if isinstance(section.directory, BucketUrl) else section.directory
    return open_place(settings, section.directory, section.bucket, spool, section.reserve_bytes)


def open_place(
    settings: Settings, place: Path | BucketUrl, bucket: Bucket, spool: Path, reserve: int = 0
) -> AbstractAsyncContextManager[ObjectStore]:
    """A directory or a bucket for files of this company. `spool`: where those for a bucket are written on their way;
    `reserve`: bytes of the disk that are left alone. Raises FolderUnusable, BucketUnusable."""
    if not isinstance(place, BucketUrl):
        from precoro_daemon.adapters.objects.directory import open_directory

        return open_directory(place, identity=identity(settings), reserve=reserve)
    from precoro_daemon.adapters.objects.bucket import open_bucket
    from precoro_daemon.adapters.objects.bucket_access import BucketAccess

    access = BucketAccess(
        scheme=place.scheme,
        bucket=place.name,
        prefix=place.prefix,
        endpoint=bucket.endpoint,
        region=bucket.region,
        virtual_hosted=bucket.virtual_hosted(place),
        access_key_id=bucket.access_key_id,
        secret=None if bucket.secret is None else bucket.secret.get_secret_value(),
        account=bucket.account,
        service_account=bucket.service_account_file,
        allow_http=bucket.plain,
        ca_file=bucket.ca_file,
        timeout=bucket.timeout,
    )
    return open_bucket(access, spool, identity=identity(settings), reserve=reserve)


def spool_of(settings: Settings) -> Path:
    """Where files are written on their way to a bucket."""
    return settings.fetch_attachments.bucket.spool or Path(f"{place(settings)}.spool")


def disk_of_files(settings: Settings) -> Path | None:
    """The directory on whose disk files are written."""
    place = settings.fetch_attachments.directory
    return spool_of(settings) if isinstance(place, BucketUrl) else place


def name_of_disk(settings: Settings) -> str:
    """How much room there is where files pass through says nothing about a bucket that takes none."""
    return "spool" if isinstance(settings.fetch_attachments.directory, BucketUrl) else "files"


async def read_manifest(settings: Settings, write: Callable[[Mapping[str, int | str | None]], None]) -> None:
    """A line for each file that is kept, also while a service holds the state. Raises StoreUnusable."""
    from precoro_daemon.files.manifest import kept_files, manifest_fields

    async with state_of(settings).open_read_only() as store:
        async for stored in kept_files(store.attachments):
            write(manifest_fields(stored))
