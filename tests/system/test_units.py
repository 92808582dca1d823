"""The unit files: accepted by systemd, hardened, in step with each other and with the program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "precoro_daemon/docs/systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
ANALYSE = shutil.which("systemd-analyze")

pytestmark = pytest.mark.skipif(ANALYSE is None, reason="there is no systemd-analyze on this machine")


def analyse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ANALYSE), *arguments], capture_output=True, text=True, check=False, timeout=60)


def in_a_place_of_their_own(tmp_path: Path, change: str = "") -> Path:
    """With a program to start that is there: what is judged is the units."""
    program = tmp_path / "precoro-daemon"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in UNITS:
        text = path.read_text("utf-8").replace("/usr/local/bin/precoro-daemon", str(program))
        (tmp_path / path.name).write_text(text.replace("[Service]\n", f"[Service]\n{change}"))
    return tmp_path


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong(tmp_path: Path, path: Path) -> None:
    unit = in_a_place_of_their_own(tmp_path) / path.name
    done = analyse("verify", "--recursive-errors=yes", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_unknown_key_would_be_noticed(tmp_path: Path) -> None:
    unit = in_a_place_of_their_own(tmp_path, "ProtectEverything=yes\n") / "precoro-daemon.service"
    assert "ProtectEverything" in analyse("verify", "--recursive-errors=yes", str(unit)).stderr


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_little_is_left_to_whoever_breaks_in(path: Path) -> None:
    said = analyse("security", "--offline=yes", str(path)).stdout
    found = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    assert found is not None
    assert float(found[1]) <= 1.5


def hardening(path: Path) -> list[str]:
    return path.read_text("utf-8").partition("# What it may not do.")[2].partition("[Install]")[0].split()


def test_all_services_are_hardened_alike() -> None:
    """But for memory and threads, of which a process of many companies needs more."""
    bounds = ("MemoryMax=", "TasksMax=")
    assert all(any(line.startswith(bound) for line in hardening(path)) for path in SERVICES for bound in bounds)
    assert len({tuple(line for line in hardening(path) if not line.startswith(bounds)) for path in SERVICES}) == 1
    assert len(hardening(SERVICES[0])) > 30


def test_times_fit_the_program() -> None:
    """It drains for up to 18.5 seconds, and is gone in less than 20."""
    for path in SERVICES:
        text = path.read_text("utf-8")
        assert "TimeoutStopSec=25" in text
        assert ("WatchdogSec=" in text) == ("Type=notify" in text)
