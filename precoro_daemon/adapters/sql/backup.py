"""a copy of the state beside its writer, and the way back: whole, disarmed, no call forgotten"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from precoro_daemon.adapters.sql.failures import damaged, explained
from precoro_daemon.adapters.sql.holder import held
from precoro_daemon.adapters.sql.journal import write_line
from precoro_daemon.adapters.sql.opening import open_read_only
from precoro_daemon.adapters.sql.schema import bring_up_to_date
from precoro_daemon.adapters.sql.statements import SQL
from precoro_daemon.adapters.sql.transactions import in_transaction
from precoro_daemon.adapters.sql.witness import Witness
from precoro_daemon.domain.budget import MEMORY
from precoro_daemon.errors import StoreUnusable

_REASON = "the state was restored from a backup; look at `payments plan`, then arm it anew"

Calls = list[tuple[float, bytes, int | None]]


@dataclass(frozen=True, slots=True)
class Backup:
    """size: bytes · pages that were checked, all of them good"""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Restored:
    """aside: where the former state is, None if there was none · calls: of the former state that the quota still
    counts, None if it could not be read"""

    aside: Path | None
    calls: int | None


def back_up(state: Path, target: Path, *, identity: str, replace: bool) -> Backup:
    """Copy the state as it is at one moment; whoever writes goes on. Blocking. Raises StoreUnusable.

    The copy is one file, checked page by page, and appears under its name complete and durable or not at all.
    """
    state, target = state.resolve(), target.resolve()
    _refuse_target(state, target, replace=replace)
    draft = target.with_name(f"{target.name}.new")
    with explained(state), closing(open_read_only(state, identity)) as source:
        try:
            _copy(source, draft)
            with explained(target):
                _check(draft)
                _settle(draft, target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    return Backup(target, target.stat().st_size)


def restore(backup: Path, state: Path, *, identity: str) -> Restored:
    """Put a backup in the place of the state, which is kept under another name. Blocking.

    Killed at any moment, the old or the new state is there. Payments are disarmed; calls that the former state made
    since still count. Raises StoreHeld, StoreUnusable; nothing is changed then.
    """
    backup, state = backup.resolve(), state.resolve()
    if backup == state:
        raise StoreUnusable(f"{backup} is the state itself. Name the backup to restore.")
    if not backup.is_file():
        raise StoreUnusable(f"There is no backup {backup}.")
    if not state.parent.is_dir():
        raise StoreUnusable(f"The directory {state.parent} for the state does not exist. Create it first.")
    draft = state.with_name(f"{state.name}.restored")
    with explained(state), held(state):
        draft.unlink(missing_ok=True)
        try:
            with explained(backup), closing(open_read_only(backup, identity)) as source:
                _copy(source, draft)
                _check(draft)
            calls = _calls_of(state, identity)
            _prepare(draft, identity, calls or [])
            aside = _keep_aside(state)
            Witness(state).remove()
            _settle(draft, state)
        except BaseException:
            for left in ("", "-wal", "-shm", "-journal"):
                draft.with_name(f"{draft.name}{left}").unlink(missing_ok=True)
            raise
    return Restored(aside, None if calls is None else len(calls))


def _refuse_target(state: Path, target: Path, *, replace: bool) -> None:
    if target == state:
        raise StoreUnusable(f"{target} is the state itself. Name another file for the backup.")
    if target.is_dir():
        raise StoreUnusable(f"{target} is a directory. Name a file in it for the backup.")
    if not target.parent.is_dir():
        raise StoreUnusable(f"The directory {target.parent} for the backup does not exist. Create it first.")
    if target.exists() and not replace:
        raise StoreUnusable(f"{target} is there already. Name another file, or replace it with --force.")


def _copy(source: sqlite3.Connection, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with explained(draft), closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # nothing of it stands in other files


def _check(draft: Path) -> None:
    with explained(draft), closing(sqlite3.connect(f"{draft.as_uri()}?mode=ro", uri=True)) as copy:
        (finding,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if finding != "ok":
        raise damaged(draft, finding.splitlines()[-1])


def _settle(draft: Path, target: Path) -> None:
    """Durable, then under its name, then that too."""
    for path, rename in ((draft, True), (target.parent, False)):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if rename:
            draft.replace(target)


def _calls_of(state: Path, identity: str) -> Calls | None:
    """Of the state that is being replaced; None if it cannot be read. It is left without a log beside it."""
    if not state.exists() or not state.stat().st_size:
        return []
    try:
        with closing(open_read_only(state, identity)) as former:
            columns = {row["name"] for row in former.execute("PRAGMA table_info(calls)")}
            lane = "lane" if "lane" in columns else "NULL"
            since = time.time() - MEMORY
            rows = former.execute(f"SELECT at, key_hash, {lane} FROM calls WHERE at >= ?", (since,))  # noqa: S608
            calls: Calls = [tuple(row) for row in rows.fetchall()]
        with closing(sqlite3.connect(state, isolation_level=None)) as former:
            former.execute("PRAGMA journal_mode = DELETE")
    except (StoreUnusable, sqlite3.Error):
        return None
    return calls


def _prepare(draft: Path, identity: str, calls: Calls) -> None:
    """Bring the copy to the present schema, disarm it, and let it know of the calls made since."""
    with explained(draft), closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        copy.row_factory = sqlite3.Row
        bring_up_to_date(copy, identity)

        def work(connection: sqlite3.Connection) -> None:
            known = {(at, key) for at, key in connection.execute("SELECT at, key_hash FROM calls")}
            connection.executemany(SQL["charge_call"], [call for call in calls if call[:2] not in known])
            connection.execute(SQL["write_meta"], ("armed", ""))
            write_line(connection, at=time.time(), event="disarm", reason=_REASON)

        in_transaction(copy, work)


def _keep_aside(state: Path) -> Path | None:
    """A second name for the former state, which keeps its own until the new one takes it in one step."""
    if not state.exists():
        return None
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    aside = state.with_name(f"{state.name}.before-{stamp}")
    for left in ("", "-wal"):
        former = state.with_name(f"{state.name}{left}")
        if former.exists():
            _link(former, aside.with_name(f"{aside.name}{left}"))
    for left in ("-wal", "-shm"):  # of a state that could not be read; SQLite would play it into the new one
        state.with_name(f"{state.name}{left}").unlink(missing_ok=True)
    return aside


def _link(former: Path, aside: Path) -> None:
    with suppress(OSError):
        aside.hardlink_to(former)
        return
    shutil.copy2(former, aside)  # a file system without second names
