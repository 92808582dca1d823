"""access to a bucket: its address, its credentials, and a client with short timeouts"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from precoro_daemon.errors import BucketUnusable, FolderUnusable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_BUCKET_CONNECT_S = 5
_LONGEST_READ_S = 3_600
"""The longest read of one whole object, however large. A stalled read is noticed much sooner."""

_BUCKET_RETRIES = 2
_BUCKET_RETRYING_S = 15
"""The library's default of ten retries in three minutes would stall a lap for as long."""

_LIBRARY_MISSING = "files in a bucket need the package obstore; run: pip install 'precoro-daemon[object-stores]'"


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """How to reach a bucket. Values that are None come from the platform: its environment, or the machine's role.

    prefix           the prefix of all keys, "" for the whole bucket
    virtual_hosted   the bucket's name is part of the host, not of the path
    account          the Azure account
    service_account  Google's key file
    timeout          seconds until an answer begins, and between two pieces of it
    """

    scheme: Literal["s3", "gs", "az"]
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    virtual_hosted: bool = False
    access_key_id: str | None = None
    secret: str | None = None
    account: str | None = None
    service_account: Path | None = None
    allow_http: bool = False
    ca_file: Path | None = None
    timeout: float = 30.0

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}{'/' if self.prefix else ''}{self.prefix}"

    def __repr__(self) -> str:
        return f"BucketAccess({self})"


def connect(access: BucketAccess) -> ObjectStore:
    """Creates a client without sending anything. Blocking: imports the library. Raises FolderUnusable,
    BucketUnusable.
    """
    try:
        from obstore.exceptions import BaseError
        from obstore.store import AzureStore, GCSStore, S3Store
    except ImportError:
        raise FolderUnusable(f"{access}: {_LIBRARY_MISSING}") from None
    client, retries = _client(access), _retries()
    try:
        match access.scheme:
            case "s3":
                return S3Store(access.bucket, client_options=client, retry_config=retries, **_of_s3(access))
            case "gs":
                return GCSStore(access.bucket, client_options=client, retry_config=retries, **_of_google(access))
            case "az":
                return AzureStore(access.bucket, client_options=client, retry_config=retries, **_of_azure(access))
    except (BaseError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BucketUnusable(f"{access}: its settings are not accepted: {reason}") from None


def _given(**values: str | bool | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _of_s3(access: BucketAccess) -> dict[str, Any]:
    return _given(
        endpoint=access.endpoint,
        region=access.region,
        virtual_hosted_style_request=access.virtual_hosted,
        access_key_id=access.access_key_id,
        secret_access_key=access.secret,
    )


def _of_google(access: BucketAccess) -> dict[str, Any]:
    key = None if access.service_account is None else str(access.service_account)
    return _given(base_url=access.endpoint, service_account=key)


def _of_azure(access: BucketAccess) -> dict[str, Any]:
    return _given(endpoint=access.endpoint, account_name=access.account, account_key=access.secret)


def _client(access: BucketAccess) -> ClientConfig:
    options: ClientConfig = {
        "timeout": timedelta(seconds=_LONGEST_READ_S),
        "read_timeout": timedelta(seconds=access.timeout),
        "connect_timeout": timedelta(seconds=min(_BUCKET_CONNECT_S, access.timeout)),
        "allow_http": access.allow_http,
    }
    if access.ca_file is not None:
        try:
            options["root_certificate"] = access.ca_file.read_bytes()
        except OSError as error:
            raise BucketUnusable(f"{access}: ca_file {access.ca_file} cannot be read: {error.strerror}") from None
    return options


def _retries() -> RetryConfig:
    return {
        "max_retries": _BUCKET_RETRIES,
        "retry_timeout": timedelta(seconds=_BUCKET_RETRYING_S),
        "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=2), "base": 2},
    }
