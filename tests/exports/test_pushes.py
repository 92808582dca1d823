"""Each changed record reaches the receiver, signed, at least once and in order, whenever the process dies."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from aiohttp import web

from precoro_daemon.adapters.exports.signed_pushes import Address, open_receiver, sign
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.view_rows import followed_tables, tables
from precoro_daemon.app.following import build_exports
from precoro_daemon.errors import AddressRefused, ConnectionFault, ReceiverBusy, ReceiverGone
from precoro_daemon.exports.follow_exports import FollowExports, Turn
from precoro_daemon.exports.ports.pushes import Receiver
from precoro_daemon.exports.push_records import PushRecords
from precoro_daemon.settings import load
from precoro_daemon.settings.exports import signing_key
from tests.contracts.listing import T0, listed, record, scan
from tests.exports.belongings import ACTS, PARTS
from tests.exports.dying import Killed, Life
from tests.exports.receiving import OTHER_SECRET, SECRET, Shop, record_of
from tests.exports.test_segments import Acts, FixedClock, first, more

pytestmark = pytest.mark.asyncio

TABLES = ("invoices", "credit_notes", "payments", "suppliers")
DAY = 86_400.0
STEPS = 150
"""More than an export of this scene makes."""
STEPS_OF_PARTS = 400


class Scene:
    """A state and a receiver of what changes in it, opened anew for each life."""

    def __init__(self, folder: Path, shop: Shop | None = None, names: Sequence[str] = TABLES) -> None:
        self.folder, self.names = folder, names
        self.shop = shop or Shop()
        self.state = SqliteState(folder / "state.db", "company")
        self.clock = FixedClock()
        self.url = ""
        self.allowed = ("127.0.0.1",)
        self.secrets = (SECRET,)
        self.timeout = 5.0

    @asynccontextmanager
    async def life(self, life: Life | None = None) -> AsyncIterator[tuple[Store, PushRecords]]:
        life = life or Life()
        async with self.shop.open() as url, self.state.open() as store:
            keys = [signing_key(secret) for secret in self.secrets]
            address = Address(self.url or url, keys, self.allowed, self.timeout, in_flight=4)

            @asynccontextmanager
            async def receivers() -> AsyncIterator[Receiver]:
                async with open_receiver(address, "[exports.shop]") as receiver:
                    yield life.lend(receiver)

            yield (
                store,
                PushRecords(
                    name="shop",
                    feed=life.lend(store.export_feed),
                    book=life.lend(store.push_book),
                    tables=[followed_tables()[name] for name in self.names],
                    receivers=receivers,
                    clock=self.clock,
                    receiver=self.url or "shop",
                    give_up_after=3 * DAY,
                    in_flight=4,
                ),
            )

    async def compare(self) -> None:
        await anyio.to_thread.run_sync(self._compare)

    def _compare(self) -> None:
        with closing(sqlite3.connect(self.folder / "state.db")) as connection:
            connection.row_factory = sqlite3.Row
            shown = {
                (name, row["id"]): _plain(dict(row))
                for name in self.names
                if followed_tables()[name].is_of_records
                for row in connection.execute(f"SELECT * FROM {name} WHERE vanished_at IS NULL")
            }
            for name in self.names:
                if not followed_tables()[name].is_of_records:
                    shown |= _by_owner(name, connection)
        assert {key: _in_an_order(data) for key, data in self.shop.live.items()} == shown


def _by_owner(name: str, connection: sqlite3.Connection) -> dict[tuple[str, Any], dict[str, Any]]:
    """Of each record that has any, all that the view shows."""
    table = followed_tables()[name]
    columns = ", ".join(one.name for one in table.columns)
    found: dict[tuple[str, Any], dict[str, Any]] = {}
    for row in connection.execute(f"SELECT {columns} FROM {name}"):
        owner = {key: row[key] for key in ("collection", table.key) if key in row.keys()}  # noqa: SIM118
        data = found.setdefault((name, record_of(owner)), owner | {name: []})
        data[name].append(_plain(dict(row)))
    live = {key: data for key, data in found.items() if any(row["vanished_at"] is None for row in data[name])}
    return {key: _in_an_order(data) for key, data in live.items()}


def _in_an_order(data: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value, key=repr) if name in PARTS else value for name, value in data.items()}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it."""
    booleans = {column.name for table in tables().values() for column in table.columns if column.kind == "boolean"}
    shown = {name: bool(value) if name in booleans and value is not None else value for name, value in row.items()}
    return shown | {name: json.loads(row[name]) for name in ("data", "detail") if row.get(name) is not None}


