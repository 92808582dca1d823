"""CPU time from the start of a process to its first request, and the CPU time of `--help` and of `status`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

from tests.bench.figures import Line, no_slower
from tests.bench.mirror import company, invoices_only
from tests.bench.processes import ROOT, SERVER_CORE, in_turn, medians, python, run
from tests.bench.serving import Server, serving
from tests.bench.subject import command, mirror, write_config

_ROUNDS = 5
_PROGRAM = str(Path(sys.executable).with_name("precoro-daemon"))
_FLOOR = (
    "import click, sqlite3, rich.console, rich.table\n"
    "from pydantic import BaseModel\n"
    "class Section(BaseModel):\n"
    "    key: int = 0\n"
)


def first_request(folder: Path) -> Iterator[Line]:
    folders = (folder / f"state{number}" for number in count())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", "a-key-of-its-own", "someone@example.com")
        found = in_turn(
            _ROUNDS,
            {
                "first request": lambda: _until_first_request(listener, server, next(folders)),
                "import aiohttp": lambda: run(python("-c", "import aiohttp")).cpu,
            },
        )
    yield from _lines("CPU time from the start to the first request", found, "import aiohttp", 1.5)


def help_text(_folder: Path) -> Iterator[Line]:
    found = in_turn(
        _ROUNDS,
        {
            "--help": lambda: run((_PROGRAM, "--help")).cpu,
            "import click": _click,
        },
    )
    yield from _lines("CPU time of --help", found, "import click", 1.2)


def status(folder: Path) -> Iterator[Line]:
    """At a thousand invoices and at twenty thousand; beside them what no status can do without: a model of
    pydantic, a table of rich, and SQLite."""
    asked = {f"{number:,}": _status_at(folder, number) for number in (1_000, 20_000)}
    found = in_turn(_ROUNDS, {**asked, "floor": lambda: run(python("-c", _FLOOR)).cpu, "import click": _click})
    middle = medians(found)
    for name in asked:
        yield no_slower(f"CPU time of status at {name}", middle[name], "import click", middle["import click"], 1.3)
    floor = no_slower(
        "  the floor: click, pydantic, rich, SQLite", middle["floor"], "import click", middle["import click"]
    )
    yield replace(floor, aim=None)
    few, many = asked
    yield no_slower(f"  status at {many}", middle[many], f"at {few}", middle[few], 1.1)


def _click() -> float:
    return run(python("-c", "import click")).cpu


def _status_at(folder: Path, invoices: int) -> Callable[[], float]:
    with serving(**company(invoices)) as server:
        config = invoices_only(folder / str(invoices), server)
        mirror(config, server)
    return lambda: run((_PROGRAM, "status", "--config", str(config)), server.credentials).cpu


def _lines(figure: str, found: Mapping[str, Sequence[float]], against: str, factor: float) -> Iterator[Line]:
    ours, theirs = found
    middle = medians(found)
    yield no_slower(f"{figure}, median", middle[ours], against, middle[theirs], factor)
    yield no_slower("  best", found[ours][0], against, found[theirs][0], factor)


def _until_first_request(listener: socket.socket, server: Server, folder: Path) -> float:
    """CPU time, which others on this machine hardly lengthen."""
    config = write_config(folder, server, {})
    environment = {**os.environ, **server.credentials}
    with ThreadPoolExecutor(1, initializer=os.sched_setaffinity, initargs=(0, {SERVER_CORE})) as watcher:
        seen = watcher.submit(_see_first_byte, listener)
        process = subprocess.Popen(command(config), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        seen.result()
        process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _see_first_byte(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
