"""one process holds the state: a lock file beside it that names the holder"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.ownership import hand_over
from precoro_daemon.errors import StoreHeld

_HELD: set[Path] = set()


def holds(path: Path) -> bool:
    """Whether this process holds the state. Then nobody in it may open and close the file except through SQLite: the
    system forgets all locks of a process on a file when it closes any descriptor of it, and SQLite's are of that
    kind. Without them the next reader that goes away takes itself for the last one and deletes the log of changes.

    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    return path in _HELD


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the state `path` against every other process and instance. Raises StoreHeld naming the present holder.

    The lock is the kernel's, so it ends with the process however that ends. The file stays: removing it would let
    two processes hold locks on two files of one name.
    """
    with Path(f"{path}.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            raise StoreHeld(
                f"The state {path} is held by {holder}. Stop it first, or give this one a state of its own."
            ) from error
        hand_over(Path(file.name), path)
        file.truncate(0)
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(f"process {os.getpid()} on {socket.gethostname()} since {since}\n")
        file.flush()
        _HELD.add(path)
        try:
            yield
        finally:
            _HELD.discard(path)
