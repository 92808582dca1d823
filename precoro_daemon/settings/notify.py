"""[notify]: who is notified when something needs a person, and where signs of life are sent"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from precoro_daemon.runtime.schedules import Cron, Every
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Seconds, Turn, read_host


def _targets(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not text.split() or any("://" not in target for target in text.split()):
        raise ValueError
    return SecretStr(" ".join(text.split()))


def _address(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic wants this one
    parts = urlsplit(value.strip())
    read_host(parts.netloc)
    if parts.scheme not in ("http", "https"):
        raise ValueError
    return value.strip()


Targets = Annotated[
    SecretStr,
    BeforeValidator(_targets),
    Allowed('addresses as Apprise writes them ("mailtos://…", "slack://…"), separated by spaces, in one line'),
]
WebAddress = Annotated[str, BeforeValidator(_address), Allowed('"https://host/path"')]


class Notify(Section):
    """Messages when something begins to need a person and when it no longer does, by e-mail, Slack, Teams or any
    other service that Apprise knows; and a sign of life for a monitoring service, which raises an alarm when it
    stays away.
    """

    targets_file: Path | None = None
    """File with the addresses of the messages, in one line. It is refused if everyone can read it."""

    targets: Targets | None = Field(default=None, validate_default=True)
    """The addresses: from the environment, else from targets_file, else from systemd's credential notify_targets.
    Never in the configuration file.
    """

    digest: Turn | None = None
    """When to send a message that lists everything that needs a person at present, or says that nothing does: "0 8 *
    * 1-5". None: never.
    """

    heartbeat: WebAddress | None = None
    """Address that is requested while the service is ready, and after each --once that did not fail. None: no sign of
    life.
    """

    heartbeat_every: Annotated[Seconds, Field(ge=30)] = 300.0
    """Seconds between two signs of life. A monitoring service usually waits for some minutes more."""

    @field_validator("digest")
    @classmethod
    def _to_somebody(cls, digest: Every | Cron | None, info: ValidationInfo) -> Any:
        if digest is not None and info.data.get("targets") is None:
            raise Clash("nobody gets it; allowed: none, or targets_file too", also="notify.targets_file")
        return digest

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of the messages."""
        return () if self.targets is None else tuple(self.targets.get_secret_value().split())
