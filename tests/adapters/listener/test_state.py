"""What is seen of a real state that was filled from the sandbox, beside the program that writes it."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec import structs

from precoro_daemon.app.company import polling_of
from precoro_daemon.app.state import state_of
from precoro_daemon.app.state_reading import read_snapshot
from precoro_daemon.app.values import limits
from precoro_daemon.app.watch import StateWatcher, Watched
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, UnreadableRow
from precoro_daemon.quota.budget import Budget
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.job_state import JobStatus
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.status.attention import matters
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Snapshot, Tallies
from tests.mirror.stage import Stage, stage

pytestmark = pytest.mark.asyncio

COUNTED = {"per_day": 3000}


@asynccontextmanager
async def watcher(there: Stage) -> AsyncIterator[StateWatcher]:
    """As a service that holds the state has it."""
    settings = there.settings
    clock = there.clock()
    pulse = Pulse(clock.now(), [JobStatus("mirror_collections", good_at=clock.now(), lap=LapReport(3))])
    async with (
        state_of(settings).open() as store,
        anyio.create_task_group() as tasks,
    ):
        account = Budget(limits(settings))
        account.restore(await store.budget_book.load(0), {}, clock.now())
        polling = polling_of(settings, store, clock, account)
        await polling.replan()
        yield StateWatcher(settings, Watched(pulse, Tallies(), account, polling, clock), tasks)
        tasks.cancel_scope.cancel()


async def seen(there: Stage) -> Snapshot:
    async with watcher(there) as one:
        assert one.glance().stored is None
        return await one.snapshot(20)


def counted(**sections: Any) -> dict[str, dict[str, Any]]:
    return {"limits": COUNTED} | sections


async def test_freshness_documents_and_calls(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=counted(), counts={"invoices": 30}) as there:
        there.sandbox.faults.add("422", path="^/invoices/", times=2)
        await there.run()
        snapshot = await seen(there)
        made = there.sandbox.journal.total
    stored = snapshot.stored
    assert stored is not None
    [invoices] = stored.collections
    assert (invoices.name, invoices.live, invoices.detailed, invoices.due) == ("invoices", 30, 28, 2)
    assert invoices.as_of is not None
    assert stored.quarantined_counts == {("invoices", "detail"): 2}
    assert stored.payments is None
    assert stored.free["state"] > 0
    assert len(stored.hours) == 24
    assert sum(hour.total for hour in stored.hours) == made
    lanes = sum((Counter(hour.calls) for hour in stored.hours), Counter())
    assert lanes[Lane.LISTS] == 3
    assert lanes[Lane.DETAILS] + lanes[Lane.CENSUS] == made - 3  # those of today, and the back-fill
    assert snapshot.quota.limits == {"day": 3000}
    assert snapshot.quota.left == {"day": 3000 - made}
    assert snapshot.quota.lanes[Lane.PAYMENTS] == 3000 - made
    assert stored.backlog == 2
    assert snapshot.backfill_time == (0, 0, 0), "both may leave at once: only the day is limited"


async def test_a_collection_that_was_never_listed_is_there_without_an_age(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=counted(), counts={"invoices": 30}) as there:
        await there.run_until(lambda scan, _: scan.next_page > 1)
        there.sections["mirror_collections"] = {"collections": ("invoices", "receipts")}
        stored = (await seen(there)).stored
    assert stored is not None
    assert [(one.name, one.as_of) for one in stored.collections] == [("invoices", None), ("receipts", None)]
    [scan] = stored.collections[0].scans
    assert (scan.rows, scan.total) == (10, 30)


async def test_files_and_the_disk(tmp_path: Path) -> None:
    files = {"directory": tmp_path / "files", "max_bytes": 1}
    async with stage(tmp_path, sections=counted(fetch_attachments=files), size="small", counts={}) as there:
        await there.run("mirror_collections")
        await there.run("fetch_details")
        await there.run("fetch_attachments")
        stored = (await seen(there)).stored
    assert stored is not None
    assert len(stored.files.too_large) > 0
    assert stored.files.kept.files == 0
    assert stored.free.keys() == {"state", "files"}


async def test_payments_that_are_not_armed_and_the_kill_switch(tmp_path: Path) -> None:
    stop = tmp_path / "payments.stop"
    path = tmp_path / "books.db"
    ledger = {
        "kind": "sql", "name": "Books",
        "sql": {"url": f"sqlite:///{path}", "start": "0", "read": "SELECT * FROM payments WHERE id > :position"},
    }  # fmt: skip
    sections = counted(ledger=ledger, payments={"kill_switch": stop})
    async with stage(tmp_path, sections=sections) as there:
        await anyio.to_thread.run_sync(sandbox_ledger.found, path)
        await there.run("mirror_collections")
        async with state_of(there.settings).open() as store:
            unmatched = LedgerPayment("7", "R-1", Decimal(5), "EUR", date(2026, 1, 15), None, None)
            reading = LedgerBatch([unmatched], [UnreadableRow("8", "amount: read 'ten'", "{}")], "8")
            await store.ledger_payments.take_in("Books", reading, 1.0)
        stop.touch()
        stored = (await seen(there)).stored
    assert stored is not None
    payments = stored.payments
    assert payments is not None
    assert (payments.switch.armed, payments.kill_switch, payments.ledger) == (False, str(stop), "Books")
    assert payments.stopped == f"the kill-switch file {stop} is there"
    assert payments.switch.reason.startswith("they were never armed")
    assert (payments.unreadable, payments.unmatched) == (1, 1)


async def test_a_state_that_cannot_be_read_is_told_and_the_last_look_stays(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=counted()) as there:
        await there.run("mirror_collections")
        async with watcher(there) as one:
            good = await one.snapshot(20)
            away = there.database.with_name("away.db")
            await anyio.to_thread.run_sync(shutil.move, there.database, away)
            one._read_again_at = 0
            snapshot = await one.snapshot(20)
            await anyio.to_thread.run_sync(shutil.move, away, there.database)
    assert good.unreadable == ""
    assert "There is no state" in snapshot.unreadable
    assert snapshot.stored == good.stored


async def test_however_many_look_the_state_is_read_once(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=counted()) as there:
        await there.run("mirror_collections")
        async with watcher(there) as one:
            snapshots: list[Snapshot] = []

            async def look() -> None:
                snapshots.append(await one.snapshot(20))

            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(look)
            again = await one.snapshot(20)
    assert len({id(snapshot.stored) for snapshot in [*snapshots, again]}) == 1


async def test_a_slow_look_keeps_nobody_waiting_and_ends_when_the_program_does(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=counted()) as there:
        await there.run("mirror_collections")
        await anyio.to_thread.run_sync(_make_slow, there.database)
        began = anyio.current_time()
        async with watcher(there) as one:
            assert (await one.snapshot(0.1)).stored is None
            one.close()
        assert anyio.current_time() - began < 20


def _make_slow(database: Path) -> None:
    """To read how many records there are takes minutes; how many of them are due is known at once."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
        cells = f"'items' AS collection, ({numbers} SELECT count(*) FROM n) AS records"
        connection.execute("DROP TABLE record_counts")
        connection.execute(f"CREATE VIEW record_counts AS SELECT {cells}, 0 AS vanished, 0 AS unwanted, 0 AS due")


