"""Runs the program again and again from one beginning, each time killed at the next call that touches a file.

    python -m tests.system.dying BEGINNING RESULTS EVERY FIRST ARGUMENT...

Copies the directory BEGINNING to RESULTS/<n>, runs the program there with the arguments in a process that ends
itself with SIGKILL just before (odd n) or just after (even n) the call number n / 2, keeps what is left as
RESULTS/<n>/killed, and runs it there once more, unharmed. Of all points, those from FIRST on, every EVERYth. Ends
when a process outlives its point. Processes are forked, so that a point costs no start of Python.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from precoro_daemon.cli import main as program
from tests.system.forking import preload

TOUCHING = frozenset(
    {
        "open",
        "fsync",
        "link",
        "unlink",
        "rename",
        "replace",
        "mkdir",
        "ftruncate",
        "fchmod",
        "write",
        "pwrite",
        "close",
    }
)
"""Functions of the operating system; besides them, every block that is hashed while it is written, and every
transaction of the state."""
OURS = frozenset({"_count", "in_transaction"})


def die_at(number: int, *, after: bool) -> None:
    seen = 0

    def watch(frame: FrameType, event: str, function: Any) -> None:
        nonlocal seen
        where = frame.f_code.co_filename
        if not where.endswith(("transactions.py",)) and "/adapters/objects/" not in where:
            return
        foreign = event == ("c_return" if after else "c_call") and function.__name__ in TOUCHING
        own = event == ("return" if after else "call") and frame.f_code.co_name in OURS
        if foreign or own:
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)


def run(directory: Path, arguments: list[str], point: int | None) -> int:
    """The exit status of one process, as waitpid gives it."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    os.chdir(directory)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    if point is not None:
        die_at(point // 2, after=point % 2 == 0)
    try:
        program(arguments)
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(70)


def main(beginning: Path, results: Path, points: range, arguments: list[str]) -> int:
    preload()
    for point in points:
        directory = results / str(point)
        shutil.copytree(beginning, directory)
        status = run(directory, arguments, point)
        if not os.WIFSIGNALED(status):
            shutil.rmtree(directory)
            return point
        shutil.copytree(directory, directory / "killed")
        if status := run(directory, arguments, None):
            sys.exit(f"after point {point} the next run ended with {status}: {(directory / 'log').read_text()}")
    return points.stop


if __name__ == "__main__":
    source, target, every, first, *rest = sys.argv[1:]
    unbounded = range(int(first), 100_000, int(every))
    print(main(Path(source), Path(target), unbounded, rest))
