"""what SQLite and the file system refuse, said to the operator"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from precoro_daemon.errors import StoreUnusable

_FULL = "The disk of the state {path} is full. Free some space and run again; what was stored before is whole."
_READ_ONLY = "The state {path} cannot be written here: {error}. Check the permissions of the file and its directory."
_DAMAGED = (
    "The state {path} is damaged ({error}). It was left as it is: bring back a copy, "
    "or move it away and the next run fills a new one."
)
_BUSY = "Another program has locked the state {path}. Close it (a database shell, a backup) and run again."
_DISK = "The disk of the state {path} fails ({error}). Check it, then run again."
_OTHER = "The state {path} cannot be used: {error}."

_BY_CODE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _DISK,
}

_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite or the file system says about the state into StoreUnusable."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; errors of the Python module itself carry none.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        raise StoreUnusable(_BY_CODE.get(code, _OTHER).format(path=path, error=error)) from error
    except OSError as error:
        raise StoreUnusable(_BY_ERRNO.get(error.errno or 0, _OTHER).format(path=path, error=error)) from error


def damaged(path: Path, finding: str) -> StoreUnusable:
    return StoreUnusable(_DAMAGED.format(path=path, error=finding))
