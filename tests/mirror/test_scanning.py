"""Passes over lists that change, fail or are cut off: what they may believe, and where they go on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.sandbox import Sandbox
from precoro_daemon.sandbox.options import Meta, Order
from precoro_daemon.sandbox.rows import Row
from tests.mirror.comparing import exact
from tests.mirror.stage import SCALE, Stage, Watch, soon, stage

pytestmark = pytest.mark.asyncio

DAY = 86_400.0
ORDERS, METAS = get_args(Order), get_args(Meta)
GARBAGE = ("200_html", "200_json_error", "invalid_json", "half_json", "empty_body", "cut_without_length", "truncated")


@asynccontextmanager
async def lists(directory: Path, **options: Any) -> AsyncIterator[Stage]:
    """A company of whose documents nobody fetches the details, which is most of the work and another matter."""
    async with stage(directory, **options) as shown:
        shown.sections["fetch_details"] = {"collections": ()}
        yield shown


def newest(sandbox: Sandbox, path: str = "invoices") -> list[Row]:
    return sorted(sandbox.company[path], key=lambda row: -row.id)


def pages_asked(stage: Stage, path: str = "invoices") -> list[int]:
    """By number, in order; the last page asked for by name is none of them."""
    return [int(found[1]) for call in stage.calls(f"/{path}?") if (found := re.search(r"[?&]page=(\d+)", call))]


def modified_since(stage: Stage) -> list[float]:
    texts = [re.search(r"modifiedSince=([^&]+)", call) for call in stage.calls("/invoices?")]
    return [
        datetime.fromisoformat(found[1].replace("%3A", ":")).replace(tzinfo=UTC).timestamp()
        for found in texts
        if found
    ]


def cursor_at(stage: Stage) -> float | None:
    rows = stage.query("SELECT at FROM cursors WHERE collection = 'invoices'")
    return rows[0]["at"] if rows else None


def _insert(sandbox: Sandbox) -> None:
    sandbox.company.create("invoices", total=4_200)


def _edit_first(sandbox: Sandbox) -> None:
    sandbox.company.edit(newest(sandbox)[0], note="edited while pages were read")


def _edit_last(sandbox: Sandbox) -> None:
    sandbox.company.edit(newest(sandbox)[-1], note="edited while pages were read")


def _delete_first(sandbox: Sandbox) -> None:
    sandbox.company.delete(newest(sandbox)[0])


def _delete_last(sandbox: Sandbox) -> None:
    sandbox.company.delete(newest(sandbox)[-1])


CHANGES = (_insert, _edit_first, _edit_last, _delete_first, _delete_last)
PAIRS = [
    (change, order, METAS[(first + second) % len(METAS)])
    for first, change in enumerate(CHANGES)
    for second, order in enumerate(ORDERS)
]
"""Every change in every order and with every meta. The sweep's state machine plays all three together."""


@pytest.mark.parametrize(("change", "order", "meta"), PAIRS)
async def test_a_change_between_two_pages_of_the_first_pass_costs_no_row(
    tmp_path: Path, change: Callable[[Sandbox], None], order: Order, meta: Meta
) -> None:
    async with lists(tmp_path, order=order, meta=meta) as shown:
        shown.when(r"page=3", lambda: change(shown.sandbox))
        await shown.run()
        await shown.run()
        assert shown.differences(counted=False) == []


@pytest.mark.parametrize("order", ORDERS)
async def test_a_row_that_moves_between_pages_of_changes_is_scanned_again(tmp_path: Path, order: Order) -> None:
    async with lists(tmp_path, order=order) as shown:
        await shown.run()
        for row in newest(shown.sandbox)[:30]:
            shown.sandbox.company.edit(row, note="changed")
        shown.when(r"modifiedSince.*page=2", lambda: shown.sandbox.company.delete(newest(shown.sandbox)[3]))
        shown.sandbox.journal.clear()
        await shown.run()
        firsts = [call for call in shown.calls("/invoices?") if re.search(r"[?&]page=1&", call)]
        assert firsts.count(firsts[0]) == 2
        assert shown.differences(counted=False) == []


