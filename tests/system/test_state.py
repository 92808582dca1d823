"""Backups of a state in use, and the way back: whole, disarmed, and never half, however it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.backup import back_up
from precoro_daemon.adapters.state.sqlite.restoring import restore
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreHeld, StoreUnusable
from precoro_daemon.sandbox import SandboxOptions, serve
from tests.adapters.state.sqlite.test_opening import disk_of
from tests.catalogue.test_commands import shop, until
from tests.contracts.listing import listed, record
from tests.system.program import NO_LIMITS, ROOT, Program, finish

pytestmark = pytest.mark.asyncio


async def filled(path: Path, *, rows: int = 50, calls: int = 3) -> None:
    async with SqliteState(path, "company").open() as store:
        now = time.time()
        for number in range(calls):
            await store.budget_book.charge(now - 100 + number, b"12345678")
        await listed(store.mirror, *(record(number + 1, note="x" * 500) for number in range(rows)))


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def in_thread(work: object, *arguments: object, **named: object) -> object:
    return await anyio.to_thread.run_sync(lambda: work(*arguments, **named))  # type: ignore[operator]


async def test_a_backup_of_a_state_in_use_is_one_whole_private_file(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    async with SqliteState(state, "company").open() as store:
        await store.budget_book.charge(time.time(), b"now")
        made = await in_thread(back_up, state, copy, identity="company", replace=False)
        assert made.size == copy.stat().st_size  # type: ignore[attr-defined]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert query(copy, "PRAGMA integrity_check") == [("ok",)]
    assert query(copy, "SELECT count(*) FROM records") == [(50,)]
    assert query(copy, "SELECT count(*) FROM calls") == [(4,)]
    assert [name for name in names(tmp_path) if name.startswith("copy")] == ["copy.db"]


async def test_what_is_there_is_replaced_only_on_demand(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    copy.write_text("mine")
    with pytest.raises(StoreUnusable, match="is there already"):
        await in_thread(back_up, state, copy, identity="company", replace=False)
    assert copy.read_text() == "mine"
    await in_thread(back_up, state, copy, identity="company", replace=True)
    assert query(copy, "SELECT count(*) FROM records") == [(50,)]


@pytest.mark.parametrize(
    ("target", "said"),
    [("state.db", "the state itself"), ("none/copy.db", "does not exist"), (".", "is a directory")],
)
async def test_where_no_backup_can_go_is_one_sentence(tmp_path: Path, target: str, said: str) -> None:
    await filled(tmp_path / "state.db")
    with pytest.raises(StoreUnusable, match=said):
        await in_thread(back_up, tmp_path / "state.db", tmp_path / target, identity="company", replace=True)


async def test_a_restored_state_is_the_backup_disarmed_and_no_call_is_forgotten(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    async with SqliteState(state, "company").open() as store:
        await store.journal.arm(time.time())
        assert (await store.journal.switch()).armed
    await in_thread(back_up, state, copy, identity="company", replace=False)
    async with SqliteState(state, "company").open() as store:
        await store.budget_book.charge(time.time(), b"later")
        await store.budget_book.close("day", 4e9)
        await store.budget_book.save_refusal("key", 3, 2e9)
        await listed(store.mirror, *(record(number + 1) for number in range(5)), collection="suppliers")
    done = await in_thread(restore, copy, state, identity="company")
    async with SqliteState(state, "company").open() as store:
        switch = await store.journal.switch()
        assert (switch.armed, "restored from a backup" in switch.reason) == (False, True)
        assert len(await store.budget_book.load(0.0)) == 4, "one call was made after the backup"
        assert await store.budget_book.load_closed() == {"day": 4e9}
        assert await store.budget_book.load_refusal("key") == (3, 2e9)
        assert (await store.mirror.cursor("suppliers")).at is None
    aside = done.former  # type: ignore[attr-defined]
    assert query(aside, "SELECT count(*) FROM records WHERE collection = 'suppliers'") == [(5,)]


async def test_a_backup_comes_to_a_place_without_a_state(tmp_path: Path) -> None:
    await filled(tmp_path / "old.db")
    await in_thread(back_up, tmp_path / "old.db", tmp_path / "copy.db", identity="company", replace=False)
    done = await in_thread(restore, tmp_path / "copy.db", tmp_path / "new.db", identity="company")
    assert (done.former, done.calls) == (None, 0)  # type: ignore[attr-defined]
    assert query(tmp_path / "new.db", "SELECT count(*) FROM records") == [(50,)]


async def test_a_state_in_use_is_not_replaced(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    await in_thread(back_up, state, copy, identity="company", replace=False)
    async with SqliteState(state, "company").open():
        with pytest.raises(StoreHeld, match="is held by process"):
            await in_thread(restore, copy, state, identity="company")


async def test_a_state_that_somebody_reads_is_not_replaced(tmp_path: Path) -> None:
    """He would go on reading files of the same names, and the last calls stand in the log that he holds open."""
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    await in_thread(back_up, state, copy, identity="company", replace=False)
    await filled(state, rows=80, calls=5)
    with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as reader:
        assert reader.execute("SELECT count(*) FROM records").fetchone() == (80,)
        with pytest.raises(StoreUnusable, match="Another program has locked the state"):
            await in_thread(restore, copy, state, identity="company")
        assert reader.execute("SELECT count(*) FROM records").fetchone() == (80,)
    done = await in_thread(restore, copy, state, identity="company")
    assert done.calls == 8  # type: ignore[attr-defined]
    assert query(state, "SELECT count(*) FROM calls") == [(8,)]


async def test_the_state_of_another_company_is_not_replaced(tmp_path: Path) -> None:
    await filled(tmp_path / "ours.db")
    await in_thread(back_up, tmp_path / "ours.db", tmp_path / "copy.db", identity="company", replace=False)
    async with SqliteState(tmp_path / "theirs.db", "stranger").open():
        pass
    with pytest.raises(StoreUnusable, match="another company"):
        await in_thread(restore, tmp_path / "copy.db", tmp_path / "theirs.db", identity="company")
    with closing(sqlite3.connect(tmp_path / "sales.db")) as sales:
        sales.execute("CREATE TABLE sales (id)")
    with pytest.raises(StoreUnusable, match="another program"):
        await in_thread(restore, tmp_path / "copy.db", tmp_path / "sales.db", identity="company")
    assert query(tmp_path / "sales.db", "SELECT count(*) FROM sales") == [(0,)]


async def test_back_from_a_newer_version_no_call_is_forgotten(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    await in_thread(back_up, state, copy, identity="company", replace=False)
    await filled(state, calls=4)
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA user_version = 999")
    done = await in_thread(restore, copy, state, identity="company")
    assert done.calls == 7  # type: ignore[attr-defined]
    async with SqliteState(state, "company").open() as store:
        assert len(await store.budget_book.load(0.0)) == 7


@pytest.mark.parametrize("ending", ["-wal", "-shm", ".lock", ".armed", ".restored"])
async def test_files_of_the_state_are_no_place_for_a_backup_and_none_themselves(tmp_path: Path, ending: str) -> None:
    state, other = tmp_path / "state.db", tmp_path / f"state.db{ending}"
    await filled(state)
    async with SqliteState(state, "company").open() as store:
        await store.budget_book.charge(time.time(), b"now")
        with pytest.raises(StoreUnusable, match="belongs to the state"):
            await in_thread(back_up, state, other, identity="company", replace=True)
        assert len(await store.budget_book.load(0.0)) == 4
    other.write_text("mine")
    with pytest.raises(StoreUnusable, match="belongs to the state"):
        await in_thread(restore, other, state, identity="company")
    assert other.read_text() == "mine"


async def test_a_full_disk_is_said_of_the_right_file_and_nothing_is_left(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    await filled(state, rows=2000)
    with disk_of(tmp_path, "1m") as disk:
        with pytest.raises(StoreUnusable, match=f"disk of the backup {disk / 'copy.db'} is full"):
            await in_thread(back_up, state, disk / "copy.db", identity="company", replace=False)
        assert names(disk) == []
        await in_thread(back_up, state, tmp_path / "copy.db", identity="company", replace=False)
        with pytest.raises(StoreUnusable, match=f"disk of the state {disk / 'state.db'} is full"):
            await in_thread(restore, tmp_path / "copy.db", disk / "state.db", identity="company")
        assert names(disk) == ["state.db.lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
async def test_what_root_makes_belongs_to_the_owner_of_the_state(tmp_path: Path) -> None:
    """As an operator restores and arms what a service's own user runs."""
    place = tmp_path / "place"
    place.mkdir()
    os.chown(place, 10001, 10001)
    await filled(tmp_path / "old.db")
    await in_thread(back_up, tmp_path / "old.db", tmp_path / "copy.db", identity="company", replace=False)
    for _ in range(2):  # without a state, then with one
        await in_thread(restore, tmp_path / "copy.db", place / "state.db", identity="company")
        async with SqliteState(place / "state.db", "company").open() as store:
            await store.journal.arm(time.time())
            assert {path.stat().st_uid for path in place.iterdir()} == {10001}
        await anyio.sleep(1.1)  # the name of what is kept aside has the second in it
    async with SqliteState(place / "new.db", "company").open():
        assert {path.stat().st_uid for path in place.iterdir()} == {10001}


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "scribbled", "newer", "other", "itself"])
async def test_what_is_no_backup_of_this_state_is_refused_and_nothing_changes(tmp_path: Path, kind: str) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state, rows=400)
    await in_thread(back_up, state, copy, identity="company", replace=False)
    match kind:
        case "missing":
            copy.unlink()
        case "text":
            copy.write_text("dear diary\n" * 500)
        case "cut":
            os.truncate(copy, copy.stat().st_size // 2)
        case "scribbled":
            with copy.open("r+b") as file:
                file.seek(copy.stat().st_size // 3)
                file.write(os.urandom(copy.stat().st_size // 3))
        case "newer":
            with closing(sqlite3.connect(copy)) as connection:
                connection.execute("PRAGMA user_version = 999")
    before = query(state, "SELECT count(*), max(version) FROM records")
    source = state if kind == "itself" else copy
    with pytest.raises(StoreUnusable):
        await in_thread(restore, source, state, identity="stranger" if kind == "other" else "company")
    assert query(state, "SELECT count(*), max(version) FROM records") == before
    assert set(names(tmp_path)) <= {"state.db", "copy.db", "state.db.lock", "state.db-wal", "state.db-shm"}


async def test_a_damaged_state_is_replaced_and_kept(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    await filled(state)
    await in_thread(back_up, state, copy, identity="company", replace=False)
    state.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    done = await in_thread(restore, copy, state, identity="company")
    assert done.calls is None  # type: ignore[attr-defined]
    async with SqliteState(state, "company").open() as store:
        assert len(await store.budget_book.load(0.0)) == 3
    assert done.former.stat().st_size == 5016  # type: ignore[attr-defined]


async def left_by_a_moved_state(place: Path) -> bytes:
    """A backup, and what a killed service's state leaves when its main file alone is moved away. Its log."""
    state = place / "state.db"
    await filled(state, rows=20)
    await in_thread(back_up, state, place / "copy.db", identity="company", replace=False)
    async with SqliteState(state, "company").open() as store:
        await listed(store.mirror, *(record(number + 1, note="later") for number in range(300)))
        kept = place.with_name("kept")
        kept.mkdir()
        for name in ("state.db-wal", "state.db-shm"):
            shutil.copy(place / name, kept)
    state.unlink()
    for path in kept.iterdir():
        shutil.copy(path, place)
    return (place / "state.db-wal").read_bytes()


async def test_the_log_of_a_state_that_was_moved_away_is_not_played_into_the_restored_one(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    log = await left_by_a_moved_state(place)
    (place / "state.db-journal").write_bytes(b"another one")
    done = await in_thread(restore, place / "copy.db", place / "state.db", identity="company")
    assert done.calls is None, "what it called is not known"  # type: ignore[attr-defined]
    assert done.former.read_bytes() == log  # type: ignore[attr-defined]
    aside = done.former.name.removesuffix("-wal")  # type: ignore[attr-defined]
    assert (place / f"{aside}-journal").read_bytes() == b"another one"
    assert {"state.db-wal", "state.db-shm", "state.db-journal"}.isdisjoint(names(place))
    assert query(place / "state.db", "PRAGMA integrity_check") == [("ok",)]
    assert query(place / "state.db", "SELECT count(*) FROM records") == [(20,)]
    async with SqliteState(place / "state.db", "company").open() as store:
        assert len(await store.budget_book.load(0.0)) == 3


KILLED = """
import os, shutil, sys
from pathlib import Path
from precoro_daemon.adapters.state.sqlite import restoring
origin, runs, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
left = 0

def trace(frame, event, argument):
    global left
    if frame.f_code.co_filename.endswith(("/backup.py", "/restoring.py", "/restore_guard.py")):
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
        return trace

for number in range(0, 400, step):
    place = runs / str(number)
    shutil.copytree(origin, place)
    if not os.fork():
        left = number
        sys.settrace(trace)
        restoring.restore(place / "copy.db", place / "state.db", identity="company")
        os._exit(0)
    status = os.wait()[1]
    if not os.WIFSIGNALED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
sys.exit("it never ended")
"""


async def killed_restores(origin: Path, runs: Path, every: int) -> list[Path]:
    """The backup in `origin` is restored there again and again, each time killed some lines later, until it ends."""
    run = [sys.executable, "-c", KILLED, str(origin), str(runs), str(every)]
    done = await anyio.run_process(run, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    places = await anyio.to_thread.run_sync(lambda: [*runs.iterdir()])
    assert len(places) > 15
    return places


async def test_killed_at_any_line_the_log_of_a_state_that_was_moved_away_is_kept_and_not_played(
    tmp_path: Path,
) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    log = await left_by_a_moved_state(origin)
    for place in await killed_restores(origin, tmp_path / "runs", every=9):
        assert log in [path.read_bytes() for path in place.glob("*-wal")], place
        if (place / "state.db").exists():
            assert "state.db-wal" not in names(place)
            assert query(place / "state.db", "SELECT count(*) FROM records") == [(20,)]


async def test_killed_at_any_line_the_old_or_the_new_state_is_there(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    used = tmp_path / "state.db"
    await filled(used, rows=20)
    await in_thread(back_up, used, origin / "copy.db", identity="company", replace=False)
    await filled(used, rows=30, calls=4)
    async with SqliteState(used, "company").open() as store:
        await store.journal.arm(time.time())
        await store.budget_book.charge(time.time(), b"in the log alone")
        for path in (used, tmp_path / "state.db-wal"):  # as a killed service leaves it
            shutil.copy(path, origin)

    seen = set()
    for place in await killed_restores(origin, tmp_path / "runs", every=9):
        async with SqliteState(place / "state.db", "company").open() as store:
            assert not (await store.journal.switch()).armed
            calls = len(await store.budget_book.load(0.0))
        rows = query(place / "state.db", "SELECT count(*) FROM records")[0][0]
        seen.add(rows)
        assert (rows, calls) in {(20, 8), (30, 8)}, place
    assert seen == {20, 30}


async def test_the_commands_while_a_service_runs_and_after_it(tmp_path: Path) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 40}, limits=False, busy=1500)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"limits": NO_LIMITS})
        assert (await program.once()).code in {0, 3}, "its users go on meanwhile"
        async with program.running("run") as process:
            await anyio.sleep(1.0)
            for number in range(2):
                made = await program.run("state", "backup", str(tmp_path / f"copy {number}.db"))
                assert (made.code, made.stderr) == (0, "")
                assert "checked" in made.stdout
                copy = tmp_path / f"copy {number}.db"
                unlogged = (
                    "SELECT count(*) FROM records WHERE (collection, id) NOT IN (SELECT collection, id FROM changes)"
                )
                assert query(copy, unlogged) == [(0,)], "rows and their changes are one transaction"
            refused = await program.run("state", "restore", str(tmp_path / "copy 0.db"))
            assert refused.code == 7
            process.send_signal(signal.SIGTERM)
            assert (await finish(process)).code == 0
        restored = await program.run("state", "restore", str(tmp_path / "copy 1.db"))
        assert restored.code == 0
        assert "payments are disarmed" in restored.stdout
        assert (await program.once()).code in {0, 3}


async def test_items_written_since_the_backup_are_not_made_twice(tmp_path: Path) -> None:
    async with shop(tmp_path, items=1, latency=0.01) as (sandbox, program, _):
        await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        [row] = program.rows()
        program.want([row, *(row | {"sku": f"N-{number}"} for number in range(40))])
        await program.run("items", "plan", "--supplier", "V-1")
        async with program.running("items", "apply", "--supplier", "V-1", "--yes") as process:
            await until(lambda: len(sandbox.company["items"]) >= 10)
            process.kill()
            await process.wait()
        assert (await program.run("state", "backup", str(tmp_path / "copy.db"))).code == 0
        assert (await program.run("items", "apply", "--supplier", "V-1", "--yes")).code == 0
        assert (await program.run("state", "restore", str(tmp_path / "copy.db"))).code == 0
        for _ in range(2):
            await program.run("items", "apply", "--supplier", "V-1", "--yes")
            await program.once()
        skus = [str((row.extra or {})["sku"]) for row in sandbox.company["items"]]
        assert sorted(skus) == sorted({"A-0", *(f"N-{number}" for number in range(40))})
