"""Webhooks in a flood: how many the program takes in a second, and how much memory that costs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Aim, Line
from tests.bench.processes import CLIENT_CORE, ROOT, SERVER_CORE, python
from tests.bench.serving import Server, serving
from tests.bench.subject import LIFTED, write_config

_SECRET = "f" * 48
_SECONDS = 60.0
_MOST_MB = 32
_AT_REST = 5.0
"""Seconds until its first laps are over."""


def flood(folder: Path) -> Iterator[Line]:
    """Against the program at rest. It has a core of its own; the senders share the sandbox's."""
    options = {"size": "empty", "counts": {"invoices": 200}, "limits": False}
    with serving(**options) as server, _service(folder, server) as (pid, port):
        before = _resident(pid)
        told = _offer(port, _SECONDS)
        grown = _peak(pid) - before
        print(f"  {told}; {before:.1f} MB and {grown:.1f} more", flush=True)
    offered, kept = (told.get(name, 0) / _SECONDS for name in ("offered", "204"))
    yield Line("webhooks offered a second", f"{offered:,.0f}", "answered 204", f"{kept:,.0f}")
    yield Line("  growth of memory", f"{grown:.0f} MB", "allowed", f"{_MOST_MB} MB", grown / _MOST_MB, Aim(1.0))


@contextmanager
def _service(folder: Path, server: Server) -> Iterator[tuple[int, int]]:
    """The program on its core, until the block ends: its process id, and the port it takes webhooks on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    sections = {
        "limits": LIFTED,
        "mirror_collections": {"collections": ["invoices"], "every": "5s"},
        "apply_deliveries": {"listen": f"127.0.0.1:{port}"},
    }
    config = write_config(folder / "state", server, sections)
    environment = {**os.environ, **server.credentials, "PRECORO_DAEMON__APPLY_DELIVERIES__SECRET": _SECRET}
    command = (str(Path(sys.executable).with_name("precoro-daemon")), "run", "--config", str(config))
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        os.sched_setaffinity(process.pid, {CLIENT_CORE})
        _await_port(port)
        time.sleep(_AT_REST)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def _await_port(port: int) -> None:
    end = time.monotonic() + 20
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            if time.monotonic() > end:
                raise TimeoutError(f"nothing listens on port {port}")
            time.sleep(0.05)


def _offer(port: int, seconds: float) -> dict[str, int]:
    command = python("-m", "tests.listener.flooding", str(port), _SECRET, str(seconds))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    os.sched_setaffinity(process.pid, {SERVER_CORE})
    output, _ = process.communicate()
    told: dict[str, int] = json.loads(output)
    return told


def _resident(pid: int) -> float:
    return _status(pid, "VmRSS")


def _peak(pid: int) -> float:
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024
