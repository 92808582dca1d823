"""a copy of the state beside its writer: one file, checked, complete or absent"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from precoro_daemon.adapters.state.ports import Backup
from precoro_daemon.adapters.state.sqlite.failures import What, damaged, explained, is_damage
from precoro_daemon.adapters.state.sqlite.opening import open_read_only
from precoro_daemon.errors import StoreUnusable

_OWN = ("", "-wal", "-shm", "-journal", ".lock", ".armed", ".control", ".new", ".restored")


def back_up(state: Path, target: Path, *, identity: str, replace: bool) -> Backup:
    """Implements `State.back_up`, which has the contract."""
    state, target = state.resolve(), target.resolve()
    _refuse_target(state, target, replace=replace)
    with closing(open_read_only(state, identity)) as source, explained(target, "backup"):
        # A name of its own, so that two backups at a time do not write into each other; only the user can read it.
        descriptor, name = tempfile.mkstemp(prefix=".precoro-backup-", dir=target.parent)
        os.close(descriptor)
        new = Path(name)
        try:
            copy(source, new, state, "state")
            settle(new, target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    return Backup(target, target.stat().st_size)


def is_own(path: Path, state: Path) -> bool:
    """Returns whether the path is the state, or a file that belongs to it."""
    return path in {state.with_name(f"{state.name}{ending}") for ending in _OWN}


def copy(source: sqlite3.Connection, new: Path, path: Path, what: What) -> None:
    """Copies the database and then checks every page. Damage is reported for the source, `path`."""
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # nothing of it stands in other files
        with closing(sqlite3.connect(f"{new.as_uri()}?mode=ro", uri=True)) as target:
            (finding,) = target.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        if is_damage(error):
            raise damaged(path, str(error), what) from error
        raise
    if finding != "ok":
        raise damaged(path, finding.splitlines()[-1], what)


def settle(new: Path, target: Path) -> None:
    """Makes the file durable, renames it, and makes the name durable."""
    make_durable(new)
    new.replace(target)
    make_durable(target.parent)


def make_durable(path: Path) -> None:
    """Syncs a file, or the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_target(state: Path, target: Path, *, replace: bool) -> None:
    if target == state:
        raise StoreUnusable(f"{target} is the state itself. Name another file for the backup.")
    if is_own(target, state):
        raise StoreUnusable(f"{target} is a file that belongs to the state. Name another one for the backup.")
    if target.is_dir():
        raise StoreUnusable(f"{target} is a directory. Name a file in it for the backup.")
    if not target.parent.is_dir():
        raise StoreUnusable(f"The directory {target.parent} for the backup does not exist. Create it first.")
    if target.exists() and not target.is_file():
        raise StoreUnusable(f"{target} is not a regular file. Name another one for the backup.")
    if target.exists() and not replace:
        raise StoreUnusable(f"{target} is there already. Name another file, or replace it with --force.")
