"""[fetch_attachments.bucket], [exports.NAME.bucket]: how a bucket is reached"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import (
    Allowed,
    Clash,
    Lower,
    Seconds,
    is_loopback,
    one_of,
    read_header,
    read_origin,
    without_credentials,
)

Scheme = Literal["s3", "gs", "az"]

_BUCKET_SCHEMES = ("s3", "gs", "az")
_URL_PATTERN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}):/(.*)", re.ASCII | re.DOTALL)
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", re.ASCII)
_LONGEST_PREFIX_BYTES = 512
"""A key has at most 1,024 bytes, and a file's own path takes up to 300."""

_PLACE_FORMS = "a directory, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix"


@dataclass(frozen=True, slots=True)
class BucketUrl:
    """A place in an object store."""

    scheme: Scheme
    """The kind of store: Amazon S3 or compatible, Google, Azure."""

    name: str
    """The name of the bucket, or of the container."""

    prefix: str = ""
    """The beginning of all keys, without a slash at either end. May be empty."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.name}{'/' if self.prefix else ''}{self.prefix}"


def read_place(value: object) -> Path | BucketUrl:
    """Returns a path, or the address of a bucket. Raises Clash and ValueError."""
    if isinstance(value, Path | BucketUrl):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    found = _URL_PATTERN.fullmatch(value.strip())
    return _read_url(value.strip(), found[1].lower()) if found else Path(value)


def _read_url(text: str, scheme: str) -> BucketUrl:
    shown = without_credentials(text)
    rest = text.partition(":")[2]
    if scheme not in _BUCKET_SCHEMES:
        raise Clash(f'"{scheme}" is not supported; allowed: {_PLACE_FORMS}')
    name, _, prefix = rest.removeprefix("//").partition("/")
    prefix = prefix.rstrip("/")
    if not rest.startswith("//") or not _BUCKET_NAME.fullmatch(name):
        raise Clash(f'"{shown}" names no bucket; expected {scheme}://bucket/prefix, the key elsewhere')
    parts = prefix.split("/") if prefix else []
    if not prefix.isprintable() or any(part in ("", ".", "..") for part in parts) or set(prefix) & set("\\?#"):
        raise Clash(
            f'"{shown}" has a prefix that is not valid; expected names with one slash between, without . or ..'
        )
    if len(prefix.encode()) > _LONGEST_PREFIX_BYTES:
        raise Clash(f"the prefix has more than {_LONGEST_PREFIX_BYTES} bytes; keys have at most 1,024 in all")
    return BucketUrl(cast("Scheme", scheme), name, prefix)


def read_endpoint(value: str) -> str:
    """Returns the endpoint as an origin. Plain http is accepted here, because only `Bucket` knows `allow_http`."""
    value = value.strip()
    if not value.lower().startswith("http://"):
        return read_origin(value)
    return f"http{read_origin(f'https{value[4:]}').removeprefix('https')}"


Place = Annotated[Path | BucketUrl, BeforeValidator(read_place), Allowed(_PLACE_FORMS)]
Endpoint = Annotated[str, AfterValidator(read_endpoint), Allowed("https://host[:port]")]
Region = Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{1,40}$"), Allowed("a region's name, such as eu-central-1")]
KeyId = Annotated[str, Field(pattern=r"^[!-~]{1,200}$"), Allowed("the id of an access key, one word")]
Account = Annotated[str, Field(pattern=r"^[a-z0-9]{3,24}$"), Allowed("3 to 24 small letters and digits")]
Secret = Annotated[SecretStr, AfterValidator(read_header), Allowed("the secret key, one line in secret_file")]


class Bucket(Section):
    """How the object store is reached, if `directory` names a place in one. What is missing here comes from the
    platform: from the environment, or from the role of the machine.
    """

    allow_http: Annotated[bool, Allowed("true or false")] = False
    """Whether files may cross a network unencrypted. To this machine itself, plain http is always allowed."""

    endpoint: Endpoint | None = None
    """Address of a store that is not Amazon's, Google's or Azure's own: https://host[:port]."""

    region: Region | None = None
    """S3: the region of the bucket. No default: without it, the region of the environment, else us-east-1. A wrong
    region is refused.
    """

    addressing: Annotated[Literal["auto", "path", "virtual"], Lower, one_of(("auto", "path", "virtual"))] = "auto"
    """S3: whether the bucket's name is part of the path or of the host. auto: part of the host at Amazon; part of the
    path if there is an endpoint or the name has a dot in it, as certificates and most other stores require.
    """

    access_key_id: KeyId | None = None
    """S3: the id of the access key. It needs a secret; without both, the platform's own key is used."""

    account: Account | None = None
    """Azure: the storage account."""

    secret_file: Path | None = None
    """File that holds only the secret access key (S3) or the account key (Azure). It is refused if everyone can read
    it.
    """

    secret: Secret | None = None
    """The secret key: from the environment, else from secret_file, else from systemd's credential bucket_secret.
    Never in the configuration file.
    """

    service_account_file: Path | None = None
    """Google: the JSON file of a service account. Without it, the platform's own account is used."""

    ca_file: Path | None = None
    """Certificates that are trusted for the store, if the system's are not the right ones."""

    timeout: Seconds = 30.0
    """Seconds until a request of at most 5 MiB must be answered, and the longest pause within an answer. A line of 2
    Mbit/s is fast enough.
    """

    spool: Path | None = None
    """Directory in which files are written and checked on their way to the bucket. No default: without it, a
    directory beside the state, with its name and `.spool`. It needs room for `in_flight` files.
    """

    @field_validator("endpoint")
    @classmethod
    def _encrypted(cls, endpoint: str | None, info: ValidationInfo) -> str | None:
        if endpoint and endpoint.startswith("http://") and not (is_loopback(endpoint) or info.data.get("allow_http")):
            raise Clash("would send files unencrypted; allowed: https, or allow_http = true beside it")
        return endpoint

    @property
    def plain(self) -> bool:
        return self.allow_http or bool(self.endpoint and self.endpoint.startswith("http://"))

    def virtual_hosted(self, url: BucketUrl) -> bool:
        if self.addressing == "auto":
            return self.endpoint is None and "." not in url.name
        return self.addressing == "virtual"

    def check(self, place: Path | BucketUrl | None) -> None:
        """Raises Clash if these keys do not fit the place."""
        given = self.model_fields_set
        if not isinstance(place, BucketUrl):
            if given:
                raise Clash(
                    "there is no bucket to reach; allowed: nothing, unless directory begins with s3://, gs:// or az://",
                    also="fetch_attachments.directory",
                )
            return
        for key in sorted(given & _STRANGE[place.scheme]):
            raise Clash(f"is nothing that {place.scheme}:// has", at=key, also="fetch_attachments.directory")
        if place.scheme == "s3" and self.access_key_id and not self.secret:
            raise Clash("has no secret to it; allowed: secret_file beside it", at="access_key_id")
        if place.scheme == "s3" and self.secret and not self.access_key_id:
            raise Clash("the secret is there, but not the id of its key", at="access_key_id")
        if place.scheme == "az" and self.secret and not self.account:
            raise Clash("the secret is there, but not the account it is of", at="account")


_STRANGE = {
    "s3": frozenset({"account", "service_account_file"}),
    "gs": frozenset({"account", "access_key_id", "secret", "secret_file", "region", "addressing"}),
    "az": frozenset({"access_key_id", "service_account_file", "region", "addressing"}),
}
"""Keys that have no meaning for a kind of store."""
