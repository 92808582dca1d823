"""What every store of files promises, a directory and a bucket alike."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import pytest

from precoro_daemon.errors import FolderUnusable
from precoro_daemon.files.ports.attachment_book import Kept
from precoro_daemon.files.ports.object_store import ObjectStore
from tests.contracts.object_stores import (
    BACKENDS,
    Backend,
    backend_of,
    served_as_google,
    served_by_azurite,
    served_by_rclone,
)

__all__ = ["served_as_google", "served_by_azurite", "served_by_rclone"]

PATH, OTHER = "invoices/12/7__Rechnung #1, (Müller) ツ.pdf", "invoices/13/8__b.pdf"
SMALL, LARGE = os.urandom(300_000), os.urandom(11_000_000)

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return backend_of(request.param, tmp_path, request)


async def put(store: ObjectStore, content: bytes, path: str = PATH, *, replaces: bool = False) -> Kept:
    async with store.partial_file(path, replaces=replaces) as partial:
        for start in range(0, len(content), 1_000_000):
            await partial.write(content[start : start + 1_000_000])
        return await partial.keep()


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "in parts"])
async def test_a_file_is_kept_whole_with_its_length_and_hash(backend: Backend, content: bytes) -> None:
    async with backend.open() as store:
        kept = await put(store, content)
        assert kept == Kept(PATH, len(content), hashlib.sha256(content).digest())
        assert backend.read(PATH) == content
        assert await store.hash(PATH) == (kept.length, kept.sha256)
        assert await store.in_the_way([PATH, OTHER]) == {PATH: kept.sha256}
    assert backend.names() == {PATH}, "nothing is left on the way"


async def test_until_it_is_kept_nothing_bears_its_name_and_what_is_not_kept_is_gone(backend: Backend) -> None:
    async with backend.open() as store:
        with suppress(ZeroDivisionError):
            async with store.partial_file(PATH) as partial:
                await partial.write(SMALL)
                assert await partial.hashed() == hashlib.sha256(SMALL).digest()
                assert backend.read(PATH) is None
                raise ZeroDivisionError
    assert backend.names() == set()


async def test_what_was_checkpointed_is_taken_up_and_the_rest_of_partial_files_is_dropped(backend: Backend) -> None:
    async with backend.open() as store:
        for path in (PATH, OTHER):
            async with store.partial_file(path) as partial:
                await partial.write(LARGE[:2_000_000])
                assert await partial.checkpoint() == 2_000_000
        assert await store.drop_partials(but=[PATH]) == 1
        async with store.partial_file(PATH, take_up=2_000_000) as partial:
            assert (partial.length, partial.beginning) == (2_000_000, LARGE[:1024])
            await partial.write(LARGE[2_000_000:])
            kept = await partial.keep()
        assert kept.sha256 == hashlib.sha256(LARGE).digest()
    assert backend.read(PATH) == LARGE
    assert backend.names() == {PATH}


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "in parts"])
async def test_what_is_not_ours_is_never_written_over(backend: Backend, content: bytes) -> None:
    async with backend.open() as store:
        backend.put(PATH, b"somebody's own")
        with pytest.raises(FolderUnusable, match="in the way"):
            await put(store, content)
        assert await store.in_the_way([PATH]) == {PATH: hashlib.sha256(b"somebody's own").digest()}
    assert backend.read(PATH) == b"somebody's own"


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "in parts"])
async def test_an_earlier_file_of_ours_is_replaced(backend: Backend, content: bytes) -> None:
    async with backend.open() as store:
        await put(store, b"earlier")
        assert await put(store, content, replaces=True) == Kept(PATH, len(content), hashlib.sha256(content).digest())
        assert backend.read(PATH) == content


async def test_the_same_content_comes_to_another_path_without_a_download(backend: Backend) -> None:
    async with backend.open() as store:
        kept = await put(store, SMALL)
        assert await store.link(kept, OTHER) == Kept(OTHER, kept.length, kept.sha256)
        assert backend.read(OTHER) == SMALL
        assert await store.link(kept, PATH) == kept
        backend.put("invoices/14/9__c.pdf", b"somebody's own")
        with pytest.raises(FolderUnusable, match="in the way"):
            await store.link(kept, "invoices/14/9__c.pdf")


async def test_what_somebody_changed_is_no_source_and_is_seen_when_it_is_read(backend: Backend) -> None:
    async with backend.open() as store:
        kept = await put(store, SMALL)
        backend.put(PATH, SMALL[:-1] + b"!")
        assert await store.hash(PATH) != (kept.length, kept.sha256)
        assert await store.link(kept, OTHER) is None
        backend.remove(PATH)
        assert await store.hash(PATH) is None
        assert await store.link(kept, OTHER) is None
        assert backend.read(OTHER) is None


async def test_every_file_is_listed_but_the_programs_own(backend: Backend) -> None:
    async with backend.open() as store:
        await put(store, SMALL)
        await put(store, b"", OTHER)
        backend.put("stray.txt", b"a person's")
        found = [path async for some in store.paths() for path in some]
        assert sorted(found) == sorted([PATH, OTHER, "stray.txt"])


async def test_the_files_of_another_company_are_left_alone(backend: Backend) -> None:
    async with backend.open() as store:
        await put(store, SMALL)
    with pytest.raises(FolderUnusable, match="the files of another company"):
        async with backend.open(identity="another"):
            pass
    async with backend.open() as store:
        assert await store.hash(PATH) == (len(SMALL), hashlib.sha256(SMALL).digest())


async def test_there_is_room_up_to_the_reserve(backend: Backend) -> None:
    async with backend.open() as store:
        room = await store.room()
    async with backend.open(reserve=room + 10**9) as store:
        assert await store.room() < 0
