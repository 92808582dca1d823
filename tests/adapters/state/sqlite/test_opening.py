"""Every state file that is not ours to write is refused in one clear sentence, and left untouched."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.adapters.state.sqlite.opening import APPLICATION_ID, refuse_old_engine
from precoro_daemon.adapters.state.sqlite.schema import MIGRATION_FILES, VERSION, bring_up_to_date
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.mirror.rules.cursors import Page, Scan
from tests.adapters.state.sqlite.probe import pragmas
from tests.contracts.listing import T0, listed, record, scan

PADDING = "x" * 2000


async def make(path: Path, rows: int = 0) -> None:
    async with SqliteState(path, "company").open() as store:
        if rows:
            await listed(store.mirror, *(record(id_, padding=PADDING) for id_ in range(rows)))


async def refusal(path: Path, identity: str = "company") -> str:
    with pytest.raises(StoreUnusable) as caught:
        async with SqliteState(path, identity).open():
            pass
    return str(caught.value)


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def scribble(path: Path) -> None:
    """Overwrite the middle half of the file, as a failing disk might."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 4)
        file.write(random.Random(1).randbytes(size // 2))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def behead(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\x00" * 100)


@pytest.mark.asyncio
@pytest.mark.parametrize("spoil", [scribble, truncate, behead])
async def test_a_damaged_state_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = tmp_path / "state.db"
    await make(path, rows=400)
    spoil(path)
    before = path.read_bytes()
    message = await refusal(path)
    assert "is damaged" in message
    assert "\n" not in message
    assert "move it away" in message
    assert path.read_bytes() == before


@pytest.mark.asyncio
async def test_damage_met_only_while_running_is_told_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path, rows=400)
    async with SqliteState(path, "company").open() as store:
        scribble(path)
        with pytest.raises(StoreUnusable, match="is damaged"):
            await store.mirror.refilter("invoices", "new", lambda row, _: row.id > 0)


@pytest.mark.asyncio
async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n" * 100)
    assert "it is no state of this program" in await refusal(path)
    assert path.read_text() == "dear diary\n" * 100
    assert names(tmp_path) == [path.name], "nothing is left beside a stranger's file"


@pytest.mark.asyncio
async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    change(path, "CREATE TABLE places (name TEXT)")
    before = path.read_bytes()
    assert "is a database of another program" in await refusal(path)
    assert path.read_bytes() == before
    assert names(tmp_path) == [path.name]


@pytest.mark.asyncio
async def test_a_state_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    change(path, f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    assert "newer version" in await refusal(path)
    assert path.read_bytes() == before


@pytest.mark.asyncio
async def test_the_state_of_another_company_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    before = path.read_bytes()
    message = await refusal(path, identity="other")
    assert "another company" in message
    assert "a state file of its own" in message
    assert path.read_bytes() == before


@pytest.mark.asyncio
async def test_a_directory_a_missing_one_and_a_device_are_refused(tmp_path: Path) -> None:
    assert "is a directory" in await refusal(tmp_path)
    assert "does not exist. Create it" in await refusal(tmp_path / "missing" / "state.db")
    assert not (tmp_path / "missing").exists()
    assert "is not a regular file" in await refusal(Path("/dev/null"))


def test_a_state_made_at_once_is_what_the_steps_make(tmp_path: Path) -> None:
    asyncio.run(make(tmp_path / "state.db"))
    with closing(sqlite3.connect(tmp_path / "state.db")) as new, closing(sqlite3.connect(":memory:")) as old:
        for number, step in enumerate(MIGRATION_FILES, start=1):
            old.executescript(f"{step.read_text()}\nPRAGMA user_version = {number};")
        old.isolation_level, old.row_factory = None, sqlite3.Row
        bring_up_to_date(old, "company")
        assert sorted(new.iterdump()) == sorted(old.iterdump())
        assert len(list(new.iterdump())) > 100
        assert new.execute("PRAGMA freelist_count").fetchone() == (0,)


@pytest.mark.asyncio
async def test_an_unfinished_or_empty_file_becomes_a_state(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()
    for left in ("state.db.new", "state.db.new-journal"):
        (tmp_path / left).write_bytes(b"cut off")
    await make(path, rows=3)
    assert names(tmp_path) == ["state.db", "state.db.lock"]


@pytest.mark.asyncio
async def test_a_journal_left_by_a_removed_state_is_not_played_into_the_new_one(tmp_path: Path) -> None:
    path, journal = tmp_path / "state.db", tmp_path / "state.db-wal"
    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, record(1))
        left = journal.read_bytes()
    path.unlink()
    journal.write_bytes(left)
    await make(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (0,)


@pytest.mark.asyncio
async def test_a_state_opens_by_any_name(tmp_path: Path) -> None:
    """Names that mean something in a URI, and a link: one file, one lock."""
    path = tmp_path / "état ?mode=memory#100%.db"
    await make(path)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    await make(link, rows=1)
    assert link.is_symlink()
    assert not (tmp_path / "link.db.lock").exists()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (1,)


@pytest.mark.asyncio
async def test_the_file_says_what_it_is_and_whom_it_is_for_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone() == ("company",)


@pytest.mark.asyncio
async def test_commits_reach_the_disk(tmp_path: Path) -> None:
    async with SqliteState(tmp_path / "state.db", "company").open() as store:
        [synchronous] = await pragmas(store, "synchronous")
    assert synchronous == 2, "FULL: a commit survives a power cut"


@pytest.mark.asyncio
async def test_a_full_store_says_so_and_keeps_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open() as store:
        before = await listed(store.mirror, record(1))
        await pragmas(store, "max_page_count = 1")
        rows = [record(id_, padding=PADDING) for id_ in range(2, 200)]
        with pytest.raises(StoreUnusable, match="is full"):
            await store.mirror.commit_pages(Scan("invoices", "changes"), [Page(1, rows, server_time=T0)])
        assert await store.mirror.cursor("invoices") == before.cursor
        assert (await store.mirror.standing("invoices")).changes is None
        await pragmas(store, "max_page_count = 100000")
        assert (await scan(store.mirror, rows)).scan.distinct == 198, "it goes on by itself once there is room"


@contextmanager
def mounted(point: Path, *how: str) -> Iterator[None]:
    """A mount at `point` for a while; needs the right to mount."""
    if subprocess.run(["mount", *how, str(point)], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(point)], check=True)


@contextmanager
def disk_of(directory: Path, size: str) -> Iterator[Path]:
    disk = directory / "disk"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        yield disk


def remount_read_only(point: Path, *how: str) -> None:
    subprocess.run(["mount", "-o", ",".join(["remount", "ro", *how]), str(point)], check=True)


@pytest.mark.asyncio
async def test_a_full_disk(tmp_path: Path) -> None:
    with disk_of(tmp_path, "3m") as disk:
        async with SqliteState(disk / "state.db", "company").open() as store:
            committed = await listed(store.mirror, record(1))
            rows = [record(id_, padding=PADDING) for id_ in range(2, 4000)]
            with pytest.raises(StoreUnusable, match="is full"):
                await scan(store.mirror, rows)
        async with SqliteState(disk / "state.db", "company").open() as store:
            assert await store.mirror.cursor("invoices") == committed.cursor


@pytest.mark.asyncio
async def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    with disk_of(tmp_path, "64k") as disk:
        (disk / "ballast").write_bytes(b"\x00" * 64 * 1024)
        assert "is full" in await refusal(disk / "state.db")
        assert not (disk / "state.db").exists()


@pytest.mark.asyncio
async def test_a_read_only_disk(tmp_path: Path) -> None:
    with disk_of(tmp_path, "8m") as disk:
        await make(disk / "state.db")
        remount_read_only(disk)
        assert "cannot be written here" in await refusal(disk / "state.db")
        assert "cannot be written here" in await refusal(disk / "other.db")


@pytest.mark.asyncio
async def test_a_read_only_file_on_a_disk_that_is_not(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    with mounted(path, "--bind", str(path)):
        remount_read_only(path, "bind")
        assert "cannot be written here" in await refusal(path)
    assert names(tmp_path) == ["state.db", "state.db.lock"]


@pytest.mark.parametrize(
    ("failure", "said", "code"),
    [
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written here", 4),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written here", 4),
        (OSError(errno.ENOSPC, "No space left on device"), "is full", 1),  # and may have room again: start anew
        (OSError(errno.ENAMETOOLONG, "File name too long"), "cannot be used", 4),
        (sqlite3.ProgrammingError("closed"), "cannot be used", 4),
    ],
)
def test_what_the_system_refuses_is_said_to_the_operator(failure: Exception, said: str, code: int) -> None:
    with pytest.raises(StoreUnusable, match=said) as caught, explained(Path("/data/state.db")):
        raise failure
    assert "/data/state.db" in str(caught.value)
    assert caught.value.exit_code == code


@pytest.mark.asyncio
async def test_a_state_locked_by_a_database_shell(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open() as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as shell:
            shell.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnusable, match="Another program has locked"):
                await store.budget_book.charge(T0, b"")
            shell.execute("ROLLBACK")
        await store.budget_book.charge(T0, b"")


def test_an_engine_that_is_too_old_is_refused_in_one_sentence() -> None:
    refuse_old_engine((3, 39, 0))
    with pytest.raises(StoreUnusable, match=r"3\.39 or newer; this Python has 3\.37\.2\. Use another") as caught:
        refuse_old_engine((3, 37, 2))
    assert caught.value.exit_code == 4
