"""[apply_deliveries] and [watch]: what others may ask of the program, and where it listens"""

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
    """Webhooks: what Precoro announces is fetched at once."""

    listen: Listen | None = None
    """Where webhooks come in. None: nowhere, and polling alone finds what changed."""

    secret_file: Path | None = None
    """File that holds the secret part of the webhooks' address and nothing else, readable by nobody else."""

    secret: PathSecret | None = Field(default=None, validate_default=True)
    """From the environment, else secret_file, else systemd's credential webhook_secret; never in the file."""

    previous_secret_file: Path | None = None
    """File with the former secret, which is valid too as long as it is named here."""

    previous_secret: PathSecret | None = None
    """As `secret`; systemd's credential is webhook_previous_secret."""

    public_url: PublicUrl | None = None
    """What the address is from outside, where a proxy stands in front; so that the exact URL can be shown."""

    max_share: Share = 0.2
    """Share of a day's calls that deliveries may take at most, no matter who sends them."""

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
        """Those that lead here; none where no webhook comes in."""
        given = (self.secret, self.previous_secret) if self.listen else ()
        return tuple(secret.get_secret_value() for secret in given if secret)

    @property
    def webhook_url(self) -> str | None:
        """The exact address to enter in Precoro, with its secret; None where no webhook comes in. Without a public
        address its beginning is left open: only the person who set up the proxy knows it."""
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
    """Where those who watch may ask. None: nowhere. It has no login: keep it on this machine or behind a proxy."""

    hosts: Hosts = ()
    """Names under which it may be asked, beside addresses and localhost: a service name in a container network, the
    name that a proxy passes on. Any other is refused: a web page elsewhere could make a browser here ask for it."""
