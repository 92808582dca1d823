"""how the login at the accounting system stands, and when a person must renew it"""

from __future__ import annotations

from dataclasses import dataclass

from precoro_daemon.quota.limits import SECONDS

WARN_DAYS = 14.0
"""Days before its end at which a grant that nobody uses needs a person. In use it is prolonged with each refresh."""


@dataclass(frozen=True, slots=True)
class GrantStatus:
    """The grant of one ledger. Times in Unix seconds.

    whose        the organisation; since: the login; refreshed_at: the last good refresh
    token_until  the access token runs out then, and is renewed before
    ends_at      the grant runs out then if it is not used; None: it does not
    lost         why nothing can be sent before somebody logs in again, "" if all is well
    trouble      why the last refresh failed, "" if it did not
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
        """Until a login is needed; None: none ever is, as far as is known."""
        if self.lost:
            return 0.0
        return None if self.ends_at is None else max(0.0, self.ends_at - now)

    def is_ending(self, now: float) -> bool:
        left = self.seconds_left(now)
        return left is not None and left < WARN_DAYS * SECONDS["day"]
