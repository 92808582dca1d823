"""The census: what was deleted is marked, what returned is back, and a list that suddenly shrinks is not believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tests.mirror.stage import Stage, Watch, stage
from tests.mirror.test_scanning import newest, pages_asked

pytestmark = pytest.mark.asyncio


def vanished(stage: Stage) -> set[int]:
    return {row["id"] for row in stage.query("SELECT id FROM records WHERE vanished_at IS NOT NULL")}


async def test_deleted_rows_are_marked_and_never_erased(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        await shown.run()
        gone = {row.id for row in newest(shown.sandbox)[5:8]}
        for id_ in gone:
            shown.sandbox.company.delete(shown.sandbox.company.row("invoices", id_))
        await shown.run("take_census")
        assert vanished(shown) == gone
        kinds = shown.query("SELECT id FROM changes WHERE kind = 'vanished'")
        assert {row["id"] for row in kinds} == gone
        assert shown.differences() == []


async def test_one_census_is_enough_though_users_go_on_making_documents(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        await shown.run()
        gone = newest(shown.sandbox)[5]
        shown.sandbox.company.delete(gone)
        for page in (2, 4):
            shown.when(rf"\?page={page}", lambda: shown.sandbox.company.create("invoices", total=100))
        shown.sandbox.journal.clear()
        await shown.run("take_census")
        assert [row["unproved"] for row in shown.query("SELECT unproved FROM cursors")] == [0]
        assert vanished(shown) == {gone.id}
        assert pages_asked(shown) == [1, 2, 3, 4, 5]
        await shown.run()
        assert shown.differences() == []


async def test_a_row_that_comes_back_is_live_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        await shown.run()
        row = newest(shown.sandbox)[3]
        shown.sandbox.company.delete(row)
        await shown.run("take_census")
        assert vanished(shown) == {row.id}
        shown.sandbox.company["invoices"].add(row)
        await shown.run("take_census")
        await shown.run()
        assert vanished(shown) == set()
        assert shown.differences() == []


async def test_a_list_that_suddenly_shrinks_marks_nothing(tmp_path: Path) -> None:
    """A key that lost a role sees fewer documents, without any error."""
    async with stage(tmp_path) as shown:
        await shown.run()
        for row in newest(shown.sandbox)[:20]:
            shown.sandbox.company.delete(row)
        await shown.run("take_census")
        assert vanished(shown) == set()
        shown.sections["take_census"] = {"max_vanished": 0.9}
        await shown.run("take_census")
        assert len(vanished(shown)) == 20


async def test_totals_that_count_what_the_key_may_not_see_are_believed_and_deletions_found(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, sections={"fetch_details": {"collections": ()}}) as shown:
        shown.sandbox.faults.add("wrong_totals", path=r"^/invoices\?page", times=None, off=3)
        with capture_logs() as logs:
            first = await shown.run()
            second = await shown.run()
        assert "its total counts 3 more than came" in first.remains[0]
        assert list(second.remains) == []
        assert [line["count"] for line in logs if line["event"] == "hidden_rows_believed"] == [3]
        for row in newest(shown.sandbox)[:4]:
            shown.sandbox.company.delete(row)
        await shown.run("take_census")
        assert len(vanished(shown)) == 4
        for row in newest(shown.sandbox)[:20]:
            shown.sandbox.company.delete(row)
        await shown.run("take_census")
        assert len(vanished(shown)) == 4, "a list that suddenly shrinks is not believed"


async def test_a_row_that_the_key_may_see_no_more_is_asked_for_before_it_is_marked(tmp_path: Path) -> None:
    """The list hides it and goes on counting it: it is no row that was deleted."""
    async with stage(tmp_path, sections={"fetch_details": {"collections": ()}}, counts={"invoices": 9}) as shown:
        await shown.run()
        row = newest(shown.sandbox)[0]
        shown.sandbox.company.delete(row)
        shown.sandbox.faults.add("wrong_totals", path=r"^/invoices\?page", times=None, off=1)
        shown.sandbox.faults.add("403", path=rf"^/invoices/{row.idn}$", times=None)
        for _ in range(3):
            await shown.run("take_census")
        assert vanished(shown) == set()


async def test_a_row_that_only_slipped_between_two_pages_is_asked_for_before_it_is_marked(tmp_path: Path) -> None:
    """Oldest first, a deletion on page 1 while page 2 is on its way: its first row is not listed, but is there."""
    async with stage(tmp_path, order="created_asc") as shown:
        await shown.run()
        slipped, gone = newest(shown.sandbox)[-11], newest(shown.sandbox)[-1]

        def swap() -> None:
            shown.sandbox.company.delete(gone)
            shown.sandbox.company.create("invoices", total=100)

        shown.when(r"\?page=2", swap)
        shown.sandbox.journal.clear()
        await shown.run("take_census")
        assert f"/invoices/{slipped.idn}" in shown.calls()
        assert slipped.id not in vanished(shown)
        await shown.run("take_census")
        await shown.run()
        assert vanished(shown) == {gone.id}
        assert shown.differences() == []


@pytest.mark.parametrize("path", ["taxes", "invoices"])
async def test_a_census_that_was_cut_off_at_its_very_end_is_ended_and_not_taken_for_a_new_one(
    tmp_path: Path, path: str
) -> None:
    async with stage(tmp_path, counts={path: 15}) as shown:
        shown.sections["mirror_collections"] = {"collections": (path,), "per_page": 10}
        await shown.run()
        shown.sandbox.company.delete(newest(shown.sandbox, path)[0])
        with anyio.CancelScope() as scope:
            await shown.run("take_census", progress=Watch(lambda scan, _: scan.finished and scope.cancel()))
        assert shown.query("SELECT 1 FROM scans")
        shown.sandbox.company.delete(newest(shown.sandbox, path)[0])
        await shown.run("take_census")
        assert shown.query("SELECT 1 FROM scans") == []
        assert len(vanished(shown)) == 2
        assert shown.differences() == []


async def test_small_sets_show_deletions_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"taxes": 8}) as shown:
        shown.sections["mirror_collections"] = {"collections": ("taxes",)}
        await shown.run()
        shown.sandbox.company.delete(newest(shown.sandbox, "taxes")[0])
        await shown.run()
        assert shown.differences() == []


def _named(raw: bytes, id_: int) -> bytes:
    return raw.replace(b'"id":%d' % id_, b'"id":"seven"', 1)


def _fractional(raw: bytes, id_: int) -> bytes:
    return raw.replace(b'"id":%d' % id_, b'"id":%d.0' % id_, 1)


@pytest.mark.parametrize("spoil", [_named, _fractional])
@pytest.mark.parametrize("path", ["suppliers", "taxes", "payments", "invoices"])
async def test_a_row_that_is_listed_but_cannot_be_read_has_not_vanished(
    tmp_path: Path, path: str, spoil: Callable[[bytes, int], bytes]
) -> None:
    async with stage(tmp_path, counts={"invoices": 30, "suppliers": 12, "taxes": 12}) as shown:
        shown.sections["mirror_collections"] = {"collections": (path,), "per_page": 100}
        await shown.run()
        bad, gone = newest(shown.sandbox, path)[3:5]
        shown.sandbox.company.edit(bad)
        bad.raw = spoil(shown.sandbox.company.entries.raw(bad), bad.id)
        shown.sandbox.company.delete(gone)
        await shown.run()
        await shown.run("take_census")
        assert vanished(shown) == ({gone.id} if path in ("suppliers", "invoices") else set())
        shown.sandbox.company.edit(bad)
        await shown.run()
        await shown.run("take_census")
        assert vanished(shown) == {gone.id}
        assert shown.differences() == []
