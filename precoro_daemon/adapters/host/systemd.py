"""systemd's notify socket: ready, reloading, stopping, a status line, and the watchdog"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from precoro_daemon.runtime.ports import Supervisor, Unsupervised

_LONGEST_STATUS_CHARS = 200
"""Characters of a status: one line of `systemctl status`."""

_UNCONDITIONAL = ("READY=1", "STOPPING=1")


def find_supervisor(environ: Mapping[str, str]) -> Supervisor:
    """Returns systemd if it started this process and expects messages, else a supervisor that ignores them."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return Unsupervised()
    return SystemdSupervisor(address, _watchdog(environ))


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Returns the watchdog's interval in seconds, None if this process has no watchdog."""
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    if not usec.isdecimal() or not int(usec) or pid != str(os.getpid()):
        return None
    return int(usec) / 1e6


class SystemdSupervisor:
    """Implements `Supervisor` by datagrams that never block.

    systemd's queue is short, and all services share it. A message that finds it full is lost, except the last one
    about
    readiness, which is repeated with the next message: without it systemd would treat a start as failed.
    """

    def __init__(self, address: str, watchdog_interval: float | None) -> None:
        self.watchdog_interval = watchdog_interval
        self._owed = ""
        # An @ stands for the zero byte that begins a name in the abstract name space.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def ready(self, status: str) -> None:
        self._send("READY=1", f"STATUS={_line(status)}")

    def reloading(self) -> None:
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reading the configuration")

    def stopping(self, status: str) -> None:
        self._send("STOPPING=1", f"STATUS={_line(status)}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={_line(text)}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if lines[0] in _UNCONDITIONAL:
            self._owed = lines[0]
        elif self._owed:
            lines = (self._owed, *lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
                end.setblocking(False)
                end.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return
        self._owed = ""


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_STATUS_CHARS else f"{line[: _LONGEST_STATUS_CHARS - 1]}…"
