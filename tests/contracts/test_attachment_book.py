"""What every state store promises of attached files (`ports.AttachmentBook`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.files.follow_details import attachment_follower
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts, Kept, WantedFiles
from precoro_daemon.files.rules.bodies import Part
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.quarantine import Stage
from tests.contracts.backends import Backend
from tests.contracts.listing import T0, listed, record

EVER = T0 + 10**9
WANTED = WantedFiles(("invoices", "suppliers"), 10**9)
HASH = bytes(range(32))

pytestmark = pytest.mark.asyncio


def named(id_: int, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "name": f"{id_}.pdf", "size": 100, "uploadDate": "2026-01-01T00:00:00"} | fields


async def detailed(store: Store, id_: int, files: Sequence[dict[str, Any]], **fields: Any) -> None:
    """The record is listed with some change, and its detail names the files."""
    await listed(store.mirror, record(id_, **fields), at=T0)
    [due] = [one for one in await store.mirror.due_details(["invoices"], before=EVER, limit=99) if one.id == id_]
    raw = json.dumps({"id": id_, "idn": due.idn, "attachments": {"data": files}})
    await store.mirror.save_detail(due, Detail(id_, raw), at=T0)


async def followed(store: Store, limit: int = 500) -> int:
    """How many changes were followed."""
    total, follower = 0, attachment_follower(store.attachments)
    while stretch := await store.change_log.read(follower, limit):
        await follower.handle(stretch.changes, stretch.move)
        total += len(stretch.changes)
    return total


async def due(store: Store, before: float = EVER, wanted: WantedFiles = WANTED) -> list[AttachedFile]:
    return list(await store.attachments.due_files(wanted, before=before, limit=99))


async def due_ids(store: Store) -> list[int]:
    return [file.attachment.id for file in await due(store)]


async def one_due(store: Store) -> AttachedFile:
    [file] = await due(store)
    return file


def kept(path: str = "invoices/1/7__7.pdf", length: int = 100, sha256: bytes = HASH) -> Kept:
    return Kept(path, length, sha256)


async def test_files_are_read_out_of_details_newest_first(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7), named(9)])
        await detailed(store, 2, [named(8)])
        await detailed(store, 3, [])
        assert await due(store) == []
        assert await followed(store) > 0
        assert await due_ids(store) == [9, 8, 7]
        assert await store.attachments.count_due_files(WANTED, before=EVER) == FileCounts(3, 300)
        assert len(await store.attachments.due_files(WANTED, before=EVER, limit=2)) == 2
        [nine, *_] = await due(store)
        assert (nine.collection, nine.record_id, nine.attachment.name) == ("invoices", 1, "9.pdf")
        assert (nine.reserved, nine.part, nine.attempts) == (None, None, 0)


async def test_the_log_is_followed_to_its_end_and_no_change_twice(backend: Backend) -> None:
    async with backend.open() as store:
        for id_ in range(1, 8):
            await detailed(store, id_, [named(id_)])
        changes = await followed(store, limit=3)
    async with backend.open() as store:
        assert await followed(store, 3) == 0
        await detailed(store, 9, [named(9)])
        assert 0 < await followed(store) < changes
        assert await due_ids(store) == [9, 7, 6, 5, 4, 3, 2, 1]


async def test_a_state_of_the_first_version_has_its_files_read_too(backend: Backend) -> None:
    """The position begins at nothing, so what was detailed before files were known is followed like all else."""
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
    async with backend.open() as store:
        await followed(store)
        assert await due_ids(store) == [7]


async def test_a_file_that_is_kept_is_due_no_more_and_keeps_its_seq(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        file = await one_due(store)
        await store.attachments.reserve({file.key: "invoices/1/7__7.pdf"})
        assert (await one_due(store)).reserved == "invoices/1/7__7.pdf"
        await store.attachments.save_kept(file, kept(), at=T0 + 5)
        assert await due(store) == []
        assert await store.attachments.count_due_files(WANTED, before=EVER) == FileCounts(0, 0)
    async with backend.open() as store:
        [stored] = await store.attachments.stored(0, 10)
        assert (stored.seq, stored.kept, stored.stored_at) == (1, kept(), T0 + 5)
        assert stored.file.key == file.key
        assert await store.attachments.stored(1, 10) == []
        assert await store.attachments.newest_stored() == 1
        assert await store.attachments.count_stored() == 1


async def test_following_the_same_detail_again_changes_nothing(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        await store.attachments.save_kept(await one_due(store), kept(), at=T0)
        await detailed(store, 1, [named(7)], note="edited")
        await followed(store)
        assert await due(store) == []


@pytest.mark.parametrize("change", [{"size": 101}, {"uploadDate": "2026-02-02T00:00:00"}, {"size": None}])
async def test_another_size_or_date_is_another_content(backend: Backend, change: dict[str, Any]) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        file = await one_due(store)
        await store.attachments.reserve({file.key: kept().path})
        await store.attachments.save_kept(file, kept(), at=T0)
        await detailed(store, 1, [named(7, **change)], note="edited")
        await followed(store)
        assert (await one_due(store)).reserved == kept().path
        assert await store.attachments.stored(0, 10) == []


async def test_another_name_alone_is_not(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        await store.attachments.save_kept(await one_due(store), kept(), at=T0)
        await detailed(store, 1, [named(7, name="renamed.pdf")], note="edited")
        await followed(store)
        assert await due(store) == []
        [stored] = await store.attachments.stored(0, 10)
        assert stored.file.attachment.name == "renamed.pdf"


async def test_files_that_come_at_once_are_all_noted_each_under_its_own_number(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(id_) for id_ in range(7, 27)])
        await followed(store)

        async def save(file: AttachedFile) -> None:
            content = kept(f"invoices/1/{file.attachment.id}.pdf", sha256=bytes([file.attachment.id]) * 32)
            assert await store.attachments.save_kept(file, content, at=T0) is None

        async with anyio.create_task_group() as group:
            for file in await due(store):
                group.start_soon(save, file)
        stored = await store.attachments.stored(0, 99)
        assert {row.seq: row.kept.sha256[0] == row.file.attachment.id for row in stored} == dict.fromkeys(
            range(1, 21), True
        )
        assert await due(store) == []


async def test_a_file_that_is_named_no_longer_is_gone_until_it_is_named_again(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7), named(8)])
        await followed(store)
        await detailed(store, 1, [named(8)], note="one removed")
        await followed(store)
        assert await due_ids(store) == [8]
        await detailed(store, 1, [named(7), named(8)], note="and back")
        await followed(store)
        assert await due_ids(store) == [8, 7]


async def test_files_of_documents_that_vanished_or_are_not_wanted_are_not_due(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await detailed(store, 2, [named(8)])
        await detailed(store, 3, [named(9)])
        await followed(store)
        await store.mirror.close_scan(Scan("invoices", "whole"), [1], at=T0)
        await store.mirror.refilter("invoices", "x", lambda row, _: row.id != 2)
        assert await due_ids(store) == [9]


async def test_only_wanted_collections_and_sizes_are_due(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7, size=1000), named(8, size=None), named(9)])
        await followed(store)
        assert await due(store, wanted=WantedFiles(("suppliers",), 10**9)) == []
        few = WantedFiles(("invoices",), 999)
        assert [file.attachment.id for file in await due(store, wanted=few)] == [9, 8]
        assert await store.attachments.count_due_files(few, before=EVER) == FileCounts(2, 100)
        [large] = await store.attachments.too_large(few)
        assert (large.attachment.id, large.attachment.size) == (7, 1000)


async def test_what_came_counts_more_than_what_was_said(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(8, size=None)])
        await followed(store)
        await store.attachments.note_size(await one_due(store), 5_000)
        few = WantedFiles(("invoices",), 999)
        assert await due(store, wanted=few) == []
        assert [file.attachment.size for file in await store.attachments.too_large(few)] == [5_000]
        assert await due_ids(store) == [8]


async def test_what_is_set_aside_is_due_again_at_its_time_or_when_its_document_changes(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        aside = Quarantined("invoices", "7", Stage.FILE, "reset", None, attempts=1, since=T0, retry_at=T0 + 50)
        await store.mirror.quarantine(aside)
        assert await due(store, before=T0 + 50) == []
        [again] = await due(store, before=T0 + 51)
        assert again.attempts == 1
        await detailed(store, 1, [named(7)], note="edited")
        await followed(store)
        assert len(await due(store, before=T0)) == 1
        await store.attachments.save_kept(again, kept(), at=T0)
        assert await store.mirror.count_quarantined() == {}


async def test_nothing_stays_aside_of_what_is_gone(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7), named(8)])
        await followed(store)
        for key in ("7", "8"):
            await store.mirror.quarantine(Quarantined("invoices", key, Stage.FILE, "reset", None, 1, T0, T0))
        await detailed(store, 1, [named(8)], note="one removed")
        await followed(store)
        assert await store.mirror.count_quarantined() == {("invoices", "file"): 1}
        await store.mirror.close_scan(Scan("invoices", "whole"), [1], at=T0)
        assert await store.mirror.count_quarantined() == {}


async def test_a_part_is_remembered_until_the_content_is_another(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        await store.attachments.save_part(await one_due(store), Part(40, '"tag"'))
    async with backend.open() as store:
        assert (await one_due(store)).part == Part(40, '"tag"')
        await store.attachments.save_part(await one_due(store), None)
        assert (await one_due(store)).part is None
        await store.attachments.save_part(await one_due(store), Part(40, '"tag"'))
        await detailed(store, 1, [named(7, size=999)], note="replaced")
        await followed(store)
        assert (await one_due(store)).part is None


async def test_the_same_attachment_elsewhere_and_the_same_content(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await detailed(store, 2, [named(7)])
        await detailed(store, 3, [named(7, size=5)])
        await followed(store)
        one, two, other = sorted(await due(store), key=lambda file: file.record_id)
        assert await store.attachments.kept_elsewhere(two) is None
        assert (one.shared, two.shared) == (True, True)
        assert await store.attachments.save_kept(one, kept(), at=T0) is None
        assert await store.attachments.kept_elsewhere(two) == kept()
        assert await store.attachments.kept_elsewhere(other) is None
        assert await store.attachments.save_kept(other, kept("b", sha256=b"?" * 32), at=T0) is None
        assert await store.attachments.save_kept(other, kept("b"), at=T0) == kept()
        await store.attachments.requeue([one.key, other.key])
        assert await store.attachments.kept_elsewhere(two) is None
        assert await store.attachments.save_kept(other, kept("b"), at=T0) is None


async def test_what_is_queued_again_is_due_at_its_path_and_gets_a_new_seq(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7), named(8)])
        await followed(store)
        for file in await due(store):
            await store.attachments.reserve({file.key: f"invoices/1/{file.attachment.id}"})
            await store.attachments.save_kept(file, kept(f"invoices/1/{file.attachment.id}"), at=T0)
        seven = next(one for one in await store.attachments.stored(0, 9) if one.file.attachment.id == 7)
        await store.attachments.requeue([seven.file.key])
        again = await one_due(store)
        assert again.reserved == "invoices/1/7"
        await store.attachments.save_kept(again, kept("invoices/1/7"), at=T0)
        assert [one.seq for one in await store.attachments.stored(0, 9)] == [1, 3]


async def test_how_often_sizes_were_right(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.attachments.sizes() == (0, 0)
        await detailed(store, 1, [named(7), named(8), named(9, size=None), named(10)])
        await followed(store)
        files = {file.attachment.id: file for file in await due(store)}
        await store.attachments.note_size(files[7], 50)
        await store.attachments.note_size(files[9], 50)
        assert await store.attachments.sizes() == (0, 1)
        await store.attachments.save_kept(files[8], kept(length=100), at=T0)
        await store.attachments.save_kept(files[10], kept(length=77), at=T0)
        assert await store.attachments.sizes() == (1, 2)


async def test_what_was_not_read_for_the_longest_time_comes_first(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(id_) for id_ in (7, 8, 9)])
        await followed(store)
        for age, file in enumerate(await due(store)):
            await store.attachments.save_kept(file, kept(str(age)), at=T0 + age)
        nine, eight, seven = await store.attachments.least_verified(9)
        await store.attachments.verified([nine.file.key, eight.file.key], at=T0 + 99)
        assert [one.file.attachment.id for one in await store.attachments.least_verified(2)] == [7, 9]
        assert seven.file.attachment.id == 7


async def test_strangers_are_paths_that_were_given_to_no_file(backend: Backend) -> None:
    async with backend.open() as store:
        await detailed(store, 1, [named(7)])
        await followed(store)
        file = await one_due(store)
        await store.attachments.reserve({file.key: "invoices/1/7__a"})
        assert await store.attachments.orphans(["invoices/1/7__a", "b", "c"]) == ["b", "c"]


async def test_of_records_with_attachments_only_those_that_are_listed_get_details(backend: Backend) -> None:
    async with backend.open() as store:
        rows = [record(id_) for id_ in (1, 2, 3)]
        await store.mirror.commit_pages(Scan("suppliers", "whole"), [Page(1, rows, total=3, server_time=T0)])
        assert await store.mirror.due_details([], ["suppliers"], before=EVER, limit=9) == []
        assert await store.attachments.note_with_attachments("suppliers", [2, 3, 77]) == 3
        assert await store.attachments.note_with_attachments("suppliers", [3, 2]) == 0
        due_now = await store.mirror.due_details([], ["suppliers"], before=EVER, limit=9)
        assert sorted(one.id for one in due_now) == [2, 3]
        assert await store.mirror.count_due([], ["suppliers"], before=EVER) == {"suppliers": 2}
        await store.mirror.save_detail(replace(due_now[0]), Detail(due_now[0].id, "{}"), at=T0)
        assert await store.mirror.count_due([], ["suppliers"], before=EVER) == {"suppliers": 1}


async def test_when_records_with_attachments_were_listed_is_remembered(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.attachments.listing("suppliers") == (None, None)
        await store.attachments.save_listing("suppliers", T0, None)
        await store.attachments.save_listing("suppliers", T0 + 1, T0)
    async with backend.open() as store:
        assert await store.attachments.listing("suppliers") == (T0 + 1, T0)
