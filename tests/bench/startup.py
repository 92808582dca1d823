"""CPU time from the start of a process to its first request, and the CPU time of `--help` and of `status`."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

from tests.bench.figures import Line, no_slower
from tests.bench.mirror import company, invoices_only
from tests.bench.processes import ROOT, SERVER_CORE, in_turn, medians, python, run
from tests.bench.serving import Server, serving
from tests.bench.subject import command, mirror, write_config

_ROUNDS = 5
_MANY = 1_000_000
_PROGRAM = str(Path(sys.executable).with_name("precoro-daemon"))
_FLOOR = "import click, sqlite3\nfrom pydantic import BaseModel\nclass Section(BaseModel):\n    key: int = 0\n"

_FLOOR_OF_A_REQUEST = """
import sys, sqlite3, tomllib, aiohttp, anyio, click, orjson, structlog
from pydantic import BaseModel
class Section(BaseModel):
    key: int = 0
async def ask(url):
    async with aiohttp.ClientSession() as session, session.get(url):
        pass
anyio.run(ask, sys.argv[1])
"""


def first_request(folder: Path) -> Iterator[Line]:
    """Beside it what no first request can do without: the libraries that are used for it, and SQLite."""
    folders = (folder / f"state{number}" for number in count())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", "a-key-of-its-own", "someone@example.com")
        found = in_turn(
            _ROUNDS,
            {
                "first request": lambda: _until_first_request(listener, server, next(folders)),
                "import aiohttp": lambda: run(python("-c", "import aiohttp")).cpu,
                "floor": lambda: _until_request(listener, python("-c", _FLOOR_OF_A_REQUEST, server.url), {}),
            },
        )
    ours, theirs, floor = (found[name] for name in ("first request", "import aiohttp", "floor"))
    figure = "CPU time from the start to the first request"
    yield from _lines(figure, {"ours": ours, "theirs": theirs}, "import aiohttp", 1.5)
    least = no_slower("  the floor: the libraries alone, and a GET", median(floor), "import aiohttp", median(theirs))
    yield replace(least, aim=None)


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
    """At a thousand invoices, at twenty thousand and at a million; beside them what a status was made of that checks
    its configuration and reads its state: a model of pydantic, and SQLite."""
    asked = {f"{number:,}": _status_at(folder, number) for number in (1_000, 20_000)}
    asked[f"{_MANY:,}"] = _status_at(folder, 1_000, copied_to=_MANY)
    found = in_turn(_ROUNDS, {**asked, "floor": lambda: run(python("-c", _FLOOR)).cpu, "import click": _click})
    middle = medians(found)
    for name in asked:
        yield no_slower(f"CPU time of status at {name}", middle[name], "import click", middle["import click"], 1.3)
    floor = no_slower("  the floor: click, pydantic, SQLite", middle["floor"], "import click", middle["import click"])
    yield replace(floor, aim=None)
    few, *more = asked
    for many in more:
        yield no_slower(f"  status at {many}", middle[many], f"at {few}", middle[few], 1.1)


def _click() -> float:
    return run(python("-c", "import click")).cpu


def _status_at(folder: Path, invoices: int, *, copied_to: int = 0) -> Callable[[], float]:
    """`copied_to`: how many records there are in the end, all but the first ones without their text."""
    place = folder / str(copied_to or invoices)
    with serving(**company(invoices)) as server:
        config = invoices_only(place, server)
        mirror(config, server)
    if copied_to:
        _copy_records(place / "state.db", copied_to // invoices - 1)
    return lambda: run((_PROGRAM, "status", "--config", str(config)), server.credentials).cpu


def _copy_records(state: Path, times: int) -> None:
    with closing(sqlite3.connect(state)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(records)")]
        given = {"id": "id + copy.number * 10000000", "data": "'{}'"}
        connection.execute(
            "WITH RECURSIVE copy (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < ?)"
            f"INSERT INTO records ({', '.join(names)})"
            f"SELECT {', '.join(given.get(name, name) for name in names)} FROM records, copy",
            (times,),
        )
        connection.execute("UPDATE record_counts SET records = records * :all, due = due * :all", {"all": times + 1})


def _lines(figure: str, found: Mapping[str, Sequence[float]], against: str, factor: float) -> Iterator[Line]:
    ours, theirs = found
    middle = medians(found)
    yield no_slower(f"{figure}, median", middle[ours], against, middle[theirs], factor)
    yield no_slower("  best", found[ours][0], against, found[theirs][0], factor)


def _until_first_request(listener: socket.socket, server: Server, folder: Path) -> float:
    return _until_request(listener, command(write_config(folder, server, {})), server.credentials)


def _until_request(listener: socket.socket, asking: Sequence[str], credentials: Mapping[str, str]) -> float:
    """CPU time, which others on this machine hardly lengthen."""
    environment = {**os.environ, **credentials}
    with ThreadPoolExecutor(1, initializer=os.sched_setaffinity, initargs=(0, {SERVER_CORE})) as watcher:
        seen = watcher.submit(_see_first_byte, listener)
        process = subprocess.Popen(asking, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        seen.result()
        process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    _forget_others(listener)
    return usage.ru_utime + usage.ru_stime


def _forget_others(listener: socket.socket) -> None:
    """A process that has ended may have made more connections: they are not the next one's first request."""
    listener.settimeout(0)
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
    listener.settimeout(None)


def _see_first_byte(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
