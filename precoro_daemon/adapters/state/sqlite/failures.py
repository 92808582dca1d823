"""errors of SQLite and the file system, explained to the operator"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from precoro_daemon.errors import StoreUnavailable, StoreUnusable

_DISK_FULL = "The disk of the {what} {path} is full. Free some space and run again; what was stored before is whole."
_READ_ONLY = "The {what} {path} cannot be written here: {error}. Check the permissions of the file and its directory."
_DAMAGED = "The {what} {path} is damaged ({error}). It was left as it is: {way_out}."
_BUSY = "Another program has locked the {what} {path}. Close it (a database shell, a backup) and run again."
_DISK = "The disk of the {what} {path} fails ({error}). Check it, then run again."
_OTHER = "The {what} {path} cannot be used: {error}."
_PASSING = frozenset({_DISK_FULL, _BUSY, _DISK})

What = Literal["state", "backup"]

_WAY_OUT: dict[What, str] = {
    "state": "bring back a copy, or move it away and the next run fills a new one",
    "backup": "use another one",
}

_BY_CODE = {
    sqlite3.SQLITE_FULL: _DISK_FULL,
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
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
}


@contextmanager
def explained(path: Path, what: What = "state") -> Iterator[None]:
    """Turns errors of SQLite or the file system about the state into StoreUnusable."""
    try:
        yield
    except sqlite3.Error as error:
        raise _said(_BY_CODE.get(_code(error), _OTHER), path, error, what) from error
    except OSError as error:
        raise _said(_BY_ERRNO.get(error.errno or 0, _OTHER), path, error, what) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Returns whether SQLite found the file damaged or not a database."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(path: Path, finding: str, what: What = "state") -> StoreUnusable:
    return _said(_DAMAGED, path, finding, what)


def _code(error: sqlite3.Error) -> int:
    """Returns the primary code, the low byte; errors of the Python module itself have none."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF


def _said(sentence: str, path: Path, error: object, what: What) -> StoreUnusable:
    kind = StoreUnavailable if sentence in _PASSING else StoreUnusable
    return kind(sentence.format(what=what, path=path, error=error, way_out=_WAY_OUT[what]))