async def test_a_swap_that_no_count_shows_is_found_by_the_census(tmp_path: Path) -> None:
    """Oldest first, one row of page 1 goes and one comes at the end: the first row of page 2 is never listed."""
    async with stage(tmp_path, order="created_asc") as shown:
        skipped = newest(shown.sandbox)[-11]

        def swap() -> None:
            shown.sandbox.company.delete(newest(shown.sandbox)[-1])
            shown.sandbox.company.create("invoices", total=100)

        shown.when(r"page=2", swap)
        await shown.run()
        assert shown.differences(counted=False) == [f"invoices: {skipped.id} is missing"]
        await shown.run("take_census")
        await shown.run("fetch_details")
        assert shown.differences() == []


@pytest.mark.parametrize(("kind", "meta"), [*zip(GARBAGE, cycle(METAS), strict=False)])
async def test_garbage_with_status_200_fails_the_pass_and_never_ends_it(
    tmp_path: Path, kind: str, meta: Meta
) -> None:
    async with lists(tmp_path, meta=meta) as shown:
        shown.sandbox.faults.add(kind, path=r"[?&]page=3\b", times=None)
        report = await shown.run("mirror_collections")
        assert len(report.failed) == 1
        assert report.failed[0].startswith("invoices: ")
        assert cursor_at(shown) is None
        assert [row["stage"] for row in shown.query("SELECT stage FROM quarantine")] == ["scan"]

        shown.sandbox.faults.clear()
        shown.sandbox.journal.clear()
        await shown.run()
        assert sorted(pages_asked(shown)) == [2, 3, 4, 5], (
            "and the one before, to which rows may have moved meanwhile"
        )
        assert shown.query("SELECT stage FROM quarantine") == []
        assert shown.differences() == []


@pytest.mark.parametrize("meta", METAS)
@pytest.mark.parametrize("page", [1, 3, 5])
async def test_an_empty_page_never_ends_a_pass(tmp_path: Path, meta: Meta, page: int) -> None:
    async with lists(tmp_path, meta=meta) as shown:
        shown.sandbox.faults.add("empty_page", path=rf"[?&]page={page}\b")
        await shown.run()
        assert shown.differences() == []


@pytest.mark.parametrize("meta", METAS)
async def test_an_only_page_that_comes_empty_is_not_believed(tmp_path: Path, meta: Meta) -> None:
    async with lists(tmp_path, meta=meta, counts={"invoices": 7}) as shown:
        shown.sandbox.faults.add("empty_page", path=r"[?&]page=1\b")
        await shown.run()
        assert shown.differences() == []


async def test_a_page_that_hangs_is_given_up_and_asked_for_again(tmp_path: Path) -> None:
    async with lists(tmp_path) as shown:
        shown.sections["precoro"] = {"timeout": 1}
        shown.sandbox.faults.add("hang", path=r"[?&]page=2\b")
        report = await shown.run()
        assert report.failed == []
        assert shown.differences() == []


@pytest.mark.parametrize("meta", METAS)
async def test_a_pass_that_was_cut_off_goes_on_at_the_page_that_is_missing(tmp_path: Path, meta: Meta) -> None:
    async with lists(tmp_path, meta=meta, counts={"invoices": 195}, latency=0.05) as shown:
        await shown.run_until(lambda scan, _: scan.next_page > 6)
        [left] = shown.query("SELECT next_page FROM scans")
        shown.sandbox.journal.clear()
        await shown.run("mirror_collections")
        assert min(pages_asked(shown)) == left["next_page"] - 1
        await shown.run()
        assert shown.differences() == []


async def test_rows_inserted_while_nobody_listened_are_not_lost_by_resuming(tmp_path: Path) -> None:
    """They push the others down: what was on the pages already read is met again, what is new comes with the next."""
    async with lists(tmp_path, counts={"invoices": 95}) as shown:
        await shown.run_until(lambda scan, _: scan.next_page > 4)
        for _ in range(15):
            shown.sandbox.company.create("invoices", total=1_000)
        await shown.run()
        assert shown.differences() == []


