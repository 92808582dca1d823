"""As systemd starts it: the unit's own command and environment, under the system calls that the unit leaves it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.system.program import NO_LIMITS, ROOT, Program, finish
from tests.system.test_watch import until

UNIT = ROOT / "precoro_daemon/docs/systemd/precoro-daemon.service"
JAIL = [sys.executable, "-m", "tests.system.jail", str(UNIT)]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

PROBE = """
import mmap, os
for forbidden in (lambda: os.chown("/tmp", 0, 0), lambda: mmap.mmap(-1, 4096, prot=7)):
    try:
        forbidden()
    except PermissionError:
        print("refused")
"""


def hindrance() -> str:
    if shutil.which("systemd-analyze") is None:
        return "there is no systemd-analyze on this machine"
    tried = subprocess.run([*JAIL, "/bin/true"], env=ENVIRONMENT, capture_output=True, check=False)
    return "" if tried.returncode == 0 else "system calls cannot be confined here"


pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True, scope="module")
def confined() -> None:
    """Tried when a test needs it: every worker of a run imports this module, and one runs it."""
    if reason := hindrance():
        pytest.skip(reason)


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)


def configured(place: Path, origin: str, port: int) -> None:
    """As the manual has it: no token_file, the state in the unit's directory."""
    sections = {
        "precoro": {"base_url": origin, "email": "buyer@sandbox.example"},
        "state": {"url": f"sqlite:///{place / 'state.db'}"},
        "limits": NO_LIMITS,
        "fetch_attachments": {"directory": str(place / "files")},
        "apply_deliveries": {"listen": f"unix:{place / 'webhooks.sock'}"},
        "watch": {"listen": f"127.0.0.1:{port}"},
    }
    lines = [
        f"[{name}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in keys.items())
        for name, keys in sections.items()
    ]
    (place / "config.toml").write_text("".join(lines))
    credentials = place / "credentials"
    credentials.mkdir(mode=0o700)
    for given, content in (("precoro_token", "sandbox-key"), ("webhook_secret", "f" * 48)):
        (credentials / given).write_text(content)
        (credentials / given).chmod(0o400)


@asynccontextmanager
async def started(place: Path, notify: Path) -> AsyncIterator[Process]:
    [command] = values("ExecStart")
    _, *arguments = command.replace("/etc/precoro-daemon/config.toml", str(place / "config.toml")).split()
    [seconds] = values("WatchdogSec")
    environment = ENVIRONMENT | {
        "NOTIFY_SOCKET": str(notify),
        "WATCHDOG_USEC": f"{int(seconds) * 1_000_000 // 40}",
        "CREDENTIALS_DIRECTORY": str(place / "credentials"),
        **dict(value.split("=", 1) for value in values("Environment")),
    }
    process = await anyio.open_process(
        [*JAIL, sys.executable, "-m", "precoro_daemon", *arguments], cwd=place, env=environment, umask=0o077
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()


@asynccontextmanager
async def managed(notify: Path, said: list[str]) -> AsyncIterator[None]:
    """Like systemd it reads all the time: the kernel keeps ten messages, and no more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notify))
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, listen, manager, said)
            try:
                yield
            finally:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                    end.sendto(b"END", str(notify))


async def test_what_the_unit_forbids_is_forbidden() -> None:
    said = await anyio.run_process([*JAIL, sys.executable, "-c", PROBE], env=ENVIRONMENT, cwd=ROOT)
    assert said.stdout.split() == [b"refused", b"refused"]


async def test_it_works_there_says_so_and_ends_well(tmp_path: Path, unused_tcp_port: int) -> None:
    counts = {"invoices": 20, "suppliers": 5, "items": 5}
    said: list[str] = []
    async with serve(SandboxOptions(size="empty", counts=counts, limits=False)) as sandbox:
        configured(tmp_path, sandbox.url, unused_tcp_port)
        async with managed(tmp_path / "notify", said), started(tmp_path, tmp_path / "notify") as process:
            await until(unused_tcp_port, "/readyz", 200)
            metrics = await until(unused_tcp_port, "/metrics", 200, 'precoro_daemon_files{state="due"} 0.0')
            assert "process_resident_memory_bytes" in metrics
            await anyio.sleep(3.5)
            process.send_signal(signal.SIGHUP)
            await until(unused_tcp_port, "/metrics", 200, "precoro_daemon_reloads_total 1.0")
            process.send_signal(signal.SIGTERM)
            done = await finish(process, 20)
    assert (done.code, done.stderr) == (0, "")
    assert done.only("part_stalled") == []
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    program = Program(tmp_path, sandbox.url)
    assert program.query("SELECT count(*) FROM invoices_and_credit_notes")[0][0] == 20
    assert {mode & 0o077 for mode in modes(tmp_path)} == {0}
    in_order = [word for word in said if word in {"READY=1", "RELOADING=1", "STOPPING=1"}]
    assert in_order == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    assert said.count("WATCHDOG=1") >= 2
    assert not any("sandbox-key" in word or "f" * 48 in word for word in said)


def modes(place: Path) -> list[int]:
    return [path.stat().st_mode for path in place.iterdir() if path.name.startswith("state.db")]


def listen(manager: socket.socket, said: list[str]) -> None:
    """Until it is told that this is the end."""
    while (message := manager.recv(8192).decode()) != "END":
        said += message.split("\n")
