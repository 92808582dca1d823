"""As a container starts it: the image's own command, as process 1, on a read-only root."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.system.program import NO_LIMITS, ROOT, Program

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def unshare_missing() -> str:
    tool = shutil.which("unshare")
    if tool is None:
        return "there is no unshare on this machine"
    tried = subprocess.run(
        [tool, "--fork", "--pid", "--mount", "--mount-proc", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "namespaces cannot be made here"


@pytest.fixture(scope="module")
def namespaces() -> None:
    """Tried when a test needs them: every worker of a run imports this module, and one runs it."""
    if reason := unshare_missing():
        pytest.skip(reason)


def command() -> list[str]:
    """ENTRYPOINT and CMD, in their exec form; with the interpreter of this test in the place of the image's."""
    forms = (rf"^{word} (\[.*\])$" for word in ("ENTRYPOINT", "CMD"))
    entry, given = (json.loads(re.findall(form, DOCKERFILE, re.MULTILINE)[0]) for form in forms)
    assert entry == ["precoro-daemon"]
    return [sys.executable, "-m", "precoro_daemon", *given]


def start(program: Program, wait: str = "") -> subprocess.Popen[bytes]:
    """In namespaces of its own: the configuration at its place in the image, everything else read-only."""
    state = program.directory
    script = f"""
        mount --make-rprivate /
        mkdir -p /etc/precoro-daemon
        mount -t tmpfs none /etc/precoro-daemon
        cp {state}/config.toml /etc/precoro-daemon/config.toml
        mount --bind {state} {state}
        mount -o remount,bind,ro /
        cd {state}
        exec {" ".join(command())}
    """
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    return subprocess.Popen(
        ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--mount-proc", "sh", "-ec", script],
        cwd=state, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def first_process(outer: subprocess.Popen[bytes]) -> int:
    """The child of unshare is process 1 over there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        if children and b"precoro_daemon" in Path(f"/proc/{children[0]}/cmdline").read_bytes():
            return int(children[0])
        time.sleep(0.005)
    outer.kill()
    raise AssertionError(outer.communicate()[1])


def until_it_works(outer: subprocess.Popen[bytes]) -> bytes:
    assert outer.stdout is not None
    said = b""
    for line in outer.stdout:
        said += line
        if b'"scan_started"' in line:
            return said
    raise AssertionError(said + outer.communicate()[1])


@pytest.mark.asyncio
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_it_works_as_process_1_and_ends_by_a_signal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 30}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"limits": NO_LIMITS, "log": {"level": "debug"}})
        program.write()

        def live() -> tuple[int, float, bytes]:
            outer = start(program)
            inner = first_process(outer)
            until_it_works(outer)
            began = time.monotonic()
            os.kill(inner, number)
            said, complaints = outer.communicate(timeout=60)
            return outer.returncode, time.monotonic() - began, said + complaints

        ended, seconds, said = await anyio.to_thread.run_sync(live)
        assert ended == code, said
        assert seconds < 20
        assert b"run_finished" in said
        assert program.query("SELECT count(*) FROM records")[0][0] >= 0


@pytest.mark.usefixtures("namespaces")
def test_its_first_moments_end_by_a_signal_too(tmp_path: Path) -> None:
    """Before anything is imported nobody heeds signals, and those of process 1 then have no effect. From the first
    lines of the program on, one is enough."""
    program = Program(tmp_path, "http://127.0.0.1:1", sections={"limits": NO_LIMITS, "log": {"level": "debug"}})
    program.write()
    outer = start(program)
    inner = first_process(outer)
    began = time.monotonic()
    while outer.poll() is None and time.monotonic() - began < 50:
        try:
            os.kill(inner, signal.SIGTERM)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    outer.communicate(timeout=60)
    assert time.monotonic() - began < 40


def test_a_signal_that_comes_where_no_exception_counts_ends_it_too() -> None:
    """Python drops what is raised in a finalizer or a callback of a weak reference, and goes on."""
    lines = (
        "import signal",
        "from precoro_daemon.cli.service import leave",
        "class Passing:",
        "    def __del__(self): signal.raise_signal(signal.SIGTERM)",
        "signal.signal(signal.SIGTERM, leave)",
        "Passing()",
        "print('it goes on')",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
