"""a grant: what an accounting system gave us at login, and until when it is good"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from precoro_daemon.errors import DaemonError

_EARLY_S = 300.0
"""Seconds before its end at which a token is renewed: longer than a lap's last call may wait for its turn."""

_EARLY_SHARE = 0.2
"""The same as a share of its life, where that is less."""

_SKEW_S = 60.0
"""A token that was issued that far in the future tells of a clock that was set back: nothing is known of its age."""


class GrantUnreadable(DaemonError):
    """What stands in a grant file is no grant of this version."""


@dataclass(frozen=True, slots=True)
class Grant:
    """All that the file holds. Times are Unix seconds of this machine.

    kind           of the ledger; whose: the organisation, for people
    client_secret  "" for a public client
    refresh_token  "" where there is none: a token is asked for with the client's secret
    issued_at      the access token was asked for then: whatever its life, it began no earlier
    ends_at        the refresh token runs out then if nobody uses it, None if nobody says
    begun_at       a refresh began then and is not known to have ended: the vendor may know a newer grant already
    lost           the vendor's words when it did not know the grant any more, "" while it does; lost_at: when
    trouble        why the last refresh failed, "" if it did not
    serial         grows by one with each writing, so that an abandoned partial file shows whether it is the next one
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
        """Raises GrantUnreadable. A file that was given more room than it needed ends in zeros."""
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
        """The access token may be sent, and no refresh is owed."""
        early = min(_EARLY_S, _EARLY_SHARE * (self.expires_at - self.issued_at))
        known = bool(self.access_token) and self.begun_at is None
        return known and self.issued_at - _SKEW_S <= now < self.expires_at - early

    def renewed(self, answer: TokenAnswer, asked_at: float) -> Self:
        """With what the vendor gave for it. A vendor that sends no new refresh token leaves the old one good."""
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
    """What a token endpoint gave.

    lasts         seconds of the access token
    unused_lasts  seconds until the refresh token runs out unused; None: nobody says
    more          what else it said, for the login
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    lasts: float = 0.0
    unused_lasts: float | None = None
    more: dict[str, Any] = field(default_factory=dict, repr=False)
