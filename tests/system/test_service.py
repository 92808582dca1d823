"""The real service, end to end: stopped at random moments, held by one, its quota used up, reloaded, schedules that
cannot be met, and secrets that stand nowhere."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.sandbox import SandboxOptions, serve
from tests.system.floods import ENOUGH, flood
from tests.system.program import NO_LIMITS, Program, finish
from tests.system.stopping import stop_at_random

pytestmark = pytest.mark.asyncio


async def test_stopped_at_random_moments_it_ends_in_time_and_harms_nothing(tmp_path: Path) -> None:
    took = await stop_at_random(tmp_path, seed=1, times=3)
    assert max(took) < 20


async def test_a_second_service_on_one_state_ends_and_names_the_holder(tmp_path: Path) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 30}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"limits": NO_LIMITS})
        async with program.running("run") as first:
            await _until(program, "SELECT count(*) FROM laps")
            second = await program.run("run")
            assert second.code == 7
            assert f"is held by process {first.pid} on" in second.stderr
            first.send_signal(signal.SIGTERM)
            assert (await finish(first)).code == 0


@pytest.mark.parametrize(
    ("first", "next_ones", "code"),
    [
        (signal.SIGTERM, signal.SIGHUP, 0),
        (signal.SIGTERM, signal.SIGTERM, 0),
        (signal.SIGTERM, signal.SIGINT, 0),
        (signal.SIGINT, signal.SIGTERM, 130),
    ],
)
async def test_signals_in_its_last_moments_leave_it_its_exit_code(
    tmp_path: Path, first: signal.Signals, next_ones: signal.Signals, code: int
) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 3}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"limits": NO_LIMITS})
        async with program.running("run") as process:
            await _until(program, "SELECT count(*) FROM laps")
            process.send_signal(first)
            with anyio.fail_after(60):
                await _heard(process)  # where it is given no time, those that follow could overtake it
                while process.returncode is None:
                    await anyio.sleep(0.03)
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, next_ones)  # `send_signal` looks first, and may see the end in our place
            assert process.returncode == code


@pytest.mark.waits
async def test_a_flood_of_webhooks_costs_little_memory_and_holds_up_neither_lists_nor_payments(
    tmp_path: Path,
) -> None:
    """A short one; `make bench ONLY=deliveries` is a minute long."""
    flooded = await flood(tmp_path, seconds=5, rate=2_000, most=60)
    assert flooded.told["offered"] > 3_000, flooded
    assert flooded.told["204"] > ENOUGH, flooded
    assert flooded.peak - flooded.rest < 32, flooded
    assert flooded.pause < 18, flooded
    assert flooded.paid > 0, flooded
    assert flooded.twice == 0, flooded
    assert flooded.code == 0, flooded


async def test_a_reload_takes_over_what_can_change_and_refuses_the_rest_by_name(tmp_path: Path) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 30, "suppliers": 5}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url)
        program.sections = {"limits": NO_LIMITS, "mirror_collections": {"collections": ["invoices"]}}
        async with program.running("run") as process:
            await _until(program, "SELECT count(*) FROM laps")
            program.sections["state"] = {"url": f"sqlite:///{tmp_path / 'other.db'}"}
            program.sections["log"] = {"level": "error"}
            await _reload(program, process.pid)
            program.sections["state"] = program.sections["log"] = {}
            program.sections["mirror_collections"] = {"collections": ["invoices", "nonsense"]}
            await _reload(program, process.pid)
            program.sections["mirror_collections"] = {"collections": ["invoices", "suppliers"]}
            await _reload(program, process.pid)
            await _until(program, "SELECT count(*) FROM records WHERE collection = 'suppliers'", timeout=60)
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
    assert (done.code, done.stderr) == (0, "")
    refused = [line["reason"] for line in done.only("reload_refused")]
    assert len(refused) == 2
    assert "state.url cannot change while the program runs" in refused[0]
    assert "nonsense" in refused[1]
    assert len(done.only("reloaded")) == 1
    assert len(done.only("signal_received")) == 4, "what is refused changes nothing, the log neither"


async def test_reloads_that_cannot_be_used_leave_the_service_as_it_was(tmp_path: Path, unused_tcp_port: int) -> None:
    """Two of them while a call is still in flight, and one in the first moments of the process."""
    options = SandboxOptions(size="empty", counts={"invoices": 30}, limits=False, latency=2.0)
    async with serve(options) as sandbox:
        program = Program(tmp_path, sandbox.url)
        watch = f"unix:{tmp_path}/watch.sock"
        program.sections = {
            "limits": NO_LIMITS,
            "mirror_collections": {"collections": ["invoices"], "every": "1s"},
            "watch": {"listen": watch},
        }
        with closing(socket.create_server(("127.0.0.1", unused_tcp_port))):
            async with program.running("run") as process:
                with anyio.fail_after(60):
                    while not await anyio.Path(tmp_path / "state.db.lock").exists():  # noqa: ASYNC110 - another process makes it
                        await anyio.sleep(0.005)
                process.send_signal(signal.SIGHUP)
                await _until(program, "SELECT count(*) FROM laps", timeout=60)
                program.sections["watch"] = {"listen": f"127.0.0.1:{unused_tcp_port}"}
                await _reload(program, process.pid)
                await _reload(program, process.pid)
                await _listening(f"{tmp_path}/watch.sock", "precoro_daemon_reload_refused 1")
                process.send_signal(signal.SIGTERM)
                done = await finish(process)
    assert (done.code, done.stderr) == (0, "")
    assert "another program" in done.only("reload_refused")[-1]["reason"]


async def test_a_state_that_a_shell_has_locked_is_waited_for_and_then_left_to_a_later_start(tmp_path: Path) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 3}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"limits": NO_LIMITS})
        assert (await program.once()).code == 0
        shell = sqlite3.connect(program.state, isolation_level=None)
        with closing(shell):
            shell.execute("BEGIN IMMEDIATE")
            shell.execute("PRAGMA user_version = 1")
            done = await program.run("run")
        assert done.code == 1, "after 4 a service manager would not start it again"
        assert "Another program has locked the state" in done.stderr


@pytest.mark.waits
async def test_schedules_that_the_quota_cannot_meet_are_told_with_the_numbers(tmp_path: Path) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 3}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"mirror_collections": {"every": "1m"}})
        async with program.running("run") as process:
            await _until(program, "SELECT count(*) FROM records")
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
    [told] = done.only("schedule_contradicted")
    assert told["scheduled"] == dict.fromkeys(COLLECTIONS, 1440)
    assert (told["lists"], told["room"], told["per_day"], told["limit"]) == (36_000, 2750, 3000, "per_day")
    checked = await program.run("check")
    assert (
        "WARNING: every, oldest and within ask for 36,000 calls a day: purchase_orders 1,440, invoices 1,440"
        in checked.stdout
    )
    assert "and 20 others 28,800; per_day leaves 2,750 for lists. Give [mirror_collections] fewer" in checked.stdout


async def test_no_secret_stands_in_anything_that_a_run_leaves(tmp_path: Path) -> None:
    canary, hook = "canary-0123456789-key", "canary_webhook_0123456789abcdef"
    counts = {"invoices": 40, "suppliers": 8}
    options = SandboxOptions(
        size="empty", counts=counts, limits=False, token=canary, email="canary@sandbox.example", busy=600
    )
    async with serve(options) as sandbox:
        program = Program(tmp_path, sandbox.url, token=canary, email="canary@sandbox.example", fresh=True)
        program.environment = {"PRECORO_DAEMON__APPLY_DELIVERIES__SECRET": hook}
        program.sections = {
            "limits": NO_LIMITS,
            "mirror_collections": {"every": "1s"},
            "fetch_attachments": {"directory": str(tmp_path / "files")},
            "apply_deliveries": {"listen": f"unix:{tmp_path}/hooks.sock"},
            "watch": {"listen": f"unix:{tmp_path}/watch.sock"},
            "log": {"level": "debug"},
        }
        sandbox.faults.add("503", path="page=1", nth=7)
        async with program.running("run") as process:
            await _until(program, "SELECT count(*) FROM details")
            seen = [await _asked(f"{tmp_path}/watch.sock", path) for path in ("/", "/readyz", "/healthz", "/metrics")]
            commands = await anyio.Path(f"/proc/{process.pid}/cmdline").read_bytes()
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
        seen += [done.stdout, done.stderr, commands.decode()]
        program.fresh = False
        seen += [(await program.run(*words)).stdout for words in (["status"], ["status", "--json"], ["check"])]
    await anyio.to_thread.run_sync(_search, tmp_path, canary, hook)
    for text in seen:
        assert canary not in text
        assert hook not in text


def _search(directory: Path, *secrets: str) -> None:
    """Whatever stands there but the key's own file."""
    for path in directory.rglob("*"):
        if path.is_file() and path.name != "token":
            content = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, path


async def _heard(process: Process) -> None:
    """It has said that a signal came."""
    assert process.stdout is not None
    said = b""
    while b"signal_received" not in said:
        said += await process.stdout.receive()


async def _until(program: Program, sql: str, timeout: float = 60) -> None:
    with anyio.fail_after(timeout):
        while not (program.state.exists() and _counted(program, sql)):  # noqa: ASYNC110 - it is another process
            await anyio.sleep(0.1)


def _counted(program: Program, sql: str) -> int:
    try:
        return int(program.query(sql)[0][0])
    except Exception:  # noqa: BLE001 - it is not there yet
        return 0


async def _reload(program: Program, pid: int) -> None:
    program.write()
    os.kill(pid, signal.SIGHUP)
    await anyio.sleep(1.2)


async def _listening(path: str, words: str) -> None:
    """Until its metrics say so."""
    with anyio.fail_after(60):
        while True:
            with suppress(OSError):
                if words in await _asked(path, "/metrics"):
                    return
            await anyio.sleep(0.1)


async def _asked(path: str, target: str) -> str:
    async with await anyio.connect_unix(path) as stream:
        await stream.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        parts: list[Any] = [part async for part in stream]
    return b"".join(parts).decode()
