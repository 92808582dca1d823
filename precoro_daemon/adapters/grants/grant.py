"""a grant: what an accounting system issued at login, and its expiry"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from precoro_daemon.errors import DaemonError

_EARLY_S = 300.0
"""Seconds before its expiry at which a token is renewed: longer than a lap's last call may wait for its turn."""

_EARLY_SHARE = 0.2
"""The same as a share of its lifetime, if that is less."""

_SKEW_S = 60.0
"""A token issued further in the future shows that the clock was set back, and that its age is unknown."""


class GrantUnreadable(DaemonError):
    """The content of a grant file is not a grant of this version."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Everything that the file holds. Times are Unix seconds of this machine.

    kind           the ledger's kind
    whose          the organisation's name, for people
    client_secret  "" for a public client
    refresh_token  "" if there is none: a token is then requested with the client's secret
    issued_at      when the access token was requested, so its lifetime began no earlier
    ends_at        when an unused refresh token expires, None if unknown
    begun_at       when a refresh began that is not known to have ended: the vendor may already have a newer grant
    lost           the vendor's words when it no longer knew the grant, "" while it does
    lost_at        when the vendor said so
    trouble        why the last refresh failed, "" if it did not
    serial         grows with each write, so that an abandoned partial file shows whether it is the next version
    """

    kind: str
    token_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    revoke_url: str = ""
    scope: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    issued_at: float = 0.0
    expires_at: float = 0.0
    ends_at: float | None = None
    begun_at: float | None = None
    logged_in_at: float = 0.0
    refreshed_at: float | None = None
    whose: str = ""
    lost: str = ""
    lost_at: float = 0.0
    trouble: str = ""
    serial: int = 0

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Reads a file's content, which may be padded with zeros. Raises GrantUnreadable."""
        try:
            tree = json.loads(raw.rstrip(b"\0"))
        except (ValueError, RecursionError):
            tree = None
        if not isinstance(tree, dict) or not all(isinstance(tree.get(name), str) for name in _NEEDED):
            raise GrantUnreadable("it holds no grant")
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in tree.items() if name in known})

    @property
    def raw(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @property
    def secrets(self) -> Sequence[str]:
        return [text for text in (self.client_secret, self.access_token, self.refresh_token) if text]

    def is_fresh(self, now: float) -> bool:
        """Returns whether the access token may be sent and no refresh is due."""
        early = min(_EARLY_S, _EARLY_SHARE * (self.expires_at - self.issued_at))
        known = bool(self.access_token) and self.begun_at is None
        return known and self.issued_at - _SKEW_S <= now < self.expires_at - early

    def renewed(self, answer: TokenAnswer, asked_at: float) -> Self:
        """Returns the grant with the new tokens. If the vendor sends no new refresh token, the old one stays
        valid.
        """
        return replace(
            self,
            access_token=answer.access_token,
            refresh_token=answer.refresh_token or self.refresh_token,
            issued_at=asked_at,
            expires_at=asked_at + answer.lasts,
            ends_at=None if answer.unused_lasts is None else asked_at + answer.unused_lasts,
            begun_at=None,
            refreshed_at=asked_at,
            lost="",
            lost_at=0.0,
            trouble="",
        )


_NEEDED = ("kind", "token_url", "client_id")


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token endpoint issued.

    lasts         lifetime of the access token in seconds
    unused_lasts  seconds until an unused refresh token expires, None if unknown
    more          further fields of the answer, for the login
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    lasts: float = 0.0
    unused_lasts: float | None = None
    more: dict[str, Any] = field(default_factory=dict, repr=False)
