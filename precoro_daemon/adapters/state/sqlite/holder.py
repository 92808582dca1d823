"""one process holds the state: a lock file beside it that names the holder"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.ownership import hand_over_open, owner_of, user_name
from precoro_daemon.errors import StoreHeld, StoreUnusable

_HELD: set[Path] = set()

_LOCK_MODE = 0o600
"""Anyone who can open the file can lock it, and so prevent the service from starting."""


def holds(path: Path) -> bool:
    """Returns whether this process holds the state. If so, code in it must not open and close the file except through
    SQLite.

    When a process closes any descriptor of a file, the system drops all its locks on the file, including SQLite's.
    Without
    them the next reader that closes considers itself the last one and deletes the write-ahead log.

    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    return path in _HELD


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Holds the state `path` against every other process and instance. Raises StoreHeld naming the present holder.

    The lock is the kernel's and ends with the process, however it ends. The file stays: if it were removed, two
    processes
    could lock two files of the same name.
    """
    with os.fdopen(_open_lock(Path(f"{path}.lock"), path), "r+", encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _named_holder(file.read(200).strip())
            raise StoreHeld(
                f"The state {path} is held by {holder}. Stop it first, or give this one a state of its own."
            ) from error
        hand_over_open(file.fileno(), path)
        os.fchmod(file.fileno(), _LOCK_MODE)
        file.truncate(0)
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(f"process {os.getpid()} on {os.uname().nodename} since {since}\n")
        file.flush()
        _HELD.add(path)
        try:
            yield
        finally:
            _HELD.discard(path)


def _open_lock(lock: Path, state: Path) -> int:
    """Opens the lock file safely for root, because the service's user may have put anything there.

    A link is not followed, and another user's file is not touched. Raises StoreUnusable, OSError.
    """
    try:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, _LOCK_MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreUnusable(f"{lock} is a symbolic link. See who made it, then remove it.") from None
        raise
    if fault := _fault_of(os.fstat(file), state):
        os.close(file)
        raise StoreUnusable(f"{lock} {fault}. See who made it, then remove it.")
    return file


def _fault_of(lock: os.stat_result, state: Path) -> str:
    if not stat.S_ISREG(lock.st_mode):
        return "is no regular file"
    if lock.st_nlink > 1:
        return "has a second name elsewhere"
    if lock.st_uid not in (0, os.geteuid(), owner_of(state).st_uid):
        return f"belongs to {user_name(lock.st_uid)}, who owns neither the state nor this process"
    return ""


def _named_holder(said: str) -> str:
    """Returns the holder's description of itself, but not that of a process that has ended."""
    found = re.fullmatch(r"process (\d{1,9}) on (\S+) since .*", said)
    if found and found[2] == os.uname().nodename and not _is_alive(int(found[1])):
        return "another process, which did not write its name"
    return said or "another process"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
