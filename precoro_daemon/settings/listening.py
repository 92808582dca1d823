"""[apply_deliveries] and [watch]: webhooks, health and metrics, and the addresses of both"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Hosts, Share, read_host
from precoro_daemon.values.addresses import Address, read_address

_SECRET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SHORTEST_SECRET_CHARS = 24
_PATH = re.compile(r"[!-~]*", re.ASCII)


def _address(value: object) -> object:
    return read_address(value) if isinstance(value, str) else value


def _path_secret(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not _SECRET.fullmatch(text.strip()):
        raise ValueError
    if len(text.strip()) < _SHORTEST_SECRET_CHARS:
        raise Clash(
            f"has {len(text.strip())} characters and could be guessed; "
            f"allowed: {_SHORTEST_SECRET_CHARS} or more. Make one with: openssl rand -hex 24"
        )
    return SecretStr(text.strip())


def _public(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic wants this one
    parts = urlsplit(value.strip())
    read_host(parts.netloc)  # a port that is none, white space, a name before an @
    if parts.scheme != "https" or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise ValueError
    return value.strip().rstrip("/")


Listen = Annotated[
    Address,
    BeforeValidator(_address),
    Allowed('an address and a port ("127.0.0.1:8470", "[::1]:8470"), or "unix:/run/precoro-daemon/name.sock"'),
]
PathSecret = Annotated[
    SecretStr,
    BeforeValidator(_path_secret),
    Allowed("24 or more letters, digits, - and _, in one line of secret_file"),
]
PublicUrl = Annotated[str, BeforeValidator(_public), Allowed('"https://host/path", without the secret')]


class ApplyDeliveries(Section):
    """Webhooks: records that Precoro announces are fetched at once."""

    listen: Listen | None = None
    """Address at which webhooks arrive. None: no webhooks; changes are found only by polling."""

    secret_file: Path | None = None
    """File that holds only the secret part of the webhooks' address. It is refused if everyone can read it."""

    secret: PathSecret | None = Field(default=None, validate_default=True)
    """The secret: from the environment, else from secret_file, else from systemd's credential webhook_secret. Never
    in the configuration file.
    """

    previous_secret_file: Path | None = None
    """File with the former secret, which stays valid while the file is named here."""

    previous_secret: PathSecret | None = None
    """The former secret, read in the same way as `secret`; systemd's credential is webhook_previous_secret."""

    public_url: PublicUrl | None = None
    """The public address, if a proxy is in front, so that the exact URL can be shown."""

    max_share: Share = 0.2
    """The largest share of a day's calls that deliveries may take, no matter who sends them."""

    @field_validator("secret", mode="after")
    @classmethod
    def _secret_where_it_listens(cls, secret: Any, info: ValidationInfo) -> Any:
        if info.data.get("listen") and secret is None:
            raise Clash(
                "missing; webhooks are not signed, and a secret address is all that protects them. "
                "Make one with: openssl rand -hex 24 > webhook-secret; chmod 600 webhook-secret",
                also="apply_deliveries.listen",
            )
        return secret

    @property
    def secrets(self) -> tuple[str, ...]:
        """The valid secrets; empty if webhooks are off."""
        given = (self.secret, self.previous_secret) if self.listen else ()
        return tuple(secret.get_secret_value() for secret in given if secret)

    @property
    def webhook_url(self) -> str | None:
        """The exact address to enter in Precoro, with its secret; None if webhooks are off. Without a public address,
        its beginning is a placeholder, because only the person who set up the proxy knows it.
        """
        listen = self.listen
        if listen is None or self.secret is None:
            return None
        base = self.public_url or f"http://{listen}"
        if self.public_url is None and listen.is_everywhere:
            base = f"http://<this machine>:{listen.port}"
        elif self.public_url is None and listen.is_local:
            base = "https://<your proxy>"
        return f"{base}/{self.secret.get_secret_value()}"


class Watch(Section):
    """Health, metrics and a page for people."""

    listen: Listen | None = None
    """Address of these pages. None: no pages. They have no login: keep them on this machine or behind a proxy."""

    hosts: Hosts = ()
    """Host names under which requests are accepted, besides IP addresses and localhost: a service name in a container
    network, the name that a proxy forwards. Other names are refused, because a foreign web page could make a local
    browser read these pages.
    """
