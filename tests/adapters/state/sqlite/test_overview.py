"""The overview for people, read beside a running writer."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from anyio import run_process, to_thread
from blockbuster import blockbuster_ctx

from precoro_daemon.adapters.state.sqlite.schema import MIGRATION_FILES
from precoro_daemon.adapters.state.sqlite.session import STATEMENTS
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.mirror.ports.mirror import Quarantined, WantedDetails
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.cursors import Cursor, Scan
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.watched_hours import WatchedHour
from precoro_daemon.status.reading import CollectionState, Overview
from tests.contracts.counting import miscounted
from tests.contracts.listing import T0, listed, paged, record, scan


def names(directory: Path) -> list[str]:
    return [each.name for each in directory.iterdir()]


async def look(path: Path, *, since: float = 0.0) -> Overview:
    wanted = WantedFiles(("invoices",), 10**9)
    return await to_thread.run_sync(
        lambda: SqliteState(path, "company").overview(
            since=since, files=wanted, details=WantedDetails(("invoices",)), now=0.0
        )
    )


@pytest.mark.asyncio
async def test_what_is_there_what_is_due_and_what_is_underway(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    rows = [record(id_, wanted=id_ != 3) for id_ in range(1, 6)]
    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, *rows)
        census = await scan(store.mirror, rows[:4], at=T0 + 9)
        await store.mirror.close_scan(census.scan, [5], at=T0 + 9)
        [due] = await store.mirror.due_details(["invoices"], before=T0, limit=1)
        await store.mirror.save_detail(due, Detail(None, "{}"), at=T0)
        begun = await store.mirror.commit_pages(Scan("receipts", "whole"), paged(rows)[:1])
        overview = await look(path)
        cursor = await store.mirror.cursor("invoices")
    assert overview.backlog == 2, "of the collection whose details are wanted"
    assert overview.collections == {
        "invoices": CollectionState(cursor, live=4, wanted=3, vanished=1, detailed=1, due=2),
        "receipts": CollectionState(Cursor("receipts"), (begun.scan,), live=2, wanted=2, due=2),
    }


@pytest.mark.asyncio
async def test_what_scans_saw_of_changes(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    hours = [WatchedHour("taxes", 3600, scans=1), WatchedHour("invoices", 7200, 3600.0, 4, 3, 2, 2, 3, 90.0, 60.0)]
    async with SqliteState(path, "company").open() as store:
        await store.freshness_book.add(hours, forget_before=0.0)
    assert (await look(path)).watched == hours


@pytest.mark.asyncio
async def test_what_was_set_aside_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    asides = [
        Quarantined("invoices", str(n), Stage.DETAIL, f"reason {n}", None, 1, T0 + n, T0 + 60) for n in range(21)
    ]
    async with SqliteState(path, "company").open() as store:
        for aside in asides:
            await store.mirror.quarantine(aside)
        await store.mirror.quarantine(Quarantined("items", "ab", Stage.RECORD, "no id", "{}", 1, T0 - 1, None))
    overview = await look(path)
    assert overview.quarantined == asides[:0:-1]
    assert overview.quarantined_counts == {("invoices", Stage.DETAIL): 21, ("items", Stage.RECORD): 1}


@pytest.mark.asyncio
async def test_the_account_of_calls(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open() as store:
        for at in (T0, T0 + 1):
            await store.budget_book.charge(at, b"12345678")
        await store.budget_book.close("day", T0 + 60)
        overview = await look(path, since=T0 + 1)
    assert overview.calls == [(T0 + 1, b"12345678")]
    assert overview.closed == {"day": T0 + 60}


@pytest.mark.asyncio
async def test_a_state_of_an_older_version_waits_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open():
        pass

    def age() -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE refusals")
            connection.execute("PRAGMA user_version = 3")

    await to_thread.run_sync(age)
    with pytest.raises(StoreUnusable, match="by an older version of this program"):
        await look(path)


@pytest.mark.asyncio
async def test_there_is_no_overview_of_no_state_or_of_another_company(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with pytest.raises(StoreUnusable, match="There is no state in"):
        await look(path)
    assert names(tmp_path) == []
    async with SqliteState(path, "other").open():
        with pytest.raises(StoreUnusable, match="another company"):
            await look(path)


@pytest.mark.asyncio
async def test_the_store_never_blocks_the_loop(tmp_path: Path) -> None:
    with blockbuster_ctx():
        async with SqliteState(tmp_path / "state.db", "company").open() as store:
            await listed(store.mirror, *(record(id_) for id_ in range(5)))
            await store.budget_book.charge(T0, b"")


@pytest.mark.asyncio
async def test_looking_takes_nothing_from_the_locks_of_the_writer(tmp_path: Path) -> None:
    """A shell or a report that closes the file as the last one deletes the log of changes, which is right; it must
    not take itself for the last one."""
    path = tmp_path / "state.db"
    reader = f"import sqlite3; c = sqlite3.connect({str(path)!r}); print(*c.execute(ROWS).fetchone()); c.close()"
    reader = reader.replace("ROWS", repr("SELECT count(*) FROM records"))

    async def shell() -> str:
        return (await run_process([sys.executable, "-c", reader])).stdout.decode().strip()

    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, record(1))
        log = path.with_name("state.db-wal").stat().st_ino
        await look(path)
        await look(path)
        assert await shell() == "1"
        assert path.with_name("state.db-wal").stat().st_ino == log
        await listed(store.mirror, record(1), record(2))
        assert await shell() == "2"


@pytest.mark.asyncio
@pytest.mark.parametrize("statement", ["overview.count_records", "attachments.count_files", "overview.count_intents"])
async def test_what_people_are_told_to_be_there_is_not_counted_for_them(tmp_path: Path, statement: str) -> None:
    """Else a million rows would take a million times as long."""
    path = tmp_path / "state.db"
    async with SqliteState(path, "company").open():
        pass
    with closing(sqlite3.connect(path)) as state:
        steps = [step for (*_, step) in state.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[statement]}")]
    assert [step for step in steps if step.startswith("SCAN") and not step.endswith("_counts")] == []


def test_a_state_of_an_older_version_is_counted_once() -> None:
    before = [path.read_text() for path in MIGRATION_FILES if path.name < "0022"]
    [counting] = [path.read_text() for path in MIGRATION_FILES if path.name.startswith("0022")]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as state:
        state.executescript("\n".join(before))
        state.executemany(
            "INSERT INTO records VALUES (?, ?, NULL, 1, NULL, NULL, 'a', ?, 1, 1, ?, ?, '{}')",
            [
                (name, number, number % 2, 5 if number % 3 else None, "a" if number % 5 else "b")
                for number in range(30)
                for name in ("items", "units", "taxes")[: 1 + number % 3]
            ],
        )
        state.execute(
            "INSERT INTO attached_files (collection, record_id, id, name, kind, stored_at, length) VALUES "
            "('items', 1, 2, 'a', 'pdf', 1, 7)"
        )
        state.executescript(counting)
        assert miscounted(state.execute) == []
        assert len(state.execute("SELECT * FROM record_counts").fetchall()) == 3
