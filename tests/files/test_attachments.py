"""Attached files by the whole program, from the sandbox to the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from precoro_daemon.app.runs import verify_attachments
from precoro_daemon.sandbox.files import Attachment, attachments
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.schema import COLLECTIONS
from tests.mirror.stage import Stage, stage
from tests.mirror.test_custom_fields import later

pytestmark = pytest.mark.asyncio

COUNTS = {"invoices": 16, "suppliers": 8, "contracts": 6}
FEW = {"invoices": 8, "suppliers": 4, "contracts": 3}
NAMES = ("invoices", "suppliers", "contracts")


@asynccontextmanager
async def filing(directory: Path, **options: Any) -> AsyncIterator[Stage]:
    """A company with files; they go to `directory`/files."""
    async with stage(directory, **{"counts": COUNTS} | options) as shown:
        shown.sections |= {
            "mirror_collections": {"collections": NAMES},
            "fetch_attachments": {"directory": directory / "files", "reserve_bytes": 0},
        }
        for row in list(shown.sandbox.company["suppliers"])[:2]:
            upload(shown, row, b"a certificate of supplier %d" % row.id)
        if shown.files_url:
            shown.sections["fetch_attachments"]["allowed_hosts"] = (shown.files_url.removeprefix("http://"),)
        yield shown


def truth(shown: Stage) -> dict[int, tuple[Row, Attachment]]:
    """Every file of the company, by its id. Of rows that share an idn the API shows one, the parent."""
    company = shown.sandbox.company
    found: dict[int, tuple[Row, Attachment]] = {}
    for name in NAMES:
        for row in company[name]:
            addressed = company.find(name, str(row.idn if COLLECTIONS[name].key == "idn" else row.id))
            found |= {file.id: (addressed, file) for file in attachments(addressed)}
    return found


def on_disk(shown: Stage) -> dict[int, bytes]:
    root = shown.directory / "files"
    paths = [path for path in root.rglob("*__*") if path.is_file()]
    return {int(path.name.partition("__")[0]): path.read_bytes() for path in paths}


def assert_complete(shown: Stage, *, without: frozenset[int] = frozenset()) -> None:
    """Disk, store, view and manifest all say the same, and it is the truth."""
    wanted = {id_: file.content for id_, (_, file) in truth(shown).items() if id_ not in without}
    assert on_disk(shown) == wanted
    root = shown.directory / "files"
    rows = shown.query("SELECT * FROM attachments WHERE path IS NOT NULL AND vanished_at IS NULL")
    assert {row["attachment_id"] for row in rows} == set(wanted)
    for row in rows:
        content = (root / row["path"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    lines = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    assert len({line["seq"] for line in lines}) == len(lines)
    assert {line["attachment_id"]: line["sha256"] for line in lines if line["attachment_id"] in wanted} == {
        id_: hashlib.sha256(content).hexdigest() for id_, content in wanted.items()
    }
    assert [path.name for path in root.rglob(".*.part")] == []


def asked(shown: Stage) -> list[int]:
    """By their ids; some are asked for at once where they are expected to be."""
    first, where = (
        [int(call.rpartition("/")[2]) for call in shown.calls(path)] for path in ("/attachments/", "/_files/")
    )
    return [*first, *(id_ for id_ in where if id_ not in first)]


async def test_every_file_of_every_document_is_kept(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        report = await shown.run()
        assert (report.failed, report.remains) == ([], [])
        assert {row.collection for row, _ in truth(shown).values()} == set(NAMES), "a company without proves nothing"
        assert_complete(shown)
        assert sorted(asked(shown)) == sorted(truth(shown))


async def test_one_call_finds_that_nothing_is_new(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        await shown.run()
        shown.sandbox.journal.clear()
        await shown.run()
        assert len(shown.calls("attachedFile=1")) == 2  # suppliers and contracts, which get no details otherwise
        assert all("modifiedSince" in call for call in shown.calls("attachedFile=1"))
        assert len(shown.calls()) == len(NAMES) + 2


async def test_of_suppliers_only_those_with_files_are_asked_for_details(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        await shown.run()
        carriers = [row.id for row in shown.sandbox.company["suppliers"] if attachments(row)]
        assert 0 <= len(carriers) < COUNTS["suppliers"]
        assert sorted(int(call.rpartition("/")[2]) for call in shown.calls("/suppliers/")) == sorted(carriers)


async def test_a_file_uploaded_later_is_found_everywhere(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        await shown.run()
        company = shown.sandbox.company
        for name in NAMES:
            row = next(row for row in company[name] if not attachments(row) and row.split_of is None)
            upload(shown, row, b"new content " * 50)
        shown.sandbox.journal.clear()
        await shown.run()
        assert len(asked(shown)) == 3
        assert_complete(shown)


def upload(shown: Stage, row: Row, content: bytes) -> int:
    id_ = row.id * 10 + 9
    uploads = [Attachment(id_, "added.txt", content, shown.sandbox.company.now())]
    shown.sandbox.company.edit(row, _uploads=uploads)
    return id_


async def test_files_from_another_host_come_without_the_key(tmp_path: Path) -> None:
    async with filing(tmp_path, files_elsewhere=True) as shown:
        await shown.run()
        assert_complete(shown)
        assert shown.sandbox.files_host.requests == sum(id_ % 2 for id_ in truth(shown))
        assert shown.sandbox.files_host.leaks == []
        assert shown.calls("/_files/") == []


async def test_another_host_that_is_not_allowed_gets_no_call_and_status_says_why(tmp_path: Path) -> None:
    async with filing(tmp_path, files_elsewhere=True) as shown:
        shown.sections["fetch_attachments"].pop("allowed_hosts")
        report = await shown.run()
        odd = frozenset(id_ for id_ in truth(shown) if id_ % 2)
        assert len(report.failed) == len(odd)
        assert all("allowed_hosts" in line and "attachment" in line for line in report.failed)
        assert shown.sandbox.files_host.requests == 0
        assert_complete(shown, without=odd)
        assert len(shown.query("SELECT * FROM quarantine WHERE stage = 'file'")) == len(odd)
        shown.sandbox.journal.clear()
        await shown.run()
        await shown.run()
        assert set(asked(shown)) <= odd
        assert max(asked(shown).count(id_) for id_ in odd) == 1, "the same refusal is asked for once, then left alone"


@pytest.mark.parametrize(
    "kind",
    ["500", "404", "403", "reset", "closed", "truncated", "chunked_cut", "cut_without_length", "reset_midway",
     "200_html", "200_json_error", "empty_body", "invalid_json"],
)  # fmt: skip
async def test_one_that_fails_is_named_and_fetched_by_a_later_run(tmp_path: Path, kind: str) -> None:
    async with filing(tmp_path, counts=FEW) as shown:
        bad = min(truth(shown))
        shown.sandbox.faults.add(kind, path=f"/(attachments|_files)/{bad}$", times=None)
        report = await shown.run()
        assert len(report.failed) == 1
        assert str(bad) in report.failed[0]
        assert "invoices" in report.failed[0] or "suppliers" in report.failed[0] or "contracts" in report.failed[0]
        assert_complete(shown, without=frozenset({bad}))
        shown.sandbox.faults.clear()
        await shown.run("fetch_attachments", clock=later(86_400))  # what is forbidden is let be for an hour
        await shown.run("fetch_attachments", clock=later(86_400))
        assert_complete(shown)
        assert (await shown.run()).remains == []


async def test_one_that_fails_once_comes_in_the_same_run(tmp_path: Path) -> None:
    async with filing(tmp_path, counts={"invoices": 30}) as shown:
        bad = min(truth(shown))
        shown.sandbox.faults.add("reset_midway", path=f"/attachments/{bad}$", times=2)
        assert (await shown.run()).failed == []
        assert asked(shown).count(bad) == 3
        assert_complete(shown)


async def test_a_file_that_is_too_large_is_left_out_until_it_may_come(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        sizes = sorted(len(file.content) for _, file in truth(shown).values())
        shown.sections["fetch_attachments"]["max_bytes"] = sizes[-1] - 1
        report = await shown.run()
        large = frozenset(id_ for id_, (_, file) in truth(shown).items() if len(file.content) == sizes[-1])
        assert (report.failed, report.remains) == ([], [])
        assert not large & set(asked(shown))
        assert_complete(shown, without=large)
        shown.sections["fetch_attachments"].pop("max_bytes")
        await shown.run()
        assert_complete(shown)


async def test_a_document_that_is_gone_keeps_its_files_and_asks_for_no_more(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        row = next(row for row in shown.sandbox.company["invoices"] if attachments(row) and row.split_of is None)
        ids = {file.id for file in attachments(row)}
        await shown.run()
        before = on_disk(shown)
        shown.sandbox.company.delete(row)
        await shown.run("take_census")
        await shown.run()
        assert on_disk(shown) == before
        gone = shown.query("SELECT attachment_id FROM attachments WHERE vanished_at IS NOT NULL")
        assert ids <= {each["attachment_id"] for each in gone}


async def test_an_attachment_of_two_documents_costs_one_call_and_one_copy(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        one, other = [row for row in shown.sandbox.company["contracts"] if not attachments(row)][:2]
        shared = Attachment(one.id * 10 + 9, "terms.txt", b"the same terms " * 99, shown.sandbox.company.now())
        for row in (one, other):
            shown.sandbox.company.edit(row, _uploads=[shared])
        await shown.run()
        assert asked(shown).count(shared.id) == 1
        paths = list((tmp_path / "files").rglob(f"{shared.id}__*"))
        assert len(paths) == 2
        assert paths[0].samefile(paths[1])


async def test_the_same_content_under_two_ids_is_one_file(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        rows = [row for row in shown.sandbox.company["contracts"] if not attachments(row)][:2]
        ids = [upload(shown, row, b"a logo " * 99) for row in rows]
        await shown.run()
        first, second = [path for id_ in ids for path in (tmp_path / "files").rglob(f"{id_}__*")]
        assert first.samefile(second)
        assert_complete(shown)


async def test_a_strange_file_in_the_way_is_named_and_left_alone(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        await shown.run()
        row = next(row for row in shown.sandbox.company["contracts"] if not attachments(row))
        id_ = upload(shown, row, b"what Precoro has " * 9)
        stranger = tmp_path / "files" / "contracts" / f"id-{row.id}" / f"{id_}__added.txt"
        stranger.parent.mkdir(parents=True)
        stranger.write_text("somebody's own")
        report = await shown.run()
        assert len(report.failed) == 1
        assert "move it away" in report.failed[0]
        assert stranger.read_text() == "somebody's own"


async def test_the_right_file_that_is_there_already_is_taken_over(tmp_path: Path) -> None:
    """As after a state was brought back from an older copy."""
    async with filing(tmp_path) as shown:
        await shown.run()
        before = inodes(tmp_path)
        forget_state(tmp_path)
        assert (await shown.run()).failed == []
        assert inodes(tmp_path) == before
        assert_complete(shown)


def inodes(directory: Path) -> dict[Path, int]:
    return {path: path.stat().st_ino for path in (directory / "files").rglob("*__*")}


def forget_state(directory: Path) -> None:
    for path in directory.glob("state.db*"):
        path.unlink()


@pytest.mark.parametrize("harm", ["damage", "remove", "truncate"])
async def test_what_is_damaged_on_disk_is_fetched_again_at_the_same_place(tmp_path: Path, harm: str) -> None:
    async with filing(tmp_path) as shown:
        await shown.run()
        path = next((tmp_path / "files").rglob("*__*"))
        content = path.read_bytes()
        path.chmod(0o600)
        if harm == "remove":
            path.unlink()
        else:
            path.write_bytes(content[:-1] + (b"" if harm == "truncate" else bytes([content[-1] ^ 1])))
        (tmp_path / "files" / "mine.txt").write_text("a stranger")
        verdict = await verify_attachments(shown.settings, 1.0)
        assert len(verdict.missing if harm == "remove" else verdict.damaged) == 1
        assert not verdict.all_good
        assert verdict.orphans == ["mine.txt"]
        assert verdict.good.files == len(truth(shown)) - 1
        assert (await shown.run()).failed == []
        assert path.read_bytes() == content
        assert (await verify_attachments(shown.settings, 1.0)).all_good
        assert_complete(shown)


async def test_a_share_is_verified_in_turn(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        await shown.run()
        counts = [(await verify_attachments(shown.settings, 0.25)).good.files for _ in range(4)]
        assert sum(counts) >= len(truth(shown))
        ages = [row["verified_at"] for row in shown.query("SELECT verified_at, stored_at FROM attached_files")]
        assert len(set(ages)) == 4


async def test_a_directory_of_another_company_holds_files_back_and_nothing_else(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / ".precoro-daemon").write_text("somebody else\n")
        report = await shown.run()
        assert len(report.failed) == 1
        assert "another company" in report.failed[0]
        assert asked(shown) == []
        assert shown.differences() == []
        [aside] = shown.query("SELECT * FROM quarantine")
        assert (aside["stage"], "another company" in aside["reason"]) == ("folder", True)
        (tmp_path / "files" / ".precoro-daemon").unlink()
        assert (await shown.run()).failed == []
        assert shown.query("SELECT * FROM quarantine") == []
        assert_complete(shown)


async def test_a_full_disk_holds_files_back_before_any_call(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        shown.sections["fetch_attachments"]["reserve_bytes"] = 10**15
        report = await shown.run()
        assert len(report.failed) == 1
        assert "reserve_bytes" in report.failed[0]
        assert asked(shown) == []
        assert [row["stage"] for row in shown.query("SELECT * FROM quarantine")] == ["folder"]
        shown.sections["fetch_attachments"]["reserve_bytes"] = 0
        assert (await shown.run()).failed == []
        assert_complete(shown)


async def test_sizes_that_are_no_bytes_are_found_out_and_files_come_all_the_same(tmp_path: Path) -> None:
    """Should Precoro ever say kilobytes, a mirror without files would help nobody."""
    async with filing(tmp_path, counts={"invoices": 90}) as shown:
        for row in shown.sandbox.company["invoices"]:
            if row.split_of is None and not attachments(row):
                upload(shown, row, b"%d content " % row.id * 300)
        wanted = {id_: file.content for id_, (_, file) in truth(shown).items()}
        shown.sandbox.company.details.sizes_in = 1000
        for _ in range(4):
            await shown.run()
        assert on_disk(shown) == wanted


async def test_no_directory_no_files_no_calls(tmp_path: Path) -> None:
    async with filing(tmp_path) as shown:
        shown.sections["fetch_attachments"] = {}
        await shown.run()
        assert asked(shown) == []
        assert shown.calls("attachedFile") == []
