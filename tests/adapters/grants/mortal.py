"""Processes that ask for a token and die at a given step: python mortal.py GRANT_FILE, one step a line on stdin.

A step is one of the events that Python's audit hooks tell of: a file of the grant is opened, locked, cut, renamed or
removed, the server is connected to. 0: none, it lives on. Prints the child's process id, and what became of it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio

from precoro_daemon.adapters.grants.bearer import GrantBearer
from precoro_daemon.adapters.grants.grant_file import GrantFile
from precoro_daemon.errors import DaemonError, LoginNeeded

STEPS = {"open", "os.rename", "os.remove", "os.truncate", "os.chmod", "fcntl.flock", "socket.connect"}

OUTCOMES = {0: "token", 2: "lost", 3: "trouble"}


def die_at(step: int, folder: str) -> None:
    left = step

    def hook(event: str, given: tuple[object, ...]) -> None:
        nonlocal left
        if event not in STEPS or (event == "open" and not str(given[0]).startswith(folder)):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def child(path: Path, step: int) -> None:
    die_at(step, str(path.parent))
    try:
        anyio.run(GrantBearer(GrantFile(path), "xero").token)
    except LoginNeeded:
        os._exit(2)
    except DaemonError:
        os._exit(3)
    os._exit(0)


def main() -> None:
    path = Path(sys.argv[1])
    anyio.run(anyio.sleep, 0)  # what is imported now is not imported by each child
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            child(path, int(line))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(
            "killed" if os.WIFSIGNALED(status) else ["token", "?", "lost", "trouble"][os.WEXITSTATUS(status)],
            flush=True,
        )


if __name__ == "__main__":
    main()
