"""The real service and webhooks: killed right after an answer, secrets changed while it runs, some lost, repeated and
late."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.webhooks import Webhook
from tests.mirror.comparing import differences, truth_of
from tests.system.program import NO_LIMITS, Program, finish

pytestmark = pytest.mark.asyncio

SECRET, FORMER = "a-new-secret-of-many-letters", "the-old-secret-of-many-letters"
OPTIONS = SandboxOptions(size="empty", counts={"invoices": 40, "suppliers": 10}, limits=False)


def hooked(directory: Path, sandbox: Sandbox, port: int, **lists: Any) -> Program:
    program = Program(directory, sandbox.url)
    _write_secret(directory / "secret", SECRET)
    program.sections = {
        "limits": NO_LIMITS,
        "mirror_collections": {"collections": ["invoices", "suppliers"]} | lists,
        "apply_deliveries": {"listen": f"127.0.0.1:{port}", "secret_file": str(directory / "secret")},
    }
    return program


async def test_killed_right_after_its_answer_it_has_what_it_accepted(tmp_path: Path, unused_tcp_port: int) -> None:
    async with serve(OPTIONS) as sandbox:
        program = hooked(tmp_path, sandbox, unused_tcp_port)
        for number in range(4):
            async with program.running("run") as process:
                await _until(lambda: _answers(unused_tcp_port))
                status = await _post(unused_tcp_port, SECRET, 9_000_000 + number)
                process.kill()
                await process.wait()
            assert status == 204
            kept = await anyio.to_thread.run_sync(program.query, "SELECT id FROM deliveries")
            assert 9_000_000 + number in {row["id"] for row in kept}


async def test_a_secret_is_changed_while_it_runs(tmp_path: Path, unused_tcp_port: int) -> None:
    async with serve(OPTIONS) as sandbox:
        program = hooked(tmp_path, sandbox, unused_tcp_port)
        _write_secret(tmp_path / "secret", FORMER)
        async with program.running("run") as process:
            await _until(lambda: _answers(unused_tcp_port))
            assert await _statuses(unused_tcp_port) == (404, 204)
            _write_secret(tmp_path / "former", FORMER)
            _write_secret(tmp_path / "secret", SECRET)
            section = program.sections["apply_deliveries"]
            section["previous_secret_file"] = str(tmp_path / "former")
            await _reload(program, process.pid, unused_tcp_port, (204, 204))
            del section["previous_secret_file"]
            await _reload(program, process.pid, unused_tcp_port, (204, 404))
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
        assert done.code == 0
        assert SECRET not in done.stdout
        assert FORMER not in done.stdout


async def test_a_change_that_is_announced_is_in_the_mirror_at_once(tmp_path: Path, unused_tcp_port: int) -> None:
    async with serve(OPTIONS) as sandbox:
        program = hooked(tmp_path, sandbox, unused_tcp_port, every="1h")
        async with program.running("run") as process:
            await _until(lambda: _true(program, "SELECT count(*) = 40 FROM details WHERE collection = 'invoices'"))
            sandbox.company.webhooks.add(url=f"http://127.0.0.1:{unused_tcp_port}/{SECRET}")
            row = next(iter(sandbox.company["invoices"]))
            sandbox.company.edit(row, note="announced")
            seen = f"SELECT count(*) FROM details WHERE id = {row.id} AND data LIKE '%announced%'"
            await _until(lambda: _true(program, seen), within=30)
            process.send_signal(signal.SIGTERM)
            assert (await finish(process)).code == 0
        told = json.loads((await program.run("status", "--json")).stdout)["webhooks"]
        assert told["received"] >= 1
        assert told["waiting"] == told["unheard"] == 0
        shown = await program.run("status")
        assert f"Webhooks: {told['received']} came, the last" in shown.stdout
        assert SECRET not in shown.stdout


async def test_the_address_to_enter_is_told_on_demand_alone(tmp_path: Path) -> None:
    async with serve(OPTIONS) as sandbox:
        program = hooked(tmp_path, sandbox, 8470)
        program.sections["apply_deliveries"]["public_url"] = "https://hooks.example.com/precoro/"
        told = await program.run("status", "--webhook-url")
        assert (told.code, told.stdout) == (0, f"https://hooks.example.com/precoro/{SECRET}\n")
        del program.sections["apply_deliveries"]["public_url"]
        assert (await program.run("status", "--webhook-url")).stdout == f"https://<your proxy>/{SECRET}\n"
        assert (await program.once()).code == 0
        shown = await program.run("status")
        assert "none came yet" in shown.stdout
        assert SECRET not in shown.stdout
        del program.sections["apply_deliveries"]
        told = await program.run("status", "--webhook-url")
        assert told.code == 2
        assert "does not listen anywhere" in told.stderr


@pytest.mark.parametrize("hook", [Webhook("", lose=0.3, repeat=0.5, delay=0.3), Webhook("", lose=1.0)])
async def test_lost_repeated_and_late_ones_change_nothing_in_the_end(
    tmp_path: Path, unused_tcp_port: int, hook: Webhook
) -> None:
    async with serve(OPTIONS) as sandbox:
        program = hooked(tmp_path, sandbox, unused_tcp_port, every="2s")
        hook.url = f"http://127.0.0.1:{unused_tcp_port}/{SECRET}"
        sandbox.company.webhooks.hooks.append(hook)
        async with program.running("run") as process:
            await _until(lambda: _answers(unused_tcp_port))
            sandbox.tune(busy=1200)
            if hook.lose < 1:
                await _until(lambda: _true(program, "SELECT sum(received) > 20 FROM deliveries"))
            await anyio.sleep(3)
            sandbox.tune(busy=0)
            await anyio.sleep(1)
            process.send_signal(signal.SIGTERM)
            assert (await finish(process)).code == 0
        for _ in range(2):
            done = await program.once()
        assert done.code in {0, 3}
        names = ("invoices", "suppliers")
        truths = {name: truth_of(sandbox, name, details=name == "invoices") for name in names}
        found = await anyio.to_thread.run_sync(lambda: differences(program.state, truths, counted=False))
        assert found == []


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret)


async def _post(port: int, secret: str, id_: int = 9_000_000) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/{secret}", json={"id": id_, "type": 3, "action": 1, "idn": 1}) as told,
    ):
        return told.status


async def _statuses(port: int) -> tuple[int, int]:
    """With the new secret, and with the former."""
    return await _post(port, SECRET), await _post(port, FORMER)


async def _answers(port: int) -> bool:
    try:
        return await _post(port, "nonsense") == 404
    except aiohttp.ClientError:
        return False


async def _reload(program: Program, pid: int, port: int, wanted: tuple[int, int]) -> None:
    program.write()
    os.kill(pid, signal.SIGHUP)

    async def taken_over() -> bool:
        try:
            return await _statuses(port) == wanted
        except aiohttp.ClientError:
            return False

    await _until(taken_over)


async def _until(true: Callable[[], Awaitable[bool]], within: float = 60) -> None:
    with anyio.fail_after(within):
        while not await true():  # noqa: ASYNC110 - it is another process
            await anyio.sleep(0.05)


async def _true(program: Program, sql: str) -> bool:
    try:
        return bool((await anyio.to_thread.run_sync(program.query, sql))[0][0])
    except sqlite3.OperationalError:  # it is not there yet
        return False
