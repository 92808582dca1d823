"""opens the state file, or says in one sentence why it cannot and leaves it untouched"""

from __future__ import annotations

import errno
import os
import sqlite3
import zlib
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from threading import Event, Timer

from precoro_daemon.adapters.state.sqlite.failures import What, damaged, explained
from precoro_daemon.adapters.state.sqlite.holder import held, holds
from precoro_daemon.adapters.state.sqlite.ownership import hand_over
from precoro_daemon.adapters.state.sqlite.schema import VERSION, bring_up_to_date, read_identity, read_meta
from precoro_daemon.errors import StoreUnusable

APPLICATION_ID = int.from_bytes(b"Prec")
"""Marks the file as ours: https://www.sqlite.org/pragma.html#pragma_application_id"""

_SQLITE_MAGIC = b"SQLite format 3\x00"
_APPLICATION_ID_AT = slice(68, 72)
"""https://www.sqlite.org/fileformat2.html#the_database_header"""

_PAGE_BYTES = 16384
"""Bytes. Records of a few KB fill such pages far better than the usual 4096: a third less is written."""

_BUSY_S = 2.0
"""Seconds to wait for another writer. There should be none; a shell or a backup that writes longer is reported."""

_DAMAGE_CHECK_S = 1.0

_OLDEST = (3, 39)
"""The oldest SQLite that supports IS NOT DISTINCT FROM, which the statements use."""


def open_writable(path: Path, identity: str, resources: ExitStack) -> sqlite3.Connection:
    """Opens or creates the state. `resources` close the lock and the connection."""
    refuse_old_engine(sqlite3.sqlite_version_info)
    path = path.resolve()
    with explained(path):
        _refuse_foreign(path)
        _refuse_read_only(path)
        resources.enter_context(held(path))
        if _is_new(path):
            _make(path)
        else:
            with closing(open_read_only(path, identity)) as connection:
                _refuse_damaged(path, connection)
        return open_held(path, identity, resources)


def open_held(path: Path, identity: str, resources: ExitStack, *, migrate: bool = True) -> sqlite3.Connection:
    """Opens a state that the caller already holds, even if it was moved away."""
    connection = resources.enter_context(closing(_connect(path, "rw")))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    refuse_other(path, connection, identity)
    if migrate:
        bring_up_to_date(connection, identity)
    return connection


def refuse_old_engine(version: tuple[int, ...]) -> None:
    """Raises StoreUnusable if this Python's SQLite is too old for the statements."""
    if version < _OLDEST:
        needed, found = (".".join(map(str, one)) for one in (_OLDEST, version))
        raise StoreUnusable(f"The state needs SQLite {needed} or newer; this Python has {found}. Use another Python.")


def find_state(path: Path) -> bool:
    """Implements `State.exists`, which has the contract."""
    path = path.resolve()
    with explained(path):
        _refuse_foreign(path)
        _refuse_read_only(path)
        if not os.access(path.parent, os.W_OK):  # SQLite keeps files beside it
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))
        return not _is_new(path)


def open_read_only(path: Path, identity: str, what: What = "state") -> sqlite3.Connection:
    """Opens the state beside its writer. Raises StoreUnusable if it does not exist or is another company's."""
    refuse_old_engine(sqlite3.sqlite_version_info)
    path = path.resolve()
    with explained(path, what):
        _refuse_foreign(path, what)
        if _is_new(path):
            raise StoreUnusable(f"There is no state in {path} yet; the first run makes it: `precoro-daemon --once`.")
        connection = _connect(path, "ro")
        try:
            refuse_other(path, connection, identity)
            _refuse_moved(path, *_marks(connection))
        except BaseException:
            connection.close()
            raise
        return connection


def _refuse_moved(path: Path, moved: str | None, arriving: str | None) -> None:
    if moved or arriving:
        from precoro_daemon.adapters.state.moving import refuse_moved  # noqa: PLC0415 - hardly any is

        refuse_moved(str(path), moved, arriving)


