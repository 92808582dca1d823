"""What every state store promises as a mirror (`ports.Mirror`)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precoro_daemon.errors import Refused
from precoro_daemon.mirror.ports.mirror import Due, Mirror, Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.absences import Missing
from precoro_daemon.mirror.rules.cursors import Cursor, Page, Scan
from precoro_daemon.mirror.rules.documents import Record, read_record
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.reach import Skew
from tests.contracts.backends import Backend
from tests.contracts.listing import T0, listed, paged, record, rejected, scan

LATER = T0 + 3600
EVER = T0 + 10**9
RECORDS = "SELECT collection, id, data FROM records ORDER BY collection, id"
CHANGES = "SELECT id, kind FROM changes ORDER BY seq"


async def due_ids(mirror: Mirror, before: float = EVER, collection: str = "invoices") -> list[int]:
    return [due.id for due in await mirror.due_details([collection], before=before, limit=100)]


async def due_for(mirror: Mirror, id_: int) -> Due:
    [due] = [each for each in await mirror.due_details(["invoices"], before=EVER, limit=100) if each.id == id_]
    return due


def failed(id_: int, retry_at: float | None, *, at: float = T0) -> Quarantined:
    return Quarantined("invoices", str(id_), Stage.DETAIL, "not found", None, attempts=1, since=at, retry_at=retry_at)


@pytest.mark.asyncio
async def test_a_new_store_knows_nothing(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.mirror.cursor("invoices") == Cursor("invoices")
        assert (await store.mirror.standing("invoices")).whole is None
        assert await store.mirror.due_details(["invoices"], before=EVER, limit=10) == []
        assert await store.mirror.count_due(["invoices"], before=EVER) == {"invoices": 0}


@pytest.mark.asyncio
async def test_records_changes_pass_and_cursor_are_kept(backend: Backend) -> None:
    rows = [record(3), record(2), record(1)]
    async with backend.open() as store:
        committed = await scan(store.mirror, rows)
        assert committed.scan.proved
        assert committed.cursor.at == committed.cursor.whole_at == T0
    async with backend.open() as store:
        assert await store.mirror.cursor("invoices") == committed.cursor
        assert (await store.mirror.standing("invoices")).whole is None
    assert backend.query(RECORDS) == [("invoices", row.id, row.raw) for row in reversed(rows)]
    assert backend.query(CHANGES) == [(3, "created"), (2, "created"), (1, "created")]


@pytest.mark.asyncio
async def test_an_anchor_that_is_not_known_is_found_among_the_records(backend: Backend) -> None:
    rows = [record(number, updateDate=f"2025-06-{number:02}T00:00:00") for number in range(1, 15)]
    async with backend.open() as store:
        known = (await scan(store.mirror, rows)).cursor
        assert known.anchor == datetime(2025, 6, 10, tzinfo=UTC).timestamp()
    backend.change("UPDATE cursors SET anchor = NULL")
    async with backend.open() as store:
        assert await store.mirror.anchor("invoices") == known
        assert await store.mirror.cursor("invoices") == known
        assert await store.mirror.anchor("taxes") == Cursor("taxes")


@pytest.mark.asyncio
async def test_a_skew_is_kept(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.mirror.skew() == Skew()
        await store.mirror.save_skew(Skew(8 * 3600.0, T0, 60.0))
    async with backend.open() as store:
        assert await store.mirror.skew() == Skew(8 * 3600.0, T0, 60.0)


async def demand_true_standing(backend: Backend, mirror: Mirror) -> None:
    """What it says twice is what the state has."""
    open_scans = {kind for (kind,) in backend.query("SELECT kind FROM scans WHERE collection = 'invoices'")}
    for _ in range(2):
        found = await mirror.standing("invoices")
        assert found.cursor == await mirror.cursor("invoices")
        assert found.skew == await mirror.skew()
        assert {name for name in ("whole", "changes") if getattr(found, name) is not None} == open_scans


@pytest.mark.asyncio
async def test_where_a_collection_stands_is_known_whatever_changes_it(backend: Backend) -> None:
    rows = [record(id_) for id_ in range(9, 0, -1)]
    pages = paged(rows)
    async with backend.open() as store:
        mirror = store.mirror
        await demand_true_standing(backend, mirror)
        begun = await mirror.commit_pages(Scan("invoices", "whole"), pages[:1])
        await demand_true_standing(backend, mirror)
        await mirror.commit_pages(begun.scan, pages[1:])
        await demand_true_standing(backend, mirror)
        await listed(mirror, record(1, note="edited"))
        await demand_true_standing(backend, mirror)
        gone = await mirror.commit_pages(Scan("invoices", "whole"), [Page(1, rows[:5], server_time=LATER)])
        assert not gone.closed
        await demand_true_standing(backend, mirror)
        await mirror.close_scan(gone.scan, [1], at=LATER)
        await demand_true_standing(backend, mirror)
        await mirror.save_skew(Skew(3600.0, LATER, 60.0))
        await demand_true_standing(backend, mirror)
        await mirror.refilter("invoices", "other", lambda *_: True)
        await demand_true_standing(backend, mirror)


@pytest.mark.asyncio
async def test_where_a_collection_stands_is_known_though_several_are_busy_with_it(backend: Backend) -> None:
    async with backend.open() as store:
        mirror = store.mirror
        await scan(mirror, [record(2), record(1)])
        for at in (LATER, LATER + 60):
            page = Page(1, [record(2)], server_time=at)
            await asyncio.gather(
                mirror.standing("invoices"),
                mirror.commit_pages(Scan("invoices", "changes"), [page]),
                mirror.standing("invoices"),
                mirror.commit_pages(Scan("invoices", "whole"), [page]),
                mirror.standing("invoices"),
            )
            await demand_true_standing(backend, mirror)


@pytest.mark.asyncio
async def test_a_commit_says_what_became_of_the_rows(backend: Backend) -> None:
    async with backend.open() as store:
        first = await listed(store.mirror, record(1), record(2))
        assert (first.created, first.updated, first.unchanged, first.rejected) == (2, 0, 0, 0)
        page = Page(1, [record(1), record(2, note="edited"), record(3)], [rejected("bad")], server_time=LATER)
        second = await store.mirror.commit_pages(Scan("invoices", "changes"), [page])
        assert (second.created, second.updated, second.unchanged, second.rejected) == (1, 1, 1, 1)
        assert (second.scan.rows, second.scan.rejected, second.scan.distinct) == (3, 1, 3)
    assert backend.query(CHANGES)[2:] == [(3, "created"), (2, "updated")]
    assert backend.query("SELECT id, first_seen_at, changed_at FROM records ORDER BY id") == [
        (1, T0, T0),
        (2, T0, LATER),
        (3, LATER, LATER),
    ]


@pytest.mark.asyncio
async def test_a_row_listed_twice_in_one_commit_is_one_row_and_the_last_one_wins(backend: Backend) -> None:
    pages = paged([record(1, note="first"), record(2), record(1, note="last"), record(3)])
    async with backend.open() as store:
        committed = await store.mirror.commit_pages(Scan("invoices", "whole"), pages)
    assert (committed.created, committed.scan.rows, committed.scan.distinct) == (3, 4, 3)
    assert not committed.scan.sound
    assert backend.query("SELECT data FROM records WHERE id = 1") == [(record(1, note="last").raw,)]


@pytest.mark.asyncio
async def test_a_row_listed_again_on_a_later_page_is_not_distinct(backend: Backend) -> None:
    async with backend.open() as store:
        committed = await scan(store.mirror, [record(1), record(2), record(2), record(3)])
    assert (committed.scan.rows, committed.scan.distinct) == (4, 3)


@pytest.mark.asyncio
async def test_a_pass_resumes_by_page_and_still_proves_complete(backend: Backend) -> None:
    pages = paged([record(id_) for id_ in range(9, 0, -1)])
    begun = Scan("invoices", "whole")
    for page in pages:
        async with backend.open() as store:
            resumed = (await store.mirror.standing("invoices")).whole or begun
            assert resumed.next_page == page.number
            committed = await store.mirror.commit_pages(resumed, [page])
    assert committed.scan.proved
    assert committed.cursor.whole_at == T0


@pytest.mark.asyncio
async def test_pages_of_one_commit_are_counted_like_pages_of_many(backend: Backend) -> None:
    pages = paged([record(id_) for id_ in range(9, 0, -1)])
    async with backend.open() as store:
        one_by_one = await scan(store.mirror, [record(id_) for id_ in range(9, 0, -1)], collection="receipts")
        at_once = await store.mirror.commit_pages(Scan("invoices", "whole"), pages)
    assert replace(at_once.scan, collection="receipts") == one_by_one.scan


@pytest.mark.asyncio
async def test_an_empty_list_is_a_finished_pass(backend: Backend) -> None:
    async with backend.open() as store:
        committed = await listed(store.mirror)
        assert committed.scan.proved
        assert committed.cursor.at == T0


@pytest.mark.asyncio
async def test_a_finished_scan_is_closed_unless_it_missed_something(backend: Backend) -> None:
    async with backend.open() as store:
        assert (await scan(store.mirror, [record(1)], kind="changes")).closed
        assert (await store.mirror.standing("invoices")).changes is None
        assert (await scan(store.mirror, [record(1)])).closed
        assert (await store.mirror.standing("invoices")).whole is None
        committed = await scan(store.mirror, [record(2)], at=LATER)
        assert not committed.closed
        assert (await store.mirror.standing("invoices")).whole == committed.scan
        await store.mirror.close_scan(committed.scan, at=LATER)
        assert (await store.mirror.standing("invoices")).whole is None
    assert backend.query("SELECT count(*) FROM scan_rows") == [(0,)]


@pytest.mark.asyncio
async def test_page_one_begins_a_pass_anew(backend: Backend) -> None:
    async with backend.open() as store:
        await store.mirror.commit_pages(Scan("invoices", "whole"), paged([record(1), record(2), record(3)])[:1])
        committed = await scan(store.mirror, [record(3)])
    assert committed.scan.proved
    assert committed.scan.distinct == 1


@pytest.mark.asyncio
async def test_a_pass_the_store_has_forgotten_can_not_prove_complete(backend: Backend) -> None:
    pages = paged([record(1), record(2), record(3)])
    async with backend.open() as store:
        committed = await store.mirror.commit_pages(Scan("invoices", "whole"), pages[:1])
        await store.mirror.close_scan(committed.scan, at=T0)
        committed = await store.mirror.commit_pages(committed.scan, pages[1:])
    assert committed.scan.finished
    assert not committed.scan.proved


@pytest.mark.asyncio
async def test_missing_is_what_a_whole_pass_did_not_list(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2), record(3, idn="PO-3"), record(4, wanted=False))
        census = await scan(store.mirror, [record(1)], at=LATER)
        missing, live = await store.mirror.missing(census.scan)
    assert missing == [Missing(2, 1002), Missing(3, "PO-3")]
    assert live == 3


@pytest.mark.asyncio
async def test_what_appeared_while_a_whole_pass_ran_is_not_missing(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        census = await scan(store.mirror, [record(1)], at=LATER)
        await scan(store.mirror, [record(2, note="edited"), record(5)], kind="changes", at=LATER)
        missing, _ = await store.mirror.missing(census.scan)
    assert missing == []


@pytest.mark.asyncio
async def test_nothing_is_missing_from_a_pass_of_which_nobody_knows_when_it_began(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        timeless = await store.mirror.commit_pages(Scan("invoices", "whole"), [Page(1, [record(1)])])
        missing, _ = await store.mirror.missing(timeless.scan)
    assert missing == []


@pytest.mark.asyncio
async def test_missing_tells_by_what_each_row_can_be_asked_for(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1, idn=7), record(2, idn="7"), record(3, idn=None), record(4, idn=None))
        census = await scan(store.mirror, [], at=LATER)
        missing, _ = await store.mirror.missing(census.scan)
        await listed(store.mirror, record(9, idn=None), collection="suppliers")
        suppliers = await scan(store.mirror, [], at=LATER, collection="suppliers")
        [supplier], _ = await store.mirror.missing(suppliers.scan)
    # Rows that share an idn, and those without, have no address of their own; suppliers are addressed by id.
    assert missing == [Missing(1, None), Missing(2, None), Missing(3, None), Missing(4, None)]
    assert supplier == Missing(9, 9)


@pytest.mark.asyncio
async def test_the_vanished_are_marked_once_and_never_erased(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        for at in (LATER, LATER + 1):
            census = await scan(store.mirror, [record(1)], at=at)
            await store.mirror.close_scan(census.scan, [2, 99], at=at)
        assert await due_ids(store.mirror) == [1]
    assert backend.query("SELECT id, vanished_at FROM records ORDER BY id") == [(1, None), (2, LATER)]
    assert backend.query(CHANGES)[2:] == [(2, "vanished")]


@pytest.mark.asyncio
async def test_what_was_listed_as_changed_since_a_whole_scan_began_is_not_marked_by_it(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2), record(3))
        census = await scan(store.mirror, [record(1)], at=LATER)
        missing, _ = await store.mirror.missing(census.scan)
        await scan(store.mirror, [record(2, status=5)], kind="changes", at=LATER + 1)
        await store.mirror.close_scan(census.scan, [row.id for row in missing], at=LATER + 2)
    assert [row.id for row in missing] == [2, 3]
    assert backend.query("SELECT id FROM records WHERE vanished_at IS NOT NULL") == [(3,)]


@pytest.mark.asyncio
async def test_some_are_marked_while_the_scan_that_missed_them_stays_open_for_the_others(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2), record(3))
        census = await scan(store.mirror, [record(1)], at=LATER)
        await store.mirror.mark_vanished(census.scan, [2], at=LATER + 1)
        left = (await store.mirror.standing("invoices")).whole
        assert left == census.scan
        assert await store.mirror.missing(left) == ([Missing(3, 1003)], 2)
    assert backend.query(CHANGES)[3:] == [(2, "vanished")]


@pytest.mark.asyncio
async def test_a_vanished_record_that_is_listed_again_returns(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        census = await scan(store.mirror, [], at=LATER)
        await store.mirror.close_scan(census.scan, [1], at=LATER)
        back = await listed(store.mirror, record(1), at=LATER + 1)
    assert (back.created, back.updated, back.unchanged) == (0, 1, 0)
    assert backend.query("SELECT vanished_at FROM records") == [(None,)]
    assert backend.query(CHANGES) == [(1, "created"), (1, "vanished"), (1, "returned")]


@pytest.mark.asyncio
async def test_a_new_filter_is_applied_to_what_is_stored(backend: Backend) -> None:
    rows = [record(id_, status=id_ % 3, wanted=id_ % 3 == 2) for id_ in range(1, 1500)]
    async with backend.open() as store:
        await listed(store.mirror, *rows)
        begun = await store.mirror.commit_pages(Scan("invoices", "whole"), paged(rows)[:1])
        assert not begun.scan.finished
        await store.mirror.refilter("invoices", "new", lambda row, _: row.status == 1)
        assert await store.mirror.cursor("invoices") == Cursor("invoices", filter="new")
        assert (await store.mirror.standing("invoices")).whole is None
    wanted = backend.query("SELECT id FROM records WHERE wanted ORDER BY id")
    assert wanted == [(row.id,) for row in rows if row.status == 1]


@pytest.mark.asyncio
async def test_a_filter_sees_stored_records_as_they_were_listed(backend: Backend) -> None:
    row = record(1, idn="PO-1", status=17, updateDate="2026-07-01T10:00:00+02:00", externalId=5, wanted=False)
    seen: list[Record] = []
    async with backend.open() as store:
        await listed(store.mirror, row)
        await store.mirror.refilter("invoices", "new", lambda stored, _: bool(seen.append(stored)))
    assert seen == [row]


@pytest.mark.asyncio
async def test_a_filter_is_shown_the_details_that_are_up_to_date(backend: Backend) -> None:
    seen: dict[int, str | None] = {}

    def keeps(row: Record, detail: str | None) -> bool:
        seen[row.id] = detail
        return True

    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2), record(3))
        for id_ in (1, 2):
            detail = Detail(id_, f'{{"id":{id_}}}', wanted=id_ == 1)
            await store.mirror.save_detail(await due_for(store.mirror, id_), detail, at=LATER)
        await listed(store.mirror, record(1, note="edited"), record(2), record(3), at=LATER)
        await store.mirror.refilter("invoices", "", keeps)
        assert seen == {1: None, 2: '{"id":2}', 3: None}
        assert await due_ids(store.mirror) == [1, 3], "a detail that was judged is not asked for again"


@pytest.mark.asyncio
async def test_due_details_come_newest_first_over_all_collections(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1, updateDate="2026-01-01T00:00:00"), record(2), record(3, wanted=False))
        await listed(store.mirror, record(1, updateDate="2026-03-01T00:00:00"), collection="receipts")
        await listed(store.mirror, record(4, updateDate="2026-02-01T00:00:00"), collection="expenses")
        await listed(store.mirror, record(5, updateDate="2026-09-01T00:00:00"), collection="payments")
        collections = ["invoices", "receipts", "expenses"]
        due = await store.mirror.due_details(collections, before=EVER, limit=10)
        assert [(each.collection, each.id) for each in due] == [
            ("receipts", 1), ("expenses", 4), ("invoices", 1), ("invoices", 2),
        ]  # fmt: skip
        assert await store.mirror.due_details(collections, before=EVER, limit=2) == due[:2]
        assert due[0] == Due("receipts", 1, 1001, record(1, updateDate="2026-03-01T00:00:00").version)
        counted = await store.mirror.count_due(collections, before=EVER)
        assert counted == {"invoices": 2, "receipts": 1, "expenses": 1}


@pytest.mark.asyncio
async def test_a_saved_detail_is_no_longer_due_until_the_record_changes(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        await store.mirror.save_detail(await due_for(store.mirror, 1), Detail(1, '{"id":1,"items":[]}'), at=LATER)
        assert await due_ids(store.mirror) == []
        await listed(store.mirror, record(1, note="edited"), at=LATER)
        assert await due_ids(store.mirror) == [1]
        await store.mirror.save_detail(await due_for(store.mirror, 1), Detail(1, '{"id":1,"items":[1]}'), at=EVER)
    assert backend.query("SELECT id, data, fetched_at FROM details") == [(1, '{"id":1,"items":[1]}', EVER)]
    assert [kind for _, kind in backend.query(CHANGES)] == ["created", "detailed", "updated", "detailed"]


@pytest.mark.asyncio
async def test_a_record_that_changed_while_its_detail_was_fetched_stays_due(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        due = await due_for(store.mirror, 1)
        await listed(store.mirror, record(1, note="edited"), at=LATER)
        await store.mirror.save_detail(due, Detail(1, "{}"), at=LATER)
        assert await due_ids(store.mirror) == [1]


@pytest.mark.asyncio
async def test_a_detail_that_may_wait_is_kept_with_the_charge_of_the_next_call(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        due = await due_for(store.mirror, 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(store.mirror.save_detail, due, Detail(1, "{}"), at=LATER, patience=60.0))
            await anyio.wait_all_tasks_blocked()
            assert await due_ids(store.mirror) == [1]
            await store.budget_book.charge(T0, b"12345678")
            assert await due_ids(store.mirror) == []
        assert [at for at, _ in await store.budget_book.load(0.0)] == [T0]
    assert backend.query("SELECT id, data, fetched_at FROM details") == [(1, "{}", LATER)]


@pytest.mark.asyncio
async def test_one_answer_serves_all_rows_of_a_shared_idn(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1, idn=7), record(2, idn=7), record(3, idn=8), record(4, idn=7))
        await store.mirror.quarantine(failed(2, retry_at=EVER))
        await store.mirror.save_detail(await due_for(store.mirror, 1), Detail(2, '{"id":2}'), at=LATER)
        assert await due_ids(store.mirror) == [3]
    assert backend.query("SELECT id, data FROM details") == [(2, '{"id":2}')]
    assert backend.query(CHANGES)[4:] == [(2, "detailed")]
    assert backend.query("SELECT * FROM quarantine") == []


@pytest.mark.asyncio
@pytest.mark.parametrize("named", [None, 99, 2], ids=["none", "unknown", "vanished"])
async def test_a_detail_that_names_no_live_row_belongs_to_the_one_asked_for(
    backend: Backend, named: int | None
) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        census = await scan(store.mirror, [record(1)], at=LATER)
        await store.mirror.close_scan(census.scan, [2], at=LATER)
        await store.mirror.save_detail(await due_for(store.mirror, 1), Detail(named, "{}"), at=LATER)
        assert await due_ids(store.mirror) == []
    assert backend.query("SELECT id FROM details") == [(1,)]


@pytest.mark.asyncio
async def test_a_detail_may_show_that_a_record_is_not_wanted(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        await store.mirror.save_detail(await due_for(store.mirror, 1), Detail(1, "{}", wanted=False), at=LATER)
        await listed(store.mirror, record(1), at=LATER)
    assert backend.query("SELECT wanted FROM records") == [(0,)]


@pytest.mark.asyncio
async def test_a_detail_set_aside_waits_for_its_time(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        await store.mirror.quarantine(failed(1, retry_at=LATER))
        assert await due_ids(store.mirror, before=LATER) == [2]
        assert await store.mirror.count_due(["invoices"], before=LATER) == {"invoices": 1}
        assert sorted(await due_ids(store.mirror, before=LATER + 1)) == [1, 2]
        assert await store.mirror.count_due(["invoices"], before=LATER + 1) == {"invoices": 2}
        assert (await due_for(store.mirror, 1)).attempts == 1


@pytest.mark.asyncio
async def test_a_detail_set_aside_for_good_is_due_again_when_its_record_changes(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        await store.mirror.quarantine(failed(1, retry_at=None))
        assert await due_ids(store.mirror) == []
        assert await store.mirror.count_due(["invoices"], before=EVER) == {"invoices": 0}
        await listed(store.mirror, record(1, note="edited"), at=LATER)
        assert (await due_for(store.mirror, 1)).attempts == 1


@pytest.mark.asyncio
async def test_a_good_detail_clears_what_was_set_aside(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        for id_ in (1, 2):
            await store.mirror.quarantine(failed(id_, retry_at=T0))
        await store.mirror.save_detail(await due_for(store.mirror, 1), Detail(1, "{}"), at=LATER)
    assert backend.query("SELECT key FROM quarantine") == [("2",)]


@pytest.mark.asyncio
async def test_a_repeated_failure_raises_the_attempts_and_keeps_the_time_of_the_first(backend: Backend) -> None:
    async with backend.open() as store:
        for at in (T0, LATER):
            await store.mirror.quarantine(failed(1, retry_at=at + 60, at=at))
    assert backend.query("SELECT attempts, since, retry_at FROM quarantine") == [(2, T0, LATER + 60)]


@pytest.mark.asyncio
async def test_nothing_waits_for_the_detail_of_a_vanished_record(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        await store.mirror.quarantine(failed(1, retry_at=T0))
        census = await scan(store.mirror, [], at=LATER)
        await store.mirror.close_scan(census.scan, [1], at=LATER)
    assert backend.query("SELECT * FROM quarantine") == []


@pytest.mark.asyncio
async def test_one_thing_in_quarantine_is_found_and_released(backend: Backend) -> None:
    async with backend.open() as store:
        mirror = store.mirror
        for id_ in (1, 2):
            await mirror.quarantine(replace(failed(id_, LATER), stage=Stage.PAYMENT, raw="{}"))
        await mirror.quarantine(failed(1, LATER))
        assert await mirror.quarantined("invoices", "1", Stage.PAYMENT) == replace(
            failed(1, LATER), stage=Stage.PAYMENT, raw="{}"
        )
        assert await mirror.quarantined("invoices", "3", Stage.PAYMENT) is None
        await mirror.release("invoices", "1", Stage.PAYMENT)
        assert await mirror.quarantined("invoices", "1", Stage.PAYMENT) is None
        await mirror.release_unseen("invoices", Stage.PAYMENT, T0)
        assert await mirror.quarantined("invoices", "2", Stage.PAYMENT) is not None
        await mirror.release_unseen("invoices", Stage.PAYMENT, LATER)
        assert await mirror.count_quarantined() == {("invoices", Stage.DETAIL): 1}


@pytest.mark.asyncio
async def test_a_bad_row_is_kept_aside_until_a_whole_pass_does_not_meet_it(backend: Backend) -> None:
    def page(*bad: str, at: float) -> Page:
        return Page(1, [record(1)], [rejected(note) for note in bad], total=1 + len(bad), server_time=at)

    aside = "SELECT raw, attempts, since FROM quarantine ORDER BY raw"
    async with backend.open() as store:
        for at, bad, left in ((T0, "ab", 2), (LATER, "a", 1)):
            committed = await store.mirror.commit_pages(Scan("invoices", "whole"), [page(*bad, at=at)])
            assert committed.scan.proved
            assert len(backend.query(aside)) == left
    assert backend.query(aside) == [('{"note": "a"}', 2, T0)]


@pytest.mark.asyncio
async def test_a_list_that_failed_is_no_longer_aside_once_it_was_walked(backend: Backend) -> None:
    failure = Quarantined("invoices", "invoices", Stage.SCAN, "an HTML page", None, attempts=1, since=T0, retry_at=T0)
    rows = [record(1), record(2), record(3)]
    async with backend.open() as store:
        await store.mirror.quarantine(failure)
        begun = await store.mirror.commit_pages(Scan("invoices", "changes"), paged(rows)[:1])
        assert len(backend.query("SELECT * FROM quarantine")) == 1
        await store.mirror.commit_pages(begun.scan, paged(rows)[1:])
    assert backend.query("SELECT * FROM quarantine") == []


@pytest.mark.asyncio
async def test_every_digit_and_every_type_survives(backend: Backend) -> None:
    raw = [
        b'{"id":1,"idn":"007","sum":12345678901234567890123.450,"big":123456789012345678901234567890}',
        b'{"id":"9223372036854775807","idn":9223372036854775807,"sum":"1.10","x":1e400}',
        '{"id":-3,"idn":"ПО-7 \\u0000","externalId":"00042","sum": 0.1000 ,"name":"漢字 🎉"}'.encode(),
    ]
    async with backend.open() as store:
        await listed(store.mirror, *map(read_record, raw))
    stored = backend.query("SELECT id, idn, external_id, data FROM records ORDER BY id")
    assert stored == [
        (-3, "ПО-7 \x00", "00042", raw[2].decode()),
        (1, "007", None, raw[0].decode()),
        (2**63 - 1, 2**63 - 1, None, raw[1].decode()),
    ]


_ODD = [
    b'{"id":%d,"sum": 0.10 ,\n "a" : [ ] ,"a":1E5,"b":{"c":[1.0,-0]}}',
    b'{"id":%d,"name":"\\ud83c\\udf89 \\u00e4\\/ $rows0$ \\\\u0000 \'x\' %%s"}',
    b'{"id":%d,"name":"a\\u0000b"}',
    '{"id":%d,"name":"漢字 🎉 \x7f"}'.encode(),
]


@pytest.mark.asyncio
@pytest.mark.parametrize("odd", [_ODD, _ODD[:1], _ODD[1:2], _ODD[3:]])
async def test_what_a_list_said_is_kept_byte_for_byte(backend: Backend, odd: list[bytes]) -> None:
    """New and changed, beside others and alone."""
    raw = [one % number for number, one in enumerate(odd, 1)]
    changed = [one.replace(b"{", b'{"status":7, ', 1) for one in raw]
    async with backend.open() as store:
        for rows in (raw, changed):
            await listed(store.mirror, *map(read_record, rows))
            stored = backend.query("SELECT id, data, version FROM records ORDER BY id")
            assert [data.encode() for _, data, _ in stored] == rows
            assert [bytes(version) for *_, version in stored] == [read_record(row).version for row in rows]


@pytest.mark.asyncio
async def test_a_cancelled_commit_is_whole(backend: Backend) -> None:
    """Whether anyio's scope or asyncio itself cancels: when the caller goes on, the commit is over."""
    rows = [record(id_) for id_ in range(400)]

    async def in_a_scope(work: Any) -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await work

    async def by_asyncio(work: Any) -> None:
        task = asyncio.create_task(work)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async with backend.open() as store:
        for collection, cancelled in (("invoices", in_a_scope), ("receipts", by_asyncio)):
            page = Page(1, rows, total=len(rows), server_time=T0)
            await cancelled(store.mirror.commit_pages(Scan(collection, "whole"), [page]))
            count = f"SELECT count(*) FROM {{}} WHERE collection = '{collection}'"
            assert backend.query(count.format("records")) == backend.query(count.format("changes")) == [(400,)]
            assert (await store.mirror.cursor(collection)).at == T0