async def test_a_row_that_slipped_to_a_page_already_read_while_nobody_listened_is_not_missed(tmp_path: Path) -> None:
    """One is gone and one is new, so the list is as long as before; the first of the next page is now on this one."""
    async with lists(tmp_path, order="created_asc", counts={"invoices": 60}) as shown:
        rows = newest(shown.sandbox, "invoices")
        shown.sandbox.faults.add("503", path=r"^/invoices\?page=2", times=None)
        await shown.run("mirror_collections")
        shown.sandbox.faults.clear()
        shown.sandbox.company.delete(rows[-1])
        shown.sandbox.company.create("invoices", total=100)
        for _ in range(3):
            await shown.run()
        assert shown.differences(counted=False) == []


async def test_what_slipped_under_a_census_that_was_cut_off_is_not_marked_as_gone(tmp_path: Path) -> None:
    async with lists(tmp_path, order="created_asc", counts={"suppliers": 60}) as shown:
        shown.sections["mirror_collections"] = {"collections": ("suppliers",), "per_page": 10}
        await shown.run()
        rows = newest(shown.sandbox, "suppliers")
        shown.sandbox.faults.add("503", path=r"^/suppliers\?page=2", times=None)
        await shown.run("take_census")
        shown.sandbox.faults.clear()
        shown.sandbox.company.delete(rows[-1])
        shown.sandbox.company.create("suppliers")
        await shown.run("take_census")
        gone = {row["id"] for row in shown.query("SELECT id FROM suppliers WHERE vanished_at IS NOT NULL")}
        assert gone <= {rows[-1].id}


async def test_a_pass_goes_on_though_the_quota_leaves_one_call_at_a_time(tmp_path: Path) -> None:
    async with lists(tmp_path, counts={"invoices": 45}) as shown:
        await shown.run_until(lambda scan, _: scan.next_page > 2)
        for _ in range(5):
            shown.sandbox.journal.clear()
            shown.sandbox.faults.add("503", path=r"^/invoices\?", skip=1, times=None)
            await shown.run("mirror_collections")
            shown.sandbox.faults.clear()
        assert shown.query("SELECT count(*) AS rows FROM records")[0]["rows"] == 45
        await shown.run()
        assert shown.differences(counted=False) == []


async def test_a_list_that_shrank_below_the_page_where_a_pass_was_cut_off_is_walked_anew(tmp_path: Path) -> None:
    async with lists(tmp_path, counts={"invoices": 45}) as shown:
        await shown.run_until(lambda scan, _: scan.next_page > 3)
        for row in newest(shown.sandbox, "invoices")[:25]:
            shown.sandbox.company.delete(row)
        await shown.run()
        await shown.run("take_census")
        assert shown.differences(counted=False) == []


async def test_the_cursor_never_passes_what_is_not_committed(tmp_path: Path) -> None:
    async with lists(tmp_path, latency=0.02) as shown:
        seen: list[tuple[float | None, int]] = []

        def look() -> None:
            [row] = shown.query(
                "SELECT (SELECT at FROM cursors) AS at, count(*) AS done FROM records WHERE data LIKE '%marked%'"
            )
            seen.append((row["at"], row["done"]))

        before = None
        for _ in range(2):
            rows = newest(shown.sandbox)
            seen.clear()
            for row in rows:
                shown.sandbox.company.edit(row, note="marked")
            await shown.run("mirror_collections", progress=Watch(lambda *_: soon(look)))
            assert any(0 < done < len(rows) for _, done in seen), "nothing was seen of a pass under way"
            assert all(at == before or done == len(rows) for at, done in seen)
            for row in rows:
                shown.sandbox.company.edit(row, note="plain")
            await shown.run()
            before = cursor_at(shown)
            assert before is not None


