"""who calls Precoro, and the one origin that may know it"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are, and the one origin that may know it."""

    origin: str
    token: str = field(repr=False)
    email: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, str]:
        return (self.token, self.email)

    @property
    def fingerprint(self) -> str:
        """Differs whenever any of the three does; tells nothing about them."""
        return blake2b("\0".join((self.origin, *self.secrets)).encode(), digest_size=16).hexdigest()
