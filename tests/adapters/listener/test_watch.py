"""Health, readiness and manners of the socket, over real connections, some of them hostile."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from precoro_daemon.adapters.listener.metrics import families
from precoro_daemon.adapters.listener.page import page
from precoro_daemon.adapters.listener.watch import Gatekeeper
from precoro_daemon.errors import ConnectionFault, ListenerUnusable
from precoro_daemon.status.snapshot import CollectionStatus, Snapshot
from precoro_daemon.values.addresses import Address
from tests.adapters.listener.watching import watching
from tests.status.snapshots import quiet, troubled

pytestmark = pytest.mark.asyncio

PATHS = ("/", "/healthz", "/readyz", "/metrics")


def without_state(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, stored=None, unreadable="The state x.db is damaged")


async def test_all_is_well() -> None:
    async with watching(quiet()) as post:
        for path in PATHS:
            assert (await post.ask(path)).status == 200
        assert json.loads((await post.ask("/healthz")).text) == {"healthy": True, "reasons": []}
        assert json.loads((await post.ask("/readyz")).text) == {"ready": True, "reasons": []}


async def test_a_stuck_lap_is_neither_healthy_nor_ready() -> None:
    async with watching(troubled()) as post:
        health = await post.ask("/healthz")
        assert (health.status, json.loads(health.text)["reasons"]) == (
            503, ["fetch_attachments has given no sign of life for 32 min"],
        )  # fmt: skip
        reasons = json.loads((await post.ask("/readyz")).text)["reasons"]
        assert reasons == [
            "fetch_attachments has given no sign of life for 32 min",
            "mirror_collections cannot work: GET /invoices: Precoro answered 401; token, e-mail or region is wrong",
            "mark_invoices_paid cannot work: the books have no table payments",
            "not yet mirrored: invoices, receipts",
        ]


async def test_a_state_that_can_no_longer_be_read_is_not_ready_though_it_once_could() -> None:
    async with watching(replace(quiet(), unreadable="The disk of the state x.db fails")) as post:
        ready = await post.ask("/readyz")
        assert ready.status == 503
        assert json.loads(ready.text)["reasons"] == ["The disk of the state x.db fails"]
        assert (await post.ask("/healthz")).status == 200


async def test_what_a_restart_does_not_mend_leaves_it_healthy() -> None:
    snapshot = without_state(quiet())
    snapshot.pulse.jobs[0].trouble = ConnectionFault("no route to host")
    async with watching(snapshot) as post:
        assert (await post.ask("/healthz")).status == 200
        ready = await post.ask("/readyz")
        assert (ready.status, json.loads(ready.text)["reasons"]) == (503, ["The state x.db is damaged"])
        assert (await post.ask("/metrics")).status == 200
        assert "The state cannot be read" in (await post.ask("/")).text


async def test_stopping_is_not_ready_and_a_new_list_is_named() -> None:
    snapshot = quiet()
    snapshot.pulse.stopping = True
    assert snapshot.stored is not None
    stored = replace(snapshot.stored, collections=[*snapshot.stored.collections, CollectionStatus("contracts")])
    async with watching(replace(snapshot, stored=stored)) as post:
        assert (await post.ask("/healthz")).status == 200
        reasons = json.loads((await post.ask("/readyz")).text)["reasons"]
        assert reasons == ["the program is stopping", "not yet mirrored: contracts"]


async def test_payments_that_wait_for_a_person_are_no_obstacle() -> None:
    calm, busy = quiet(), troubled().stored
    assert calm.stored is not None
    assert busy is not None
    stored = replace(
        calm.stored, payments=busy.payments, quarantined=busy.quarantined, quarantined_counts=busy.quarantined_counts
    )
    async with watching(replace(calm, stored=stored)) as post:
        assert (await post.ask("/readyz")).status == 200


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
async def test_every_answer_forbids_what_a_page_could_do(path: str) -> None:
    async with watching(troubled()) as post:
        seen = await post.ask(path)
    policy = seen.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert seen.headers["Cache-Control"] == "no-store"
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert "aiohttp" not in seen.headers["Server"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_nobody_can_do_anything_but_look(method: str) -> None:
    async with watching(quiet()) as post:
        seen = await post.ask("/", method)
        assert (seen.status, seen.headers["Allow"]) == (405, "GET, HEAD")


async def test_head_has_no_body() -> None:
    async with watching(quiet()) as post:
        seen = await post.ask("/", "HEAD")
        assert (seen.status, seen.text) == (200, "")
        assert (await post.ask("/nothing")).status == 404


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("127.0.0.1:9470", True),
        ("[::1]:9470", True),
        ("10.2.3.4", True),
        ("localhost:9470", True),
        ("LOCALHOST", True),
        ("precoro:9470", True),
        ("watch.example.com:1234", True),
        ("", True),
        ("evil.example.com", False),
        ("evil.example.com:9470", False),
        ("localhost.evil.example.com", False),
        ("127.0.0.1.evil.example.com", False),
        ("precoro.evil.example.com", False),
        ("[::1", False),
        ("user@evil.example.com", False),
        ("other:9999", False),
    ],
)
async def test_only_names_that_are_known(host: str, admitted: bool) -> None:
    assert Gatekeeper(("precoro", "watch.example.com:1234")).admits(host) == admitted


async def test_a_strange_name_sees_nothing_anywhere(tmp_path: Path) -> None:
    async with watching(troubled(), hosts=("known.example.com",)) as post:
        for path in PATHS:
            seen = await post.ask(path, Host="evil.example.com")
            assert (seen.status, "hosts in [watch]" in seen.text, len(seen.text) < 100) == (421, True, True)
        assert (await post.ask("/", Host="known.example.com:80")).status == 200


async def test_a_socket_file_is_served_whatever_the_name(tmp_path: Path) -> None:
    async with watching(quiet(), tmp_path / "watch.sock") as post:
        assert (await post.ask("/healthz", Host="whoever")).status == 200
        assert (tmp_path / "watch.sock").stat().st_mode & 0o007 == 0
    assert not (tmp_path / "watch.sock").exists()


async def test_a_port_that_is_taken_is_told_in_words() -> None:
    async with watching(quiet()) as post:
        with pytest.raises(ListenerUnusable, match="another program, or another instance, listens there already"):
            async with watching(quiet(), str(post.address)):
                pass


async def raw(address: Address, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(sent)
        await writer.drain()
        return await reader.read(200)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_large_and_broken_requests_are_refused_and_the_next_one_is_answered() -> None:
    async with watching(quiet()) as post:
        for sent in (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        ):
            assert (await raw(post.address, sent))[:12] in (b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 421", b"")
        assert (await post.ask("/healthz")).status == 200


async def test_a_thousand_connections_that_say_nothing_do_not_stop_the_loop_and_pass() -> None:
    async with watching(quiet()) as post:
        open_ones = [await asyncio.open_connection(post.address.host, post.address.port) for _ in range(1000)]
        busy = 0.0
        for _ in range(20):
            begun = time.thread_time()
            await anyio.sleep(0.01)
            busy = max(busy, time.thread_time() - begun)
        for _, writer in open_ones:
            writer.close()
        assert busy < 0.25
        await anyio.sleep(0.1)
        assert (await post.ask("/healthz")).status == 200


async def test_a_client_that_speaks_slowly_is_cut_off_and_makes_room() -> None:
    async with watching(quiet(), life=2.0) as post:
        slow = [await asyncio.open_connection(post.address.host, post.address.port) for _ in range(64)]
        for _, writer in slow:
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        await asyncio.sleep(0.1)
        assert await raw(post.address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
        with anyio.fail_after(60):
            for reader, writer in slow:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
        assert (await post.ask("/healthz")).status == 200


async def test_who_asks_for_nothing_makes_room_for_who_does() -> None:
    """Long before its time is over; but not at once, as a flood of requests would break itself off."""
    async with watching(quiet(), life=120.0) as post:
        slow = [await asyncio.open_connection(post.address.host, post.address.port) for _ in range(64)]
        for _, writer in slow:
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        with anyio.fail_after(30):
            while not (said := await raw(post.address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")):  # noqa: ASYNC110 - only asking tells
                await anyio.sleep(0.05)
        assert said.startswith(b"HTTP/1.1 200")
        for _, writer in slow:
            writer.close()


@pytest.mark.parametrize(
    "sent", [b"garbage\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"A" * 9_000]
)
async def test_what_cannot_be_read_is_answered_without_a_word_of_what_reads_it(sent: bytes) -> None:
    async with watching(quiet()) as post:
        said = await raw(post.address, sent)
        page_seen = await post.ask("/nowhere")
    assert said.startswith((b"HTTP/1.1 400 Bad Request", b"HTTP/1.0 400 Bad Request"))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"Server: precoro-daemon" in head
    assert body == b"Bad Request\n"
    assert not {name for name in (b"aiohttp", b"python") if name in said.lower()}
    assert page_seen.headers["Server"] == "precoro-daemon"


async def test_a_page_is_made_quickly() -> None:
    """Nothing else runs meanwhile."""
    snapshot = troubled()
    begun = time.process_time()
    for _ in range(10):
        page(snapshot)
        families(snapshot)
    assert (time.process_time() - begun) / 10 < 0.05