async def test_a_command_sees_what_the_service_shows_but_for_its_signs_of_life(tmp_path: Path) -> None:
    files = {"directory": tmp_path / "files"}
    sections = counted(fetch_attachments=files)
    async with stage(tmp_path, sections=sections, size="small", counts={"invoices": 30}) as there:
        there.sandbox.faults.add("422", path="^/invoices/", times=2)
        await there.run()
        async with watcher(there) as one:
            service = await one.snapshot(20)
            command = await anyio.to_thread.run_sync(read_snapshot, there.settings, service.command)
    assert service.stored is not None
    assert command.stored is not None
    same = {"read_at": 0.0, "free": {}, "hours": (), "collections": ()}
    assert structs.replace(command.stored, **same) == structs.replace(service.stored, **same)
    one, other = command.stored.collections[0], service.stored.collections[0]
    assert structs.replace(one, freshness=None) == structs.replace(other, freshness=None)
    assert one.freshness is not None
    assert other.freshness is not None
    # It is of the last seven days, which moved on between the two.
    assert one.freshness.changes == pytest.approx(other.freshness.changes, rel=0.01)
    assert one.freshness.scans == pytest.approx(other.freshness.scans, rel=0.01)
    assert sum(hour.total for hour in command.stored.hours) == sum(hour.total for hour in service.stored.hours) > 0
    assert command.quota.left == service.quota.left
    assert (len(service.pulse.jobs), len(command.pulse.jobs)) == (1, 0)
    assert matters(command) == matters(service)
