"""The shell blocks of the README and the manual, typed one after the other in the home of a sandbox company."""

from __future__ import annotations

import logging
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, closing
from dataclasses import dataclass
from pathlib import Path

import anyio.from_thread
import pytest
import structlog
from click.testing import CliRunner

from precoro_daemon.cli import main
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from tests.docs.generate import MANUAL, ROOT

COUNTS = {"invoices": 6, "suppliers": 3, "items": 4, "payments": 2}

NOT_TYPED = {
    r"^#": "needs root",
    r"^(make|pipx) ": "installs, or runs all tests",
    r"^precoro-daemon run$": "serves until it is stopped",
    r"precoro-daemon init$": "asks a person; tests/cli/test_init.py answers",
    r"ledger (login|status|logout)": "needs an accounting system; tests/cli/test_ledger_login.py has one",
    r"fleet import": "needs a fleet on PostgreSQL; tests/system/test_fleet.py has one",
    r"state move": "needs PostgreSQL; tests/adapters/state has one",
    r"cat > token": "waits for what a person pastes",
}
"""Commands that are not typed here, and why."""


def commands() -> Iterator[tuple[str, str]]:
    """Every command line of the shell blocks, without its comment, under its page."""
    for page in (ROOT / "README.md", *sorted(MANUAL.glob("*.md"))):
        blocks = re.findall(r"^```(sh|console)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for kind, block in blocks:
            for line in block.splitlines():
                if kind == "sh" or line.startswith(("$ ", "# ")):
                    yield page.stem, re.sub(r"\s+# .*", "", line.removeprefix("$ "))


def reason_not_to_type(command: str) -> str:
    return next((why for pattern, why in NOT_TYPED.items() if re.search(pattern, command)), "")


@dataclass(frozen=True)
class Home:
    """A directory with a configuration, a mirror and books, and the places that the manual names."""

    path: Path
    sandbox: Sandbox
    supplier: str

    def own(self, command: str) -> str:
        """With what there is here, where the manual has an example."""
        examples = {
            "/srv/": f"{self.path}/",
            "/backup/precoro-2026-11-25.db": f"{next(self.path.glob('backup/*'), '')}",
            "/backup/": f"{self.path}/backup/",
            "/path/of/": f"{self.path}/",
            "S-22704": self.supplier,
            "items apply": "items apply --yes",
            "http://127.0.0.1:8765": self.sandbox.url,
        }
        pattern = "|".join(map(re.escape, examples))
        command = re.sub(pattern, lambda found: examples[found[0]], command)
        return command.replace("3f2a", self.intent) if "3f2a" in command else command

    @property
    def intent(self) -> str:
        with closing(sqlite3.connect(self.path / "precoro.db")) as database:
            (ident,) = database.execute("SELECT id FROM intents ORDER BY id LIMIT 1").fetchone()
        return str(ident)[:8]

    def type(self, command: str) -> tuple[int, str]:
        """Exit code and all that was said. What a shell must read goes through one."""
        if command.startswith("precoro-daemon ") and not re.search(r"[|>$&]", command):
            with chdir(self.path):
                done = CliRunner().invoke(main, shlex.split(command)[1:])
            return done.exit_code, done.output
        environment = os.environ | {"PATH": f"{self.path}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        words = ["bash", "-o", "pipefail", "-c", command]
        typed = subprocess.run(words, check=False, cwd=self.path, env=environment, capture_output=True, text=True)
        return typed.returncode, typed.stdout + typed.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    path = tmp_path_factory.mktemp("home")
    for folder in ("bin", "backup", "reports", "lake", "catalogues"):
        (path / folder).mkdir()
    program = path / "bin" / "precoro-daemon"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m precoro_daemon "$@"\n')
    program.chmod(0o755)
    options = SandboxOptions(size="empty", counts=COUNTS, limits=False)
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(options)) as sandbox,
    ):
        sandbox_ledger.found(path / "books.db")
        portal.call(sandbox_ledger.pay_some, path / "books.db", sandbox.company, 2)
        supplier = next(item.supplier for item in sandbox.company["items"] if item.supplier is not None)
        _configure(path, sandbox)
        yield Home(path, sandbox, str(supplier.id))


def _configure(path: Path, sandbox: Sandbox) -> None:
    token = path / "token"
    token.touch(mode=0o600)
    token.write_text(sandbox.token)
    windows = ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour")
    limits = "".join(f"{name} = 0\n" for name in windows)
    (path / "config.toml").write_text(
        f'[precoro]\nbase_url = "{sandbox.url}"\nemail = "{sandbox.email}"\ntoken_file = "token"\n\n'
        f"[limits]\n{limits}\n"
        '[mirror_collections]\ncollections = ["invoices", "payments", "suppliers", "items", "purchase_orders"]\n\n'
        '[manage_items]\nkind = "csv"\npath = "catalogues/{supplier}.csv"\n\n'
        f"{sandbox_ledger.configuration(path / 'books.db')}"
    )


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "command", [pytest.param(command, id=f"{page}: {command}") for page, command in dict.fromkeys(commands())]
)
def test_every_command_of_the_manual_works_as_it_stands(home: Home, command: str) -> None:
    if why := reason_not_to_type(command):
        pytest.skip(why)
    code, said = home.type(home.own(command))
    assert (code, "Traceback" in said) == (0, False), said


def test_most_commands_are_typed() -> None:
    known = [command for _, command in commands()]
    assert len(known) > 40
    assert all(any(re.search(pattern, command) for command in known) for pattern in NOT_TYPED), "each reason is used"
    assert len([command for command in known if not reason_not_to_type(command)]) > 20