async def test_what_is_published_of_the_standard_is_signed_so() -> None:
    body, ident = b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek"
    headers = sign(ident, 1614265330, body, [signing_key(SECRET)])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_the_receiver_has_what_the_mirror_has(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        assert not await export.behind()
        await first(store)
        assert await export.behind()
        assert await export.follow() == 11
        assert not await export.behind()
        await scene.compare()
        await more(store)
        await export.follow()
        assert await export.follow() == 0
        await scene.compare()
        assert scene.shop.records["suppliers", 2]["type"] == "suppliers.deleted"
        assert scene.shop.records["invoices", 3] == {
            "type": "invoices.deleted",
            "timestamp": "2025-06-15T15:06:40Z",
            "data": {"id": 3},
        }
        assert (await store.push_book.counts("shop")).keys() == {"delivered"}


async def test_killed_at_any_step_nothing_is_lost_and_what_comes_again_has_its_id(tmp_path: Path) -> None:
    """At every fifth; the sweep dies at all."""
    assert await killed_at_steps(tmp_path, range(0, STEPS, 5)) > 8


async def test_files_and_custom_fields_are_pushed_record_by_record_and_killed_at_any_step_nothing_is_lost(
    tmp_path: Path,
) -> None:
    """At every nineteenth; the sweep dies at all."""
    assert await killed_at_steps(tmp_path, range(0, STEPS_OF_PARTS, 19), PARTS, ACTS) > 7


async def killed_at_steps(
    folder: Path,
    steps: Iterable[int],
    names: Sequence[str] = ("invoices", "credit_notes"),
    acts: Acts = (first, more),
) -> int:
    """Gives how many of the steps there were."""
    for deaths, fatal in enumerate(steps):
        scene = Scene(folder / str(fatal), names=names)
        await anyio.Path(scene.folder).mkdir()
        if not await _dies(scene, fatal, acts):
            return deaths
        scene.clock.at += 1
        async with scene.life() as (_, export):
            await export.follow()
        await scene.compare()
        assert all(len(bodies) == 1 for bodies in scene.shop.bodies.values()), "a repeat says the same"
        _in_order(scene.shop)
    raise AssertionError("it makes more steps than that")


async def _dies(scene: Scene, fatal: int, acts: Acts) -> bool:
    died = False
    try:
        async with scene.life(Life(fatal)) as (store, export):
            for act in acts:
                await act(store)
                await export.follow()
    except* Killed:
        died = True
    return died


def _in_order(shop: Shop) -> None:
    """Of each record, the first time that each id came."""
    seen: dict[str, list[int]] = {}
    for ident in dict.fromkeys(shop.came):
        _, table, record_id, seq, _ = ident.split("-")
        named = record_id if "/" not in table and "values" not in table else f"{table} {record_id}"
        seen.setdefault(named, []).append(int(seq))
    assert all(seqs == sorted(seqs) for seqs in seen.values())


async def test_two_secrets_sign_while_they_are_changed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Shop(secrets=(SECRET, OTHER_SECRET)))
    scene.secrets = (OTHER_SECRET, SECRET)
    async with scene.life() as (store, export):
        await first(store)
        assert await export.follow() == 11