def read_marks(path: Path) -> tuple[str | None, str | None]:
    """Returns the marks that a move left in a state: that it was moved away, and that it has not arrived yet."""
    with closing(_connect(path, "ro")) as connection:
        return _marks(connection)


def is_current(connection: sqlite3.Connection) -> bool:
    """Returns whether the state has this version's schema."""
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == VERSION)


def _marks(connection: sqlite3.Connection) -> tuple[str | None, str | None]:
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        return None, None
    return read_meta(connection, "moved"), read_meta(connection, "arriving")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_BUSY_S)
    connection.row_factory = sqlite3.Row
    return connection


def _is_new(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _refuse_foreign(path: Path, what: What = "state") -> None:
    """Refuses a foreign file by the file system and its first bytes: SQLite would create files of its own beside
    it.
    """
    if path.is_dir():
        raise StoreUnusable(f"{path} is a directory. Name a file in it for the state.")
    if not path.parent.is_dir():
        raise StoreUnusable(f"The directory {path.parent} for the state does not exist. Create it first.")
    if not path.exists():
        return
    if not path.is_file():
        raise StoreUnusable(f"{path} is not a regular file. Name another one for the state.")
    if holds(path):
        return  # it was checked before
    with path.open("rb") as file:
        header = file.read(100)
    if header and not header.startswith(_SQLITE_MAGIC):
        raise damaged(path, "its beginning is not that of an SQLite file, or it is no state of this program", what)
    if header and int.from_bytes(header[_APPLICATION_ID_AT]) != APPLICATION_ID:
        raise StoreUnusable(f"{path} is a database of another program. Name another file for the state.")


def _refuse_read_only(path: Path) -> None:
    """Refuses a read-only file: SQLite would open it for reading, and fail at the first write."""
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def refuse_other(path: Path, connection: sqlite3.Connection, identity: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreUnusable(
            f"The state {path} was written by a newer version of this program (its schema is {version}, "
            f"this one knows {VERSION}). Run the newer version, or use another file."
        )
    if version and read_identity(connection) not in (None, identity):
        raise StoreUnusable(
            f"The state {path} holds the data of another company or another user's key. "
            "Give this configuration a state file of its own, or go back to the former key, e-mail and region."
        )


def _refuse_damaged(path: Path, connection: sqlite3.Connection) -> None:
    """Searches for damage for at most a second: a large state would take minutes, and every read checks its own
    pages.
    """
    late = Event()

    def stop() -> None:
        late.set()
        connection.interrupt()

    timer = Timer(_DAMAGE_CHECK_S, stop)
    timer.start()
    try:
        (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        if not late.is_set():
            raise
    else:
        # An interrupted check takes the pages it did not visit for lost ones.
        if finding != "ok" and not late.is_set():
            raise damaged(path, finding.splitlines()[-1])
    finally:
        timer.cancel()
        timer.join()


def _make(path: Path) -> None:
    """Creates an empty state atomically, so that a file of this name is always recognisable as ours."""
    unfinished = path.with_name(f"{path.name}.new")
    # Left by a killed start, or by a state that was removed alone; SQLite would play its journal into the new one.
    for left in ("-wal", "-shm", "-journal", ".new", ".new-wal", ".new-shm", ".new-journal"):
        path.with_name(f"{path.name}{left}").unlink(missing_ok=True)
    make_empty(unfinished, path)
    unfinished.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def make_empty(new: Path, path: Path) -> None:
    """Creates a file that will become the state `path` and belongs to its owner."""
    # Prices and payments of a company: the files beside it get the same mode. A link in its place is not followed.
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        hand_over(new, path)
        file.write(zlib.decompress(empty_state()))
        file.flush()
        os.fsync(file.fileno())


@cache
def empty_state() -> bytes:
    """Returns a state of the present schema without an owner, compressed.

    Migrations and views take SQLite longer than all the rest of a start; a process that creates many states runs
    them once,
    in memory.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        memory.row_factory = sqlite3.Row
        memory.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        memory.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        bring_up_to_date(memory, None)
        return zlib.compress(memory.serialize(), level=1)
