"""What a command loads: nothing that it does not use, as people wait for it."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from precoro_daemon.cli import main
from precoro_daemon.cli.program import ENTRIES, Program


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a process has in the end, whatever its exit code."""
    program = (
        "import atexit, sys; from precoro_daemon.cli import main\n"
        "atexit.register(lambda: print('\\n', *sys.modules, file=sys.__stdout__))\n"
        f"main({list(arguments)!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines()[-1].split())


def test_the_help_loads_the_command_line_and_no_command() -> None:
    loaded = loaded_by("--help")
    assert "click" in loaded
    rooms = {name for name in loaded if name.startswith("precoro_daemon.")}
    assert rooms <= {
        "precoro_daemon.errors",
        "precoro_daemon.values",
        "precoro_daemon.values.visible_text",
        *(f"precoro_daemon.cli{module}" for module in ("", ".commands", ".program", ".running")),
    }
    assert not loaded & {"asyncio", "anyio", "dataclasses", "pathlib", "pydantic", "rich", "shutil", "sqlite3"}


@pytest.mark.parametrize("name", ENTRIES)
def test_each_command_that_the_help_lists_is_there_and_is_said_in_one_line(name: str) -> None:
    assert isinstance(main, Program)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert len(ENTRIES[name].about) <= 78 - 2 - 2 - max(map(len, ENTRIES))