async def test_one_that_is_refused_waits_and_all_others_go_on(tmp_path: Path) -> None:
    def refuse(ident: str, message: dict[str, Any]) -> web.Response | None:
        return web.json_response({"why": "no"}, status=422) if message["data"]["id"] == 4 else None

    scene = Scene(tmp_path, Shop(refuse))
    async with scene.life() as (store, export):
        await first(store)
        assert await export.follow() == 10
        [waiting] = [
            one for one in await store.push_book.listed("shop", dead=False, limit=99) if one.attempts and one.answer
        ]
        assert (waiting.state, waiting.record, waiting.attempts) == ("waiting", 4, 1)
        assert waiting.answer.endswith('answered 422: {"why": "no"}')
        assert not await export.behind(), "its time comes later"
        scene.clock.at += 61
        assert await export.behind()
        assert await export.follow() == 0
        assert scene.shop.asked[waiting.id] == 2
        scene.clock.at += 3 * DAY
        await export.follow()
        assert not await export.behind()
        assert await store.push_book.counts("shop") == {"delivered": 10, "dead": 1}
        [dead] = await store.push_book.listed("shop", dead=True, limit=9)
        assert dead.id == waiting.id
        scene.shop.refuse = lambda *_: None
        assert await store.push_book.revive("shop", scene.clock.at) == 1
        assert await export.follow() == 1
        await scene.compare()


async def test_what_waits_is_forgotten_when_its_record_changes_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Shop(lambda *_: web.Response(status=400)), ["invoices"])
    async with scene.life() as (store, export):
        await listed(store.mirror, record(1, sum="1.00"))
        await export.follow()
        scene.shop.refuse = lambda *_: None
        scene.clock.at += 1
        await listed(store.mirror, record(1, sum="2.00"), at=T0 + 9)
        assert await export.follow() == 1
        assert await store.push_book.counts("shop") == {"delivered": 1}
        await scene.compare()


@pytest.mark.parametrize("status", [302, 401, 404, 500, 503])
async def test_a_receiver_that_takes_nothing_is_waited_for(tmp_path: Path, status: int) -> None:
    scene = Scene(tmp_path, Shop(lambda *_: web.Response(status=status, headers={"Location": "/elsewhere"})))
    async with scene.life() as (store, export):
        await first(store)
        with pytest.raises(ReceiverBusy, match=f"/hook answered {status}"):
            await export.follow()
        assert sum(scene.shop.asked.values()) <= 4, "it is not asked again and again"
        assert await store.export_feed.position("shop") == 0
        scene.shop.refuse = lambda *_: None
        assert await export.follow() == 11
        await scene.compare()


async def test_one_at_which_the_receiver_stumbles_keeps_others_waiting_for_an_hour_at_most(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Shop(lambda *_: web.Response(status=500)), ["invoices"])
    async with scene.life() as (store, export):
        await listed(store.mirror, record(1, sum="1.00"))
        with pytest.raises(ReceiverBusy):
            await export.follow()
        await listed(store.mirror, record(2, sum="1.00"))
        scene.shop.refuse = lambda _, message: web.Response(status=500) if message["data"]["id"] == 1 else None
        scene.clock.at += 3600
        assert await export.follow() == 1
        assert await store.push_book.counts("shop") == {"delivered": 1, "waiting": 1}


async def test_one_at_which_the_receiver_says_when_to_come_again_blocks_no_others_for_ever(tmp_path: Path) -> None:
    """A proxy says so of each request at which the receiver behind it dies."""

    def stumble(_: str, message: dict[str, Any]) -> web.Response | None:
        dies = message["data"]["id"] == 1
        return web.Response(status=503, headers={"Retry-After": "60"}) if dies else None

    scene = Scene(tmp_path, Shop(stumble), ["invoices"])
    async with scene.life() as (store, export):
        await listed(store.mirror, record(1, sum="1.00"))
        with pytest.raises(ReceiverBusy):
            await export.follow()
        scene.clock.at += 3600
        assert await export.follow() == 0
        assert await store.push_book.counts("shop") == {"waiting": 1}
        scene.clock.at += 61
        await listed(store.mirror, record(2, sum="1.00"))
        assert await export.follow() == 1, "it is tried again, and keeps no others waiting"
        assert await store.push_book.counts("shop") == {"delivered": 1, "waiting": 1}


