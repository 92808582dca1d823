"""What every state store promises of the change log (`ports.ChangeLog`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.files.follow_details import attachment_follower
from precoro_daemon.mirror.ports.change_log import Follower, Stretch, follow
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.change_log import Change, ChangeKind, Move
from tests.contracts.backends import Backend
from tests.contracts.listing import T0, listed, record

pytestmark = pytest.mark.asyncio

ALL: Sequence[ChangeKind] = get_args(ChangeKind)


async def ignore(_changes: Sequence[Change], _move: Move) -> None: ...


def reader(*collections: str, kinds: Sequence[ChangeKind] = ALL) -> Follower:
    return Follower("somebody", collections, kinds, ignore)


async def detailed(store: Store, text: str) -> None:
    [due] = await store.mirror.due_details(["invoices"], before=T0, limit=1)
    await store.mirror.save_detail(due, Detail(due.id, text), at=T0 + 5)


async def read(store: Store, follower: Follower, limit: int = 99) -> Stretch:
    stretch = await store.change_log.read(follower, limit)
    assert stretch is not None
    return stretch


async def test_each_change_comes_in_order_with_what_its_record_is_now(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        await detailed(store, '{"id": 1, "more": true}')
        await listed(store.mirror, record(1, note="edited"))
        created, detail, updated = (await read(store, reader("invoices"))).changes
        assert [created.kind, detail.kind, updated.kind] == ["created", "detailed", "updated"]
        assert created.seq < detail.seq < updated.seq
        assert created.data == updated.data
        assert b"edited" in (updated.data or b"")
        assert (detail.data, detail.at) == (b'{"id": 1, "more": true}', T0 + 5)
        assert (created.at, updated.at) == (None, None)


async def test_what_a_follower_does_not_read_comes_without_data(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1))
        await detailed(store, "{}")
        elsewhere = (await read(store, reader("suppliers"))).changes
        details = (await read(store, reader("invoices", kinds=["detailed"]))).changes
        assert [change.data for change in elsewhere] == [None, None]
        assert [change.data for change in details] == [None, b"{}"]


async def test_each_follower_has_a_position_of_its_own(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(1), record(2))
        follower = attachment_follower(store.attachments)
        await follow(store.change_log, follower, 1)
    async with backend.open() as store:
        assert not await store.change_log.is_behind(follower.name)
        assert await store.change_log.read(follower, 1) is None
        assert await store.change_log.is_behind("custom_fields")
        assert (await read(store, reader("invoices"))).move == Move("somebody", 0, 2)


async def test_whoever_comes_second_with_the_same_changes_stores_nothing(backend: Backend) -> None:
    async with backend.open() as store:
        follower = attachment_follower(store.attachments)
        await listed(store.mirror, record(1))
        await detailed(store, '{"attachments": [{"id": 7}]}')
        first = second = await read(store, follower)
        await follower.handle(first.changes, first.move)
        listing = "SELECT id, gone_at FROM attached_files"
        assert backend.query(listing) == [(7, None)]
        backend.change("DELETE FROM attached_files")
        await follower.handle(second.changes, second.move)
        assert backend.query(listing) == [], "the position had moved: what the changes meant was known"
