"""Webhooks over real sockets into a real store: every answer, every bound, and nothing answered that is not kept."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import anyio
import pytest
from aiohttp import web

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.listener.webhooks import Reception, webhooks
from precoro_daemon.adapters.state.deliveries import SqlDeliveries
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import ListenerUnusable, StoreUnusable
from precoro_daemon.mirror.ports.deliveries import Delivery
from precoro_daemon.values.addresses import Address, read_address
from tests.system.program import ROOT

pytestmark = pytest.mark.asyncio

SECRET = "0123456789abcdef0123456789abcdef"
FORMER = "fedcba9876543210fedcba9876543210"
LATER = 1e12


@dataclass
class House:
    deliveries: SqlDeliveries
    address: Address
    reception: Reception
    woken: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def post(self, body: object, path: str = SECRET, method: str = "POST") -> int:
        data = body if isinstance(body, bytes) else json.dumps(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}/{path}", data=data) as told,
        ):
            return told.status

    async def kept(self) -> set[tuple[int, int, int | None]]:
        return {(one.type, one.id, one.idn) for one in await self.deliveries.due(now=LATER, limit=99_999)}


@asynccontextmanager
async def house(
    tmp_path: Path, listen: str = "127.0.0.1:0", secrets: Sequence[str] = (SECRET,), patience: float = 15.0
) -> AsyncIterator[House]:
    woken: list[int] = []
    async with SqliteState(tmp_path / "state.db", "company").open() as store:
        reception = Reception(secrets, store.deliveries, RealClock(), lambda: woken.append(1), patience=patience)
        async with webhooks(reception, read_address(listen)) as address:
            yield House(store.deliveries, address, reception, woken)


INVOICE = {"id": 123456, "type": 3, "action": 1, "idn": 5}


async def test_a_webhook_is_kept_before_it_is_answered_and_somebody_is_woken(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        assert await there.post(INVOICE) == 204
        assert await there.kept() == {(3, 123456, 5)}
        assert there.woken


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (INVOICE, 204),
        ({"id": "123456", "type": "3", "idn": "5"}, 204),
        ({"id": 1, "type": 7, "idn": None}, 204),
        ({"id": 1, "type": 99}, 202),
        ({"type": 3}, 400),
        ({"id": 1}, 400),
        ({"id": True, "type": 3}, 400),
        ({"id": -1, "type": 3}, 400),
        ({"id": 1.5, "type": 3}, 400),
        ({"id": 10**30, "type": 3}, 400),
        ([1, 2], 400),
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 4000, 400),
        (b"x" * 4097, 413),
        (b" " * 100_000, 413),
    ],
)
async def test_every_body_has_its_answer(tmp_path: Path, body: object, status: int) -> None:
    async with house(tmp_path) as there:
        assert await there.post(body) == status
        assert len(await there.kept()) == (status == 204)
        assert there.reception.answers == {status: 1}


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("", "POST", 404),
        (SECRET[:-1], "POST", 404),
        (f"{SECRET}x", "POST", 404),
        (f"{SECRET}/", "POST", 404),
        (SECRET.upper(), "POST", 404),
        (f"x/{SECRET}", "POST", 404),
        ("%00", "POST", 404),
        (SECRET, "GET", 405),
        (SECRET, "PUT", 405),
        ("nowhere", "GET", 404),
        (f"{SECRET}?x=1", "POST", 204),
    ],
)
async def test_only_the_whole_secret_opens(tmp_path: Path, path: str, method: str, status: int) -> None:
    async with house(tmp_path) as there:
        assert await there.post(INVOICE, path, method) == status


async def test_two_secrets_are_valid_while_one_replaces_the_other(tmp_path: Path) -> None:
    async with house(tmp_path, secrets=(SECRET, FORMER)) as there:
        assert await there.post(INVOICE, FORMER) == 204
        assert await there.post(INVOICE, SECRET) == 204
    async with house(tmp_path) as there:
        assert await there.post(INVOICE, FORMER) == 404


async def test_a_unix_socket_serves_as_well_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "hooks.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with house(tmp_path, f"unix:{path}"):
        connector = aiohttp.UnixConnector(str(path))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://precoro/{SECRET}", json=INVOICE) as told,
        ):
            assert told.status == 204
        assert path.stat().st_mode & 0o777 == 0o660
        with pytest.raises(ListenerUnusable, match="listens there already"):
            async with house(tmp_path / "..", f"unix:{path}"):
                pass
    assert not path.exists()


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("unix:/nowhere/at/all.sock", "the socket's directory does not exist"),
        ("203.0.113.7:8470", "this machine has no such address"),
    ],
)
async def test_where_nobody_can_listen_is_one_sentence(tmp_path: Path, listen: str, reason: str) -> None:
    with pytest.raises(ListenerUnusable, match=reason):
        async with house(tmp_path, listen):
            pass


async def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        with pytest.raises(ListenerUnusable, match="listens there already"):
            async with house(tmp_path / "..", str(there.address)):
                pass


async def test_a_hundred_megabytes_are_refused_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        reader, writer = await _connect(there)
        writer.write(b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n" % SECRET.encode())
        with anyio.fail_after(60):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413"), "before any of them was sent"
        writer.close()


async def test_an_endless_body_in_chunks_is_read_no_further_than_it_may_be(tmp_path: Path) -> None:
    """However slow the machine is, its size ends it, not its duration."""
    async with house(tmp_path, patience=600) as there:
        reader, writer = await _connect(there)
        writer.write(b"POST /%b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % SECRET.encode())
        sent = 0
        with anyio.fail_after(60):
            with suppress(ConnectionError):
                while sent < 200 * 2**20:
                    writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
                    sent += 4096
                    await writer.drain()
            with suppress(ConnectionError):
                assert (await reader.readline())[:12] in {b"HTTP/1.1 413", b""}
        writer.close()
        assert await there.kept() == set()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POS",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A",
        b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n{",
        b"POST /%b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{",
    ],
)
async def test_who_is_slow_is_cut_off(tmp_path: Path, beginning: bytes) -> None:
    async with house(tmp_path, patience=0.5) as there:
        reader, writer = await _connect(there)
        writer.write(beginning.replace(b"%b", SECRET.encode()))
        with anyio.fail_after(60):
            with suppress(ConnectionError):
                while await reader.read(1000):
                    """Until it is over."""
        writer.close()
        assert await there.post(INVOICE) == 204


async def test_a_thousand_connections_that_say_nothing_keep_nobody_out_for_long(tmp_path: Path) -> None:
    async with house(tmp_path, patience=1.0) as there:
        idle = [await _connect(there) for _ in range(1000)]
        with anyio.fail_after(60):
            while True:
                try:
                    assert await there.post(INVOICE) == 204
                    break
                except aiohttp.ClientError:
                    await anyio.sleep(0.1)
        for _, writer in idle:
            writer.close()


async def test_more_records_than_may_wait_are_refused_and_known_ones_are_not(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        refused = await there.deliveries.note([Delivery(3, number) for number in range(10_000)], at=1.0)
        assert not refused
        assert await there.post({"id": 10_001, "type": 3}) == 503
        assert await there.post({"id": 5, "type": 3}) == 204


async def test_what_is_told_twice_at_once_is_refused_twice_or_kept_with_its_number(tmp_path: Path) -> None:
    """Both stand in one transaction, where they are one record."""

    class Gathering:
        def __init__(self, inner: SqlDeliveries) -> None:
            self.inner = inner

        async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
            await anyio.sleep(0.2)
            return await self.inner.note(batch, at=at)

    async with SqliteState(tmp_path / "state.db", "company").open() as store:
        reception = Reception([SECRET], Gathering(store.deliveries), RealClock(), lambda: None)  # type: ignore[arg-type]
        async with webhooks(reception, Address("127.0.0.1")) as address:
            there = House(store.deliveries, address, reception)

            async def together(*bodies: dict[str, int]) -> list[int]:
                statuses: list[int] = []

                async def one(delay: float, body: dict[str, int]) -> None:
                    await anyio.sleep(delay)
                    statuses.append(await there.post(body))

                async with anyio.create_task_group() as group:
                    group.start_soon(one, 0.0, {"id": 5, "type": 7})  # what follows waits while this one is kept
                    for number, body in enumerate(bodies):
                        group.start_soon(one, 0.06 + number / 50, body)
                return statuses

            assert await together({"id": 1, "type": 3, "idn": 11}, {"id": 1, "type": 3}) == [204] * 3
            assert (3, 1, 11) in await there.kept()
            await store.deliveries.note([Delivery(2, number) for number in range(9_998)], at=1.0)
            duplicates = ({"id": 2, "type": 3, "idn": 7}, {"id": 2, "type": 3, "idn": 8})
            assert sorted(await together(*duplicates)) == [204, 503, 503]


@pytest.mark.parametrize(
    ("beginning", "rest", "status"),
    [
        (b"\x16\x03\x01 a greeting of TLS\r\n\r\n", b"", 400),
        (b"GET /%b HTTP/9.9\r\n\r\n", b"", 400),
        (b"POST /\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"", 400),
        (b"POST /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"", 400),
        (b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n", b"{}", 400),
        (b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Encoding: nonsense\r\nContent-Length: 2\r\n\r\n", b"{}", 400),
        (b"POST /%b HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 2\r\n\r\n", b"{}", 417),
    ],
)
async def test_what_is_no_request_is_no_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, beginning: bytes, rest: bytes, status: int
) -> None:
    async with house(tmp_path) as there:
        reader, writer = await _connect(there)
        writer.write(beginning.replace(b"%b", SECRET.encode()))
        await anyio.sleep(0.05)
        writer.write(rest)
        with anyio.fail_after(60):
            assert (await reader.readline()).split()[1] == b"%d" % status
        writer.close()
        assert await there.kept() == set()
    assert caplog.records == []


async def test_a_connection_that_is_over_is_forgotten_at_once(tmp_path: Path) -> None:
    """In a flood there are thousands of them before the first would have been cut off."""
    async with house(tmp_path, patience=1.0) as there:
        for _ in range(100):
            assert await there.post(INVOICE) == 204
        await anyio.sleep(0.2)
        gc.collect()
        held = sum(isinstance(one, web.RequestHandler) for one in gc.get_objects())
        assert held < 10


async def test_a_flood_costs_little_memory_and_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    """A short one, and longer where others work too; `make bench ONLY=deliveries` is a minute long. In it each record
    is named many times."""
    told: Counter[str] = Counter()
    async with house(tmp_path) as there:
        await _flooded(there, 0.5)
        before = await _resident()
        for _ in range(20):
            told.update(await _flooded(there, 1.5))
            if told["204"] > 100:
                break
        assert await _resident() - before < 16
        kept = await there.kept()
    assert set(told) <= {"offered", "", "204", "202", "503"}
    assert told["204"] > 100
    assert len(kept) == 10_000 if "503" in told else len(kept) <= 10_000


async def _flooded(there: House, seconds: float) -> dict[str, int]:
    command = [
        sys.executable,
        "-m",
        "tests.adapters.listener.flooding",
        str(there.address.port),
        SECRET,
        str(seconds),
        "10000",
    ]
    told: dict[str, int] = json.loads((await anyio.run_process(command, cwd=ROOT)).stdout)
    return told


async def _resident() -> float:
    """Megabytes."""
    pages = (await anyio.Path("/proc/self/statm").read_text()).split()[1]
    return int(pages) * resource.getpagesize() / 2**20


async def test_what_cannot_be_kept_is_not_accepted(tmp_path: Path) -> None:
    class Full:
        async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
            raise StoreUnusable("the disk is full")

    reception = Reception([SECRET], Full(), RealClock(), lambda: None)  # type: ignore[arg-type]
    async with webhooks(reception, Address("127.0.0.1")) as address:
        there = House(None, address, reception)  # type: ignore[arg-type]
        assert [await there.post(INVOICE) for _ in range(3)] == [503] * 3


async def test_while_nothing_can_be_kept_it_gives_no_sign_of_life(tmp_path: Path) -> None:
    class Hung:
        async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
            await anyio.sleep_forever()
            return ()

    reception = Reception([SECRET], Hung(), RealClock(), lambda: None, patience=0.5)  # type: ignore[arg-type]
    async with webhooks(reception, Address("127.0.0.1")) as address:
        there = House(None, address, reception)  # type: ignore[arg-type]
        assert reception.pulse.running_since is None
        with pytest.raises(aiohttp.ClientError):
            await there.post(INVOICE)
        assert reception.pulse.running_since is not None, "it has been at it since then"


async def test_requests_that_come_together_are_kept_together(tmp_path: Path) -> None:
    class Slow:
        def __init__(self, inner: SqlDeliveries) -> None:
            self.inner = inner
            self.batches: list[int] = []

        async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
            self.batches.append(len(batch))
            await anyio.sleep(0.1)
            return await self.inner.note(batch, at=at)

    async with SqliteState(tmp_path / "state.db", "company").open() as store:
        slow = Slow(store.deliveries)
        reception = Reception([SECRET], slow, RealClock(), lambda: None)  # type: ignore[arg-type]
        async with webhooks(reception, Address("127.0.0.1")) as address:
            there = House(store.deliveries, address, reception)
            statuses: list[int] = []

            async def one(number: int) -> None:
                statuses.append(await there.post({"id": number % 40, "type": 3}))

            async with anyio.create_task_group() as group:
                for number in range(120):
                    group.start_soon(one, number)
        assert statuses == [204] * 120
        assert len(slow.batches) < 12
        assert len(await store.deliveries.due(now=LATER, limit=999)) == 40


async def _connect(there: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(there.address.host, there.address.port)