async def test_who_says_when_to_come_again_is_not_asked_before(tmp_path: Path) -> None:
    busy = web.Response(status=429, headers={"Retry-After": "4000"})
    scene = Scene(tmp_path, Shop(lambda *_: web.Response(status=429, headers=busy.headers)))
    async with scene.life() as (store, export):
        job = FollowExports([Turn(export)], scene.clock)
        await first(store)
        assert await job.due(scene.clock.at)
        assert "answered 429" in (await job.lap()).failed[0]
        scene.clock.at += 3999
        assert not await job.due(scene.clock.at)
        scene.clock.at += 2
        assert await job.due(scene.clock.at)


async def test_a_receiver_that_is_gone_stops_its_export_alone_until_it_is_another(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Shop(lambda *_: web.Response(status=410)))
    async with scene.life() as (store, export):
        await first(store)
        with pytest.raises(ReceiverGone, match="410"):
            await export.follow()
        assert not await export.behind()
        scene.shop.refuse = lambda *_: None
        export.receiver = "another"
        assert await export.behind()
        export.receiver = "shop"
        assert await store.push_book.revive("shop", scene.clock.at) == 0
        assert await export.follow() == 11


async def test_all_is_pushed_anew_under_other_ids(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        scene.clock.at += 100
        assert not await store.push_book.rewind("shop", 10**6)
        assert await store.push_book.rewind("shop", 0)
        assert await export.follow() == 11
        assert len(set(scene.shop.came)) == 22


async def test_a_restored_state_has_no_id_of_the_one_before(tmp_path: Path) -> None:
    scene = Scene(tmp_path, names=["invoices"])
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
    await anyio.to_thread.run_sync(lambda: scene.state.back_up(tmp_path / "backup.db", replace=False))
    for sums in ("3.33", "4.44"):
        if sums == "4.44":
            await anyio.to_thread.run_sync(lambda: scene.state.restore(tmp_path / "backup.db"))
        scene.clock.at += 10
        async with scene.life() as (store, export):
            await scan(store.mirror, [record(3, sum=sums)], kind="changes", at=T0 + 50)
            await export.follow()
        await scene.compare()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hook", "not https"),
        ("https://10.0.0.1/hook", "private or local"),
        ("https://127.0.0.1:9/hook", "private or local"),
        ("https://[64:ff9b::7f00:1]/hook", "private or local"),
    ],
)
async def test_nothing_goes_inside_unless_the_host_is_allowed(tmp_path: Path, url: str, why: str) -> None:
    scene = Scene(tmp_path)
    scene.url, scene.allowed = url, ()
    async with scene.life() as (store, export):
        await first(store)
        with pytest.raises(AddressRefused, match=rf"{why}.*allowed_hosts of \[exports\.shop\]"):
            await export.follow()


async def test_a_receiver_that_cannot_be_reached_is_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.url = "http://127.0.0.1:9/hook"
    async with scene.life() as (store, export):
        await first(store)
        scene.clock.at += 9 * DAY
        with pytest.raises(ConnectionFault):
            await export.follow()
        scene.clock.at += 9 * DAY
        with pytest.raises(ConnectionFault):
            await export.follow()
        assert await store.push_book.counts("shop") == {}


async def test_the_configuration_says_where_it_goes(tmp_path: Path) -> None:
    config, secret, shop = tmp_path / "config.toml", tmp_path / "secret", Shop(secrets=(SECRET,))
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with shop.open() as url, SqliteState(tmp_path / "state.db", "company").open() as store:
        config.write_text(
            f'[precoro]\nregion = "us"\n[exports.shop]\nkind = "push"\nurl = "{url}"\nsecret_file = "secret"\n'
            'allowed_hosts = ["127.0.0.1"]\ncollections = ["invoices", "suppliers"]\n'
        )
        environ = {"PRECORO_TOKEN": "a-key-of-ours", "PRECORO_EMAIL": "a@example.org"}
        settings = await anyio.to_thread.run_sync(lambda: load(config, environ))
        await first(store)
        job = build_exports(settings, store, FixedClock())
        assert await job.due(T0)
        assert (await job.lap()).brought == 10
        assert {table for table, _ in shop.live} == {"invoices", "suppliers"}
