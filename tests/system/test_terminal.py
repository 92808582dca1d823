"""A service on a terminal: it shows what it does, SIGHUP reloads, and the end of the terminal ends it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from tests.system.companies import companies
from tests.system.program import NO_LIMITS, Program
from tests.system.test_once import company, invoices_only

pytestmark = pytest.mark.asyncio

PATIENCE_S = 60.0


class Shell:
    """A terminal of 80 columns that the program has for its own; its standard error goes to a file beside."""

    def __init__(self, command: Sequence[str], directory: Path, environ: Mapping[str, str]) -> None:
        self.errors = directory / "errors"
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**environ, "TERM": "xterm"}
        del environment["COLUMNS"]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=directory, env=environment,
                stdin=theirs, stdout=theirs, stderr=errors, start_new_session=True,
                preexec_fn=lambda: _log_in(theirs),  # noqa: PLW1509 - before any thread
            )  # fmt: skip
        os.close(theirs)

    def until(self, words: bytes) -> None:
        end, seen = time.monotonic() + PATIENCE_S, b""
        while words not in seen:
            assert time.monotonic() < end, seen
            if select.select([self._ours], [], [], 0.2)[0]:
                seen += os.read(self._ours, 65_536)

    def vanish(self) -> None:
        os.close(self._ours)

    def end(self) -> tuple[int, str]:
        return self.process.wait(PATIENCE_S), self.errors.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _run(program: Program, *prefix: str) -> Shell:
    return Shell([*prefix, *program.command("run")], program.directory, program.environ())


def _log_in(terminal: int) -> None:
    """Tests that were started by nohup ignore SIGHUP; who logs in does not."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


async def test_a_service_on_a_terminal_reloads_by_sighup_and_ends_with_its_terminal(tmp_path: Path) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 3}, limits=False) as (_, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        program.write()
        await anyio.to_thread.run_sync(_reload_and_vanish, program)


def _reload_and_vanish(program: Program) -> None:
    _see_reload_and_vanish(_run(program), b"mirror collections")


async def test_many_companies_on_a_terminal_are_shown_and_end_with_it(tmp_path: Path) -> None:
    async with companies(tmp_path, "acme", "bolt") as (fleet, _):
        fleet.share(limits=NO_LIMITS, mirror_collections={"collections": ["invoices"], "every": "1h"})
        fleet.write("acme")
        fleet.write("bolt", mirror_collections={"collections": ["no such"]})
        command = [sys.executable, "-m", "precoro_daemon", "fleet", "run", "--companies", str(fleet.files)]

        def see() -> None:
            shell = Shell(command, fleet.directory, fleet.environ())
            _see_reload_and_vanish(shell, b"Up for", b"1 of 2 companies served")

        await anyio.to_thread.run_sync(see)


def _see_reload_and_vanish(shell: Shell, *seen: bytes) -> None:
    try:
        for words in seen:
            shell.until(words)
        shell.until(b"Ctrl-C ends it.")
        shell.process.send_signal(signal.SIGHUP)
        shell.until(b"reloaded")
        shell.until(b"Ctrl-C ends it.")
        shell.vanish()
        assert shell.end() == (0, "")
    finally:
        shell.kill()


async def test_with_nohup_it_outlives_its_terminal(tmp_path: Path) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 3}, limits=False) as (_, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        program.write()
        await anyio.to_thread.run_sync(_outlive, program)


def _outlive(program: Program) -> None:
    shell = _run(program, "nohup")
    log = program.directory / "nohup.out"
    try:
        _until_there(log, "run_started")
        _until_there(log, "lap_finished")
        shell.vanish()
        shell.process.send_signal(signal.SIGHUP)
        _until_there(log, "reloaded")
        shell.process.send_signal(signal.SIGTERM)
        assert shell.process.wait(PATIENCE_S) == 0
    finally:
        shell.kill()


def _until_there(log: Path, words: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not (log.exists() and words in log.read_text()):
        assert time.monotonic() < end
        time.sleep(0.1)
