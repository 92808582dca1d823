"""From the start of a process to its first request, and to the end of `--help`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from tests.bench.figures import Line, no_slower
from tests.bench.processes import ROOT, SERVER_CORE, in_turn, medians, python, run
from tests.bench.serving import Server
from tests.bench.subject import command, write_config

_ROUNDS = 15


def first_request(folder: Path) -> Iterator[Line]:
    folders = (folder / f"state{number}" for number in count())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", "key", "someone@example.com")
        found = in_turn(
            _ROUNDS,
            {
                "first request": lambda: _until_first_request(listener, server, next(folders)),
                "import aiohttp": lambda: run(python("-c", "import aiohttp")).seconds,
            },
        )
    yield from _lines("start to first request", found, "import aiohttp", 2.5)


def help_text(_folder: Path) -> Iterator[Line]:
    program = str(Path(sys.executable).with_name("precoro-daemon"))
    found = in_turn(
        _ROUNDS,
        {
            "--help": lambda: run((program, "--help")).seconds,
            "import click": lambda: run(python("-c", "import click")).seconds,
        },
    )
    yield from _lines("--help", found, "import click", 2.0)


def _lines(figure: str, found: Mapping[str, Sequence[float]], against: str, factor: float) -> Iterator[Line]:
    ours, theirs = found
    middle = medians(found)
    yield no_slower(f"{figure}, median", middle[ours], against, middle[theirs], factor)
    yield no_slower("  best", found[ours][0], against, found[theirs][0], factor)


def _until_first_request(listener: socket.socket, server: Server, folder: Path) -> float:
    """Seen on the server's core, so that nobody waits for the core of the one who is measured."""
    config = write_config(folder, server, {})
    environment = {**os.environ, **server.credentials}
    with ThreadPoolExecutor(1, initializer=os.sched_setaffinity, initargs=(0, {SERVER_CORE})) as watcher:
        seen = watcher.submit(_see_first_byte, listener)
        began = time.perf_counter()
        process = subprocess.Popen(command(config), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        took = seen.result() - began
        process.kill()
        process.wait()
    return took


def _see_first_byte(listener: socket.socket) -> float:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
        return time.perf_counter()