@pytest.mark.parametrize("shift", [-DAY, DAY])
async def test_a_local_clock_that_is_a_day_wrong_loses_nothing(tmp_path: Path, shift: float) -> None:
    async with lists(tmp_path) as shown:
        began = shown.sandbox.clock.now()
        await shown.run(clock=_shifted(shift))
        at = cursor_at(shown)
        assert at is not None
        assert began - 3_600 < at <= shown.sandbox.clock.now()
        _edit_first(shown.sandbox)
        await shown.run(clock=_shifted(shift))
        assert shown.differences() == []


def _shifted(seconds: float) -> RealClock:
    clock = RealClock(SCALE)
    clock._origin += seconds
    return clock


async def test_a_pass_reaches_back_by_the_overlap_from_the_servers_own_date(tmp_path: Path) -> None:
    async with lists(
        tmp_path, sections={"mirror_collections": {"collections": ("invoices",), "per_page": 10, "overlap": 21_600}}
    ) as shown:
        await shown.run()
        for row in newest(shown.sandbox)[:5]:  # all that a scan asks back to is newer than the overlap reaches
            shown.sandbox.company.edit(row, note="just now")
        await shown.run()
        at = cursor_at(shown)
        assert at is not None
        await shown.run()
        assert modified_since(shown)[-1] == at - 21_600


@pytest.mark.parametrize("meta", METAS)
async def test_a_second_run_asks_one_page_and_changes_nothing(tmp_path: Path, meta: Meta) -> None:
    async with lists(tmp_path, meta=meta) as shown:
        await shown.run()
        changes = shown.query("SELECT max(seq) AS last FROM changes")
        shown.sandbox.journal.clear()
        for _ in range(3):
            await shown.run()
        assert pages_asked(shown) == [1, 1, 1]
        assert shown.sandbox.journal.total == 3
        assert [*map(tuple, shown.query("SELECT max(seq) AS last FROM changes"))] == [*map(tuple, changes)]


@pytest.mark.parametrize("record", ["null", "string", "no_id", "id_object", "id_null"])
async def test_an_unreadable_row_is_quarantined_with_its_json_and_its_siblings_go_on(
    tmp_path: Path, record: str
) -> None:
    async with lists(tmp_path) as shown:
        shown.sandbox.faults.add("bad_record", path=r"[?&]page=2\b", record=record)
        report = await shown.run()
        assert len(report.failed) == 1
        [aside] = shown.query("SELECT * FROM quarantine")
        assert aside["stage"] == "record"
        assert isinstance(exact(aside["raw"]), dict | str | None)
        assert len(shown.differences()) == 1
        assert shown.differences()[0].endswith("is missing")

        shown.sandbox.faults.clear()
        await shown.run("take_census")
        assert (await shown.run()).failed == []
        assert shown.query("SELECT * FROM quarantine") == []
        assert shown.differences() == []


async def test_one_forbidden_collection_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    names = ("suppliers", "invoices", "receipts")
    async with lists(tmp_path, counts={"invoices": 15, "suppliers": 4, "receipts": 5}) as shown:
        shown.sections["mirror_collections"] = {"collections": names}
        shown.sandbox.faults.add("403", path="^/invoices", times=None)
        report = await shown.run()
        assert len(report.failed) == 1
        assert report.failed[0].startswith("invoices: ")
        assert shown.query("SELECT DISTINCT collection FROM records ORDER BY 1")[0]["collection"] == "receipts"
        shown.sandbox.faults.clear()
        assert (await shown.run()).failed == []
        assert shown.differences() == []


async def test_a_first_scan_tells_of_the_changes_of_two_weeks(tmp_path: Path) -> None:
    async with lists(tmp_path, counts={"invoices": 450}) as shown:
        await shown.run()
        rows = shown.query("SELECT begins, changes FROM watched_hours WHERE collection = 'invoices'")
        moments = [at for (at,) in shown.query("SELECT updated_at FROM records WHERE collection = 'invoices'")]
        learned = min(row["begins"] for row in rows)
    recent = [
        text for text in moments if datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() >= learned + 3600
    ]
    assert 0 < len(recent) < len(moments), "some are older"
    assert len(recent) <= sum(row["changes"] for row in rows) < len(moments)
