"""What runs the tests: each is run once, what fails or dies is told, and fixtures are taken down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.side_by_side import groups_of

ROOT = Path(__file__).resolve().parent.parent
TESTS = """
import os, signal, time
from pathlib import Path
import pytest

RAN = Path(__file__).with_name("ran")

@pytest.fixture(scope="module")
def shared():
    yield
    with RAN.open("a") as ran:
        ran.write("taken down\\n")

@pytest.mark.parametrize("number", range(9))
def test_passes(shared, number, tmp_path):
    print("what only failures show")
    (tmp_path / "of this test").mkdir()
    with RAN.open("a") as ran:
        ran.write(f"{__name__} {number}\\n")

def test_fails():
    print("what it printed")
    assert 1 == 2

def test_dies():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_each_is_run_once_and_what_failed_or_died_is_told(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / f"test_{name}.py").write_text(TESTS if name == "one" else TESTS[: TESTS.index("def test_fails")])
    command = [sys.executable, "-m", "pytest", "-p", "tests.side_by_side", "--workers=2", f"--rootdir={tmp_path}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command += ["-c", os.devnull, str(tmp_path)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    ran = (tmp_path / "ran").read_text().splitlines()
    numbers = {f"test_{name} {number}" for name in ("one", "two", "three") for number in range(9)}
    assert sorted(line for line in ran if line != "taken down") == sorted(numbers), done.stdout
    assert ran.count("taken down") >= 2, "the one that died took down nothing"
    assert done.returncode == 1
    assert "2 failed, 27 passed" in done.stdout
    assert "its worker ended with -9 while this test ran" in done.stdout
    assert "what it printed" in done.stdout
    assert done.stdout.index(" test_one.py::test_fails\n") < done.stdout.index("= FAILURES ="), "it is named at once"
    assert "what only failures show" not in done.stdout


def test_what_waits_or_needs_a_server_comes_first_and_files_stay_together() -> None:
    items: list[Any] = [
        item("tests/a.py::test_1"),
        item("tests/a.py::test_2[postgresql]"),
        item("tests/a.py::test_3", waits=True),
        item("tests/b.py::test_4", "s3"),
        item("tests/b.py::test_5"),
        item("tests/c.py::test_6", "postgres"),
        item("tests/a.py::test_7"),
    ]
    assert groups_of(items) == [deque([2]), deque([1, 5]), deque([3]), deque([0, 6]), deque([4])]


def item(nodeid: str, *fixtures: str, waits: bool = False) -> Any:
    marker = {"waits": waits or None}
    name = nodeid.partition("::")[2]
    return SimpleNamespace(nodeid=nodeid, name=name, fixturenames=fixtures, get_closest_marker=marker.get)
