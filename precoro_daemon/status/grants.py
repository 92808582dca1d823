"""the login at the accounting system, and when a person must renew it"""

from __future__ import annotations

from dataclasses import dataclass

from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.values.humanize import moment

WARN_DAYS = 14.0
"""Days before its expiry at which an unused grant needs a person. In use, each refresh extends it."""

_STUCK_S = 3600.0
"""Seconds for which a token may be expired before that needs a person: a vendor's outage is usually over by then."""


@dataclass(frozen=True, slots=True)
class GrantStatus:
    """The grant of one ledger. Times in Unix seconds.

    whose         the organisation
    since         the time of the login
    refreshed_at  the last successful refresh
    token_until   when the access token expires; it is renewed before
    ends_at       when the unused grant expires, None if it does not
    lost          why nothing can be sent before a new login, "" if all is well
    trouble       why the last refresh failed, "" if it did not
    """

    kind: str
    whose: str = ""
    since: float | None = None
    refreshed_at: float | None = None
    token_until: float | None = None
    ends_at: float | None = None
    lost: str = ""
    trouble: str = ""

    def seconds_left(self, now: float) -> float | None:
        """Returns the seconds until a login is needed, None if none ever is, as far as is known."""
        if self.lost:
            return 0.0
        return None if self.ends_at is None else max(0.0, self.ends_at - now)

    @property
    def words(self) -> str:
        """The organisation, and until when the unused grant is valid, or why it is lost."""
        if self.lost:
            return f"Login at {self.kind}: {self.lost}."
        until = f", good until {moment(self.ends_at)} and prolonged by use" if self.ends_at else ""
        return f"Login at {self.kind}: {self.whose or 'unknown company'}{until}."

    def is_stuck(self, now: float) -> bool:
        """Returns whether the token has expired and refreshing it keeps failing."""
        return bool(self.trouble) and not self.lost and (self.token_until or 0.0) < now - _STUCK_S

    def is_ending(self, now: float) -> bool:
        left = self.seconds_left(now)
        return left is not None and left < WARN_DAYS * SECONDS["day"]