class _Refused(Exception):
    pass


@pytest.mark.asyncio
async def test_a_transaction_that_fails_leaves_nothing_behind(backend: Backend) -> None:
    def refuse(row: Record, _: str | None) -> bool:
        if row.id == 2:
            raise _Refused
        return False

    async with backend.open() as store:
        before = await listed(store.mirror, record(1), record(2))
        with pytest.raises(_Refused):
            await store.mirror.refilter("invoices", "new", refuse)
        assert await store.mirror.cursor("invoices") == before.cursor
        assert await due_ids(store.mirror) == [1, 2]


notes = st.sampled_from("abc")
row_lists = st.lists(st.builds(lambda id_, note: record(id_, note=note), st.integers(1, 12), notes), max_size=9)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists=st.lists(row_lists, min_size=1, max_size=4))
def test_replaying_a_pass_changes_nothing(backend_in: Callable[[Path], Backend], lists: list[list[Record]]) -> None:
    async def scenario(backend: Backend) -> None:
        async with backend.open() as store:
            for rows in lists:
                await listed(store.mirror, *rows)
            before = [backend.query(sql) for sql in (RECORDS, CHANGES, "SELECT * FROM cursors")]
            # What was listed is by now the newest version of each row, so a replay is a quiet list.
            newest = list({row.id: row for rows in lists for row in rows}.values())
            for _ in range(2):
                replayed = await scan(store.mirror, newest, kind="changes")
                assert (replayed.created, replayed.updated) == (0, 0)
            assert [backend.query(sql) for sql in (RECORDS, CHANGES)] == before[:2]
            assert [row[1] for row in before[0]] == sorted({row.id for row in newest})

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(scenario(backend_in(Path(directory))))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=row_lists, cut=st.integers(0, 4))
def test_committing_the_same_page_again_changes_nothing_but_the_pass(
    backend_in: Callable[[Path], Backend], rows: list[Record], cut: int
) -> None:
    """As after a crash between the commit and whatever would have followed it."""

    async def scenario(backend: Backend) -> None:
        pages = paged(rows)
        async with backend.open() as store:
            walked = Scan("invoices", "whole")
            for number, page in enumerate(pages):
                committed = await store.mirror.commit_pages(walked, [page])
                if number == cut:
                    before = backend.query(RECORDS), backend.query(CHANGES)
                    again = await store.mirror.commit_pages(walked, [page])
                    assert committed.closed or again.scan == committed.scan  # what is closed is not taken up again
                    assert (backend.query(RECORDS), backend.query(CHANGES)) == before
                walked = committed.scan
            assert walked.distinct == len({row.id for row in rows})

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(scenario(backend_in(Path(directory))))


@pytest.mark.asyncio
async def test_a_document_that_is_not_there_vanishes_with_the_rows_that_share_its_idn(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1, idn=5), record(2, idn=5), record(3, idn=6))
        due = await due_for(store.mirror, 1)
        await store.mirror.quarantine(failed(1, T0))
        await store.mirror.mark_gone(due, at=LATER)
        await store.mirror.mark_gone(due, at=EVER)
        assert await due_ids(store.mirror) == [3]
        assert (await listed(store.mirror, record(2, idn=5), at=EVER)).updated == 1
        assert sorted(await due_ids(store.mirror)) == [2, 3]


@pytest.mark.asyncio
async def test_a_detail_that_failed_is_set_aside_for_every_row_that_it_answers_for(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1, idn=5), record(2, idn=5), record(3, idn=6))
        await store.mirror.quarantine_detail(await due_for(store.mirror, 1), Refused("422"), at=T0)
        assert await due_ids(store.mirror, before=T0) == [3]
        await store.mirror.quarantine_detail(await due_for(store.mirror, 2), Refused("422"), at=T0)
        assert await due_ids(store.mirror, before=T0 + 3600) == [3]
        assert sorted(await due_ids(store.mirror, before=T0 + 3601)) == [1, 2, 3]
