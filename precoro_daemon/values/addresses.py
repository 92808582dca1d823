"""where the program listens: host and port, or a Unix socket"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Either host and port (0 for any free port), or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is reachable from this machine only."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_everywhere(self) -> bool:
        """Whether it includes every address of this machine."""
        return self.host in ("0.0.0.0", "::")  # noqa: S104

    def collides(self, other: Address) -> bool:
        """Returns whether the two addresses cannot both be listened on."""
        if self.path or other.path:
            return self.path == other.path
        same = self.host == other.host or self.is_everywhere or other.is_everywhere
        return self.port == other.port != 0 and same

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str) -> Address:
    """ "127.0.0.1:8470", "[::1]:8470", "unix:/run/precoro-daemon/webhooks.sock" → Address. Raises ValueError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        # The kernel keeps 108 bytes of a socket's path, its end included.
        if not path.startswith("/") or "\0" in path or len(path.encode()) > 107:
            raise ValueError(text)
        return Address(path=path)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(text)
    if host.startswith("["):
        return Address(str(ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]"))), int(port))
    if host != "localhost":
        ipaddress.IPv4Address(host)
    return Address(host, int(port))
