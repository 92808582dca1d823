"""the credentials for Precoro, and the one origin that may get them"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials, and the one origin that may get them."""

    origin: str
    token: str = field(repr=False)
    email: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, str]:
        return (self.token, self.email)

    @property
    def fingerprint(self) -> str:
        """Differs whenever any of the three does; reveals nothing about them."""
        return blake2b("\0".join((self.origin, *self.secrets)).encode(), digest_size=16).hexdigest()
