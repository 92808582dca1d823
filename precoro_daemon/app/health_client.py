"""how a service that runs somewhere is, as a health check asks it"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Sequence

from precoro_daemon.settings import Watch
from precoro_daemon.values.addresses import Address

_ANSWER_WITHIN_S = 5.0


def check_health(watch: Watch) -> Sequence[str]:
    """What ails it, in words; nothing if it is well. Blocking."""
    address = watch.listen
    if address is None:
        return ["nobody can ask how it is: set listen in [watch]"]
    asked = (
        LocalConnection(address.path, _ANSWER_WITHIN_S)
        if address.path
        else http.client.HTTPConnection(*_reached(address), timeout=_ANSWER_WITHIN_S)
    )
    try:
        asked.request("GET", "/healthz")
        answer = asked.getresponse()
        told = json.loads(answer.read(65_536))
    except OSError as error:
        return [f"{address} does not answer: {(error.strerror or str(error)).lower()}"]
    except (http.client.HTTPException, ValueError) as error:
        return [f"{address} does not answer as this program does: {error}"]
    finally:
        asked.close()
    reasons = told.get("reasons", []) if isinstance(told, dict) else []
    return [] if answer.status == 200 else [str(reason) for reason in reasons] or [f"it answers {answer.status}"]


def _reached(address: Address) -> tuple[str, int]:
    """Who listens everywhere is asked here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host), address.port  # noqa: S104


class LocalConnection(http.client.HTTPConnection):
    """To a Unix socket."""

    def __init__(self, path: str, patience: float) -> None:
        super().__init__("localhost", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise
