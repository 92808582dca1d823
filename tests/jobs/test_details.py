"""Details: newest first, one call an idn, and one that fails harms no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.stage import Stage, stage
from tests.jobs.test_passes import newest

pytestmark = pytest.mark.asyncio


def details_asked(stage: Stage, path: str = "invoices") -> list[int]:
    return [int(call.rpartition("/")[2]) for call in stage.calls(f"/{path}/")]


async def test_the_newest_come_first(tmp_path: Path) -> None:
    async with stage(tmp_path, limits=False) as shown:
        shown.sections["limits"] = {"per_second": 1}  # one after the other
        await shown.run()
        asked = details_asked(shown)
        updated = {
            row.idn: row.updated for row in sorted(shown.sandbox.company["invoices"], key=lambda row: row.updated)
        }
        times = [updated[idn] for idn in asked]
        assert len(asked) == len(updated)
        assert times == sorted(times, reverse=True)


async def test_rows_of_a_split_that_share_an_idn_are_one_call(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"invoices": 150}, seed=3) as shown:
        idns = [row.idn for row in shown.sandbox.company["invoices"]]
        assert len(set(idns)) < len(idns), "a seed without such a split proves nothing"
        await shown.run()
        assert sorted(details_asked(shown)) == sorted(set(idns))
        assert shown.differences() == []


@pytest.mark.parametrize("kind", ["500", "404", "422", "reset", "half_json", "200_html", "200_json_error"])
async def test_one_that_fails_is_set_aside_and_tried_by_the_next_run(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path) as shown:
        bad = newest(shown.sandbox)[4]
        shown.sandbox.faults.add(kind, path=f"^/invoices/{bad.idn}$", times=None)
        report = await shown.run()
        assert len(report.failed) == 1
        assert f"invoices {bad.idn}" in report.failed[0]
        [aside] = shown.query("SELECT * FROM set_aside")
        assert (aside["stage"], aside["key"]) == ("detail", str(bad.id))
        assert len(shown.differences()) == 1

        shown.sandbox.faults.clear()
        shown.sandbox.journal.clear()
        assert (await shown.run()).failed == []
        assert details_asked(shown) == [bad.idn]
        assert shown.query("SELECT * FROM set_aside") == []
        assert shown.differences() == []


async def test_one_that_keeps_being_refused_is_asked_for_less_and_less(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        bad = newest(shown.sandbox)[0]
        shown.sandbox.faults.add("422", path=f"^/invoices/{bad.idn}$", times=None)
        for _ in range(4):
            await shown.run()
        assert details_asked(shown).count(bad.idn) == 2


async def test_only_what_is_new_or_changed_is_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        await shown.run()
        changed = [*newest(shown.sandbox)[:3], *newest(shown.sandbox)[20:22]]
        for row in changed:
            shown.sandbox.company.edit(row, note="changed")
        made = shown.sandbox.company.create("invoices", total=100)
        shown.sandbox.journal.clear()
        await shown.run()
        assert sorted(details_asked(shown)) == sorted(row.idn for row in [*changed, made])
        assert shown.differences() == []


async def test_a_document_that_changes_between_its_row_and_its_detail_is_asked_for_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        row = newest(shown.sandbox)[2]
        shown.when(f"^/invoices/{row.idn}$", lambda: shown.sandbox.company.edit(row, note="just now"))
        await shown.run()
        await shown.run()
        assert details_asked(shown).count(row.idn) == 2
        assert shown.differences() == []


async def test_one_that_is_listed_but_not_there_at_two_runs_has_vanished_until_it_is_listed_again(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as shown:
        gone = newest(shown.sandbox)[4]
        shown.sandbox.faults.add("404", path=f"^/invoices/{gone.idn}$", times=None)
        assert len((await shown.run()).failed) == 1
        assert (await shown.run()).failed == []
        [row] = shown.query(f"SELECT vanished_at FROM invoices WHERE id = {gone.id}")
        assert row["vanished_at"]
        assert shown.query("SELECT * FROM set_aside") == []

        shown.sandbox.faults.clear()
        shown.sandbox.company.edit(gone)
        await shown.run()
        assert shown.differences() == []
