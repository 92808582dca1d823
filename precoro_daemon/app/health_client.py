"""the health client: checks how a service is that runs somewhere"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Sequence

from precoro_daemon.settings import Watch
from precoro_daemon.values.addresses import Address

_ANSWER_WITHIN_S = 5.0


def check_health(watch: Watch) -> Sequence[str]:
    """Why it is not healthy; nothing if it is. Blocking."""
    address = watch.listen
    if address is None:
        return ["its health cannot be checked: set listen in [watch]"]
    connection = (
        LocalConnection(address.path, _ANSWER_WITHIN_S)
        if address.path
        else http.client.HTTPConnection(*_reached(address), timeout=_ANSWER_WITHIN_S)
    )
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        found = json.loads(answer.read(2**20))
    except OSError as error:
        return [f"{address} does not answer: {(error.strerror or str(error)).lower()}"]
    except (http.client.HTTPException, ValueError) as error:
        return [f"{address} does not answer as this program does: {error}"]
    finally:
        connection.close()
    reasons = found.get("reasons", []) if isinstance(found, dict) else []
    return [] if answer.status == 200 else [str(reason) for reason in reasons] or [f"it answers {answer.status}"]


def _reached(address: Address) -> tuple[str, int]:
    """A service that listens everywhere is reached here."""
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
