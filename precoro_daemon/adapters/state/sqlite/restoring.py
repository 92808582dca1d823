"""restores a backup: complete, disarmed, and with every call to Precoro remembered"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from precoro_daemon.adapters.state.journal import write_line
from precoro_daemon.adapters.state.moving import read_mark, said_moved
from precoro_daemon.adapters.state.ports import Restored
from precoro_daemon.adapters.state.sqlite.backup import copy, is_own, make_durable, settle
from precoro_daemon.adapters.state.sqlite.failures import explained, is_damage
from precoro_daemon.adapters.state.sqlite.holder import held
from precoro_daemon.adapters.state.sqlite.opening import APPLICATION_ID, open_read_only
from precoro_daemon.adapters.state.sqlite.ownership import hand_over
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuardFile
from precoro_daemon.adapters.state.sqlite.schema import bring_up_to_date, read_identity, read_meta
from precoro_daemon.adapters.state.sqlite.session import SqliteSession, in_transaction
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.quota.budget import MEMORY

_REASON = "the state was restored from a backup; check `payments plan`, then arm payments again"


@dataclass(frozen=True, slots=True)
class _Account:
    """A state's calls, the windows that Precoro closed, and how often in a row it refused a key."""

    calls: Sequence[tuple[float, bytes, int | None]] = ()
    closures: Sequence[tuple[str, float]] = ()
    refusals: Sequence[tuple[str, int, float]] = ()


def restore(backup: Path, state: Path, *, identity: str) -> Restored:
    """Implements `State.restore`, which has the contract."""
    backup, state = backup.resolve(), state.resolve()
    if is_own(backup, state):
        raise StoreUnusable(f"{backup} belongs to the state itself. Name the backup to restore.")
    if not backup.is_file():
        raise StoreUnusable(f"There is no backup {backup}.")
    if not state.parent.is_dir():
        raise StoreUnusable(f"The directory {state.parent} for the state does not exist. Create it first.")
    new = state.with_name(f"{state.name}.restored")
    with explained(state), held(state):
        remove_unfinished(new)
        try:
            _fetch(backup, new, identity)
            hand_over(new, state)
            former = _close(state, identity)
            _prepare(new, identity, former or _Account())
            kept = keep_former(state)
            RestoreGuardFile(state).remove()
            make_durable(state.parent)  # a log that came back after a loss of power would be played into the new one
            settle(new, state)
        except BaseException:
            remove_unfinished(new)
            raise
    return Restored(kept, None if former is None else len(former.calls))


def remove_unfinished(new: Path) -> None:
    for part in _parts(new, "", "-wal", "-shm", "-journal"):
        part.unlink(missing_ok=True)


def _fetch(backup: Path, new: Path, identity: str) -> None:
    new.touch(mode=0o600, exist_ok=False)
    with closing(open_read_only(backup, identity, "backup")) as source:
        copy(source, new, backup, "backup")


def _close(state: Path, identity: str) -> _Account | None:
    """Merges the former state into one file and reads its account. Returns None if it is too damaged, or lost its
    log.

    Raises an error if it is another company's or in use.
    """
    if not state.exists() or not state.stat().st_size:
        return None if any(part.exists() for part in _parts(state, "-wal", "-journal")) else _Account()
    try:
        with closing(sqlite3.connect(f"{state.as_uri()}?mode=rw", uri=True, isolation_level=None)) as former:
            former.row_factory = sqlite3.Row
            _refuse_another(state, former, identity)
            account = _read_account(former)
            # Waits for readers, and fails if they stay: they would go on in files of the new state's names.
            former.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return None
        raise
    return account


def _refuse_another(state: Path, former: sqlite3.Connection, identity: str) -> None:
    """Refuses another company's state of any version: the backup may be meant to replace a newer one."""
    (application,) = former.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise StoreUnusable(f"{state} is a database of another program. Name another file for the state.")
    (version,) = former.execute("PRAGMA user_version").fetchone()
    if version and read_identity(former) not in (None, identity):
        raise StoreUnusable(
            f"The state {state} holds the data of another company or another user's key; it is not replaced. "
            "Give this configuration a state file of its own."
        )
    moved = read_meta(former, "moved") if version else None
    if moved:
        raise StoreUnusable(
            f"{said_moved(str(state), read_mark(moved))} A backup that came here would forget its calls."
        )


def _read_account(former: sqlite3.Connection) -> _Account:
    columns = {row["name"] for row in former.execute("PRAGMA table_info(calls)")}
    if not columns:
        return _Account()
    lane = "lane" if "lane" in columns else "NULL"
    session, since = SqliteSession(former), time.time() - MEMORY
    calls = former.execute(f"SELECT at, key_hash, {lane} FROM calls WHERE at >= ?", (since,))  # noqa: S608
    return _Account(
        [tuple(row) for row in calls],
        [tuple(row) for row in session.rows("budget_book.read_closures")],
        [tuple(row) for row in session.rows("budget_book.read_refusals")],
    )


def _prepare(new: Path, identity: str, former: _Account) -> None:
    """Updates the copy to the present schema, disarms it, and adds the calls made since."""
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        bring_up_to_date(connection, identity)

        def work(session: SqliteSession) -> None:
            _take_over(session, former)
            session.run("meta.write", ("armed", ""))
            write_line(session, at=time.time(), event="disarm", reason=_REASON)

        in_transaction(SqliteSession(connection), work)


def _take_over(session: SqliteSession, former: _Account) -> None:
    """Takes closed windows and refusals from the former state, which is newer, and the calls of both."""
    known = {(at, key) for at, key in session.connection.execute("SELECT at, key_hash FROM calls")}
    session.run_many("budget_book.charge_call", [call for call in former.calls if call[:2] not in known])
    session.run_many("budget_book.close_window", former.closures)
    session.run_many("budget_book.save_refusal", former.refusals)


def keep_former(state: Path) -> Path | None:
    """Gives the former state a second name; it keeps its own until the new state replaces it in one step.

    If the former state was moved away, its remains are moved too: SQLite would replay them into the new one.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    kept = [
        _link(former, former.with_name(f"{state.name}.before-{stamp}{former.name.removeprefix(state.name)}"))
        for former in _parts(state, "", "-wal", "-journal")
        if former.exists()
    ]
    make_durable(state.parent)
    for part in _parts(state, "-wal", "-shm", "-journal"):  # of a damaged state too
        part.unlink(missing_ok=True)
    return kept[0] if kept else None


def _parts(state: Path, *endings: str) -> list[Path]:
    return [state.with_name(f"{state.name}{ending}") for ending in endings]


def _link(former: Path, second: Path) -> Path:
    try:
        second.hardlink_to(former)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names
        shutil.copy2(former, second)
        make_durable(second)
    return second
