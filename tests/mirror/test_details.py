"""Details: newest first, one call an idn, and one that fails harms no other."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from precoro_daemon.quota.retries import MOST_FAULTS_A_CALL
from tests.mirror.stage import Stage, stage
from tests.mirror.test_scanning import newest

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


async def test_answers_wait_for_each_other_and_are_saved_together(tmp_path: Path) -> None:
    """And none for long: the lap ends when the last one is here."""
    async with stage(tmp_path) as shown:
        await shown.run("mirror_collections")
        with every_commit_kept(shown.database) as commits:
            shown.sandbox.journal.clear()
            await shown.run("fetch_details")
            calls = len(shown.calls())
            assert calls > 40
            assert commits() < calls / 2
        assert shown.differences() == []


@contextmanager
def every_commit_kept(database: Path) -> Iterator[Callable[[], int]]:
    """How many commits there were, by the write-ahead log, which a reader keeps from being emptied.

    https://www.sqlite.org/fileformat2.html#the_write_ahead_log: of the pages in it, the last one of each commit says
    how many pages the database then has; all others say 0.
    """
    log = database.with_name(f"{database.name}-wal")

    def commits() -> int:
        text = log.read_bytes()
        page = int.from_bytes(text[8:12])
        return sum(any(text[at + 4 : at + 8]) for at in range(32, len(text), 24 + page))

    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM meta").fetchall()
        before = commits() if log.exists() else 0
        yield lambda: commits() - before


async def test_rows_of_a_split_that_share_an_idn_are_one_call(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"invoices": 150}, seed=3) as shown:
        idns = [row.idn for row in shown.sandbox.company["invoices"]]
        assert len(set(idns)) < len(idns), "a seed without such a split proves nothing"
        await shown.run()
        assert sorted(details_asked(shown)) == sorted(set(idns))
        assert shown.differences() == []


@pytest.mark.parametrize("kind", ["500", "404", "422", "reset", "half_json", "200_html", "200_json_error"])
async def test_one_that_fails_is_set_aside_and_tried_by_the_next_run(tmp_path: Path, kind: str) -> None:
    async with stage(tmp_path, counts={"invoices": 12}) as shown:
        bad = newest(shown.sandbox)[4]
        shown.sandbox.faults.add(kind, path=f"^/invoices/{bad.idn}$", times=None)
        report = await shown.run()
        assert len(report.failed) == 1
        assert f"invoices {bad.idn}" in report.failed[0]
        [aside] = shown.query("SELECT * FROM quarantine")
        assert (aside["stage"], aside["key"]) == ("detail", str(bad.id))
        assert len(shown.differences()) == 1

        shown.sandbox.faults.clear()
        shown.sandbox.journal.clear()
        assert (await shown.run()).failed == []
        assert details_asked(shown) == [bad.idn]
        assert shown.query("SELECT * FROM quarantine") == []
        assert shown.differences() == []


async def test_a_server_in_trouble_is_asked_for_a_few_and_the_others_are_left_for_later(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"invoices": 150}) as shown:
        shown.sandbox.faults.add("503", path=r"^/invoices/\d+", times=None)
        report = await shown.run()
        assert len(report.failed) == 3
        assert len(details_asked(shown)) == 3 * MOST_FAULTS_A_CALL
        assert len(shown.query("SELECT DISTINCT idn FROM records, quarantine WHERE id = key")) == 3
        shown.sandbox.faults.clear()
        assert (await shown.run()).failed == []
        assert shown.differences() == []


async def test_a_few_that_always_fail_keep_nobody_waiting(tmp_path: Path) -> None:
    """The newest of all, which come first."""
    async with stage(tmp_path) as shown:
        bad = sorted({row.idn for row in newest(shown.sandbox)}, reverse=True)[:3]
        for idn in bad:
            shown.sandbox.faults.add("503", path=f"^/invoices/{idn}$", times=None)
        for _ in range(2):
            assert len((await shown.run()).failed) == 3
        missing = shown.query("SELECT DISTINCT idn FROM records WHERE detail_version IS NOT version")
        assert sorted(row["idn"] for row in missing) == sorted(bad)


async def test_one_that_keeps_being_refused_is_asked_for_less_and_less(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        bad = newest(shown.sandbox)[0]
        shown.sandbox.faults.add("422", path=f"^/invoices/{bad.idn}$", times=None)
        for _ in range(4):
            await shown.run()
        assert details_asked(shown).count(bad.idn) == 2


async def test_one_that_fails_for_all_rows_of_its_idn_is_asked_for_once(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"invoices": 150}, seed=3) as shown:
        idns = Counter(row.idn for row in shown.sandbox.company["invoices"])
        idn, rows = idns.most_common(1)[0]
        assert rows > 1, "a seed without such a split proves nothing"
        shown.sandbox.faults.add("422", path=f"^/invoices/{idn}$", times=None)
        for _ in range(5):
            await shown.run()
        assert details_asked(shown).count(idn) == 2
        assert len(shown.query("SELECT * FROM quarantine")) == rows


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
        assert shown.query("SELECT * FROM quarantine") == []

        shown.sandbox.faults.clear()
        shown.sandbox.company.edit(gone)
        await shown.run()
        assert shown.differences() == []


async def test_details_that_are_not_there_for_a_while_take_no_document_away(tmp_path: Path) -> None:
    """A proxy, a deploy, a role that was taken from the key: all answer alike at once."""
    async with stage(tmp_path, counts={"invoices": 45}) as shown:
        shown.sandbox.faults.add("404", path=r"^/invoices/\d+", times=None)
        for _ in range(2):
            report = await shown.run()
            assert len(report.failed) > 40
        assert "of 45 answer as if they were not there: not believed" in report.failed[-1]
        assert shown.query("SELECT id FROM records WHERE vanished_at IS NOT NULL") == []
        shown.sandbox.faults.clear()
        clock = shown.clock()
        await clock.sleep(3_700)
        await shown.run(clock=clock)
        assert shown.differences() == []


async def test_a_document_that_failed_otherwise_is_not_gone_at_its_first_404(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"invoices": 3}) as shown:
        idn = newest(shown.sandbox, "invoices")[0].idn
        for kind, times in (("503", 5), ("404", 1)):
            shown.sandbox.faults.add(kind, path=rf"^/invoices/{idn}$", times=times)
            await shown.run()
            shown.sandbox.faults.clear()
        assert shown.query("SELECT id FROM records WHERE vanished_at IS NOT NULL") == []
        clock = shown.clock()
        await clock.sleep(3_700)
        await shown.run(clock=clock)
        assert shown.differences() == []


async def test_a_contract_that_is_gone_takes_no_other_of_its_idn_along(tmp_path: Path) -> None:
    """Contracts are asked for by their ids: what they share says nothing."""
    async with stage(tmp_path, counts={"contracts": 20}) as shown:
        shown.sections["mirror_collections"] = {"collections": ("contracts",), "per_page": 10}
        shown.sections["fetch_details"] = {"collections": ("contracts",)}
        first, *others = newest(shown.sandbox, "contracts")[:4]
        for row in (first, *others):
            row.extra = {**(row.extra or {}), "idn": 7}
        shown.sandbox.faults.add("404", path=rf"^/contracts/{first.id}$", times=None)
        await shown.run()
        await shown.run()
        gone = [row["id"] for row in shown.query("SELECT id FROM records WHERE vanished_at IS NOT NULL")]
        assert gone == [first.id]
