"""A real process is watched from outside: in good days, with a wrong key, through a reload, and to its end."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from anyio.abc import Process

from tests.system.program import NO_LIMITS, Program, finish, terminate
from tests.system.test_once import company, invoices_only

pytestmark = pytest.mark.asyncio


async def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer:
        return answer.status, await answer.text()


async def until(port: int, path: str, status: int, words: str = "") -> str:
    with anyio.fail_after(60):
        while True:
            try:
                found, text = await ask(port, path)
            except aiohttp.ClientConnectionError:
                found, text = 0, ""
            if found == status and words in text:
                return text
            await anyio.sleep(0.05)


@asynccontextmanager
async def watched(program: Program, port: int, **sections: Any) -> AsyncIterator[Process]:
    program.sections |= {
        "limits": NO_LIMITS,
        "mirror_collections": invoices_only(),
        "watch": {"listen": f"127.0.0.1:{port}"},
    } | sections
    async with program.running("run") as process:
        yield process


async def test_a_good_day_and_its_end(tmp_path: Path, unused_tcp_port: int) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 30}, limits=False) as (_, program):
        async with watched(program, unused_tcp_port, limits=NO_LIMITS | {"per_day": 500}) as process:
            await until(unused_tcp_port, "/readyz", 200)
            assert (await ask(unused_tcp_port, "/healthz"))[0] == 200
            await until(unused_tcp_port, "/metrics", 200, 'precoro_daemon_records{collection="invoices"} 30.0')
            page = await until(unused_tcp_port, "/", 200, "All is well")
            metrics = await until(unused_tcp_port, "/metrics", 200, 'route="/invoices/{id}"')
            assert 'precoro_daemon_log_lines_total{event="run_started",level="info"} 1.0' in metrics
            assert 'precoro_daemon_quota_limit{window="day"} 500.0' in metrics
            for secret in (program.token, program.email):
                assert secret not in page + metrics
            assert (await ask(unused_tcp_port, "/metrics", Host="evil.example.com"))[0] == 421
            done = await terminate(process, 20)
        assert (done.code, done.stderr) == (0, "")
        [told] = done.only("listening_started")
        assert told["address"] == f"127.0.0.1:{unused_tcp_port}"
        assert done.only("watch_exposed") == []


async def test_a_wrong_key_is_reported_without_showing_it(tmp_path: Path, unused_tcp_port: int) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 30}, limits=False) as (_, program):
        program.token = "a-secret-that-is-wrong"
        async with watched(program, unused_tcp_port):
            said = json.loads(await until(unused_tcp_port, "/readyz", 503, "cannot work"))
            assert said["reasons"][0].startswith("mirror_collections cannot work: ")
            assert "not yet mirrored: invoices" in said["reasons"]
            assert (await ask(unused_tcp_port, "/healthz"))[0] == 200
            page = await until(unused_tcp_port, "/", 200, "Precoro refuses the key")
            assert f"precoro-daemon --config {program.config} check" in page
            metrics = await until(unused_tcp_port, "/metrics", 200, 'route="/invoices"')
            assert 'outcome="401"' in metrics
            assert program.token not in page + metrics + str(said)


async def test_a_reload_moves_the_socket_and_keeps_the_counters(tmp_path: Path, unused_tcp_port_factory: Any) -> None:
    first, second = unused_tcp_port_factory(), unused_tcp_port_factory()
    async with company(tmp_path, size="empty", counts={"invoices": 30}, limits=False) as (_, program):
        async with watched(program, first) as process:
            await until(first, "/readyz", 200)
            await until(first, "/metrics", 200, 'route="/invoices/{id}"')
            program.sections["watch"] = {"listen": f"0.0.0.0:{second}"}
            program.write()
            process.send_signal(signal.SIGHUP)
            metrics = await until(second, "/metrics", 200, "precoro_daemon_reloads_total 1.0")
            assert 'route="/invoices/{id}"' in metrics
            with pytest.raises(aiohttp.ClientConnectionError):
                await ask(first, "/healthz")
            done = await terminate(process, 20)
        assert len(done.only("listening_started")) == 2
        assert len(done.only("watch_exposed")) == 1


async def test_a_taken_port_is_refused_at_the_start_and_at_a_reload(tmp_path: Path, unused_tcp_port: int) -> None:
    async with (
        company(tmp_path, size="empty", counts={"invoices": 3}, limits=False) as (_, program),
        await anyio.create_tcp_listener(local_host="127.0.0.1") as other,
    ):
        taken = other.extra(anyio.abc.SocketAttribute.local_port)
        async with watched(program, taken) as process:
            done = await finish(process, 30)
        said = f"cannot listen on 127.0.0.1:{taken}: another program, or another instance, listens there already"
        assert (done.code, done.stderr) == (1, f"precoro-daemon: {said}\n")
        async with watched(program, unused_tcp_port) as process:
            await until(unused_tcp_port, "/readyz", 200)
            program.sections["watch"] = {"listen": f"127.0.0.1:{taken}"}
            program.write()
            process.send_signal(signal.SIGHUP)
            await until(unused_tcp_port, "/metrics", 200, 'event="reload_refused"')
            program.sections["watch"] = {"listen": f"127.0.0.1:{unused_tcp_port}"}
            program.write()
            process.send_signal(signal.SIGHUP)
            await until(unused_tcp_port, "/metrics", 200, 'event="reloaded"')
            done = await terminate(process, 20)
        assert [told["reason"] for told in done.only("reload_refused")] == [said]


async def test_while_it_ends_it_is_not_ready(tmp_path: Path, unused_tcp_port: int) -> None:
    async with (
        company(tmp_path, size="empty", counts={"invoices": 3}, limits=False) as (sandbox, program),
        watched(program, unused_tcp_port) as process,
    ):
        await until(unused_tcp_port, "/readyz", 200)
        sandbox.faults.add("slow", path="^/invoices", times=None, seconds=4)
        program.sections["mirror_collections"] = invoices_only(every="1s")
        program.write()
        process.send_signal(signal.SIGHUP)
        with anyio.fail_after(60):
            while not [rule for rule in sandbox.faults.rules if rule.struck]:  # noqa: ASYNC110
                await anyio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        await until(unused_tcp_port, "/readyz", 503, "the program is stopping")
        assert (await ask(unused_tcp_port, "/healthz"))[0] == 200
        assert (await finish(process, 20)).code == 0
