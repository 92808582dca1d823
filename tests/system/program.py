"""The real program as its user has it: a directory, a configuration, and a process."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.state import identity
from precoro_daemon.settings import load
from tests.system.forked import ROOT, WATCHFUL, Forked

NO_LIMITS = dict.fromkeys(
    ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour"), 0
)

_SLOW = re.compile(r"^Executing <.*> took [\d.]+ seconds\n", re.MULTILINE)
"""Development mode tells of a step that took a tenth of a second, which on a busy machine is any step."""


@dataclass(frozen=True)
class Finished:
    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The log: what is no JSON fails here."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def only(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events if line["event"] == event]


@dataclass
class Program:
    """`sections` are written to the file before every start; change them between two."""

    directory: Path
    origin: str
    token: str = "sandbox-key"
    email: str = "buyer@sandbox.example"
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    fresh: bool = False
    """Start Python anew, as a user does; else fork a process that has imported the program already."""

    @property
    def state(self) -> Path:
        return self.directory / "state.db"

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    def write(self) -> None:
        """The configuration and the key, as they are now."""
        token_file = self.directory / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(f"{self.token}\n")
        given = {
            "precoro": {"base_url": self.origin, "email": self.email, "token_file": str(token_file)},
            "state": {"url": f"sqlite:///{self.state}"},
        }
        sections = {name: given.get(name, {}) | self.sections.get(name, {}) for name in given | self.sections}
        self.config.write_text("".join(_toml(name, keys) for name, keys in sections.items()))

    async def found(self) -> None:
        """A state into which nothing was mirrored yet."""
        async with SqliteState(self.state, await anyio.to_thread.run_sync(self._identity)).open():
            pass

    def _identity(self) -> str:
        self.write()
        return identity(load(self.config, self.environment))

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[Process]:
        """A process that does not outlive the block."""
        self.write()
        process = await self._start(arguments)
        async with kept(process):
            yield process

    async def _start(self, arguments: tuple[str, ...]) -> Process:
        if self.fresh or any(name.startswith("PYTHON") for name in self.environment):
            command, null = self.command(*arguments), subprocess.DEVNULL
            return await anyio.open_process(command, cwd=self.directory, env=self.environ(), stdin=null)
        return await Forked.start([*arguments, *self._config_of(arguments)], self.directory, self.environ())

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "precoro_daemon", *arguments, *self._config_of(arguments)]

    def _config_of(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """The sandbox has none."""
        return () if {"--config", "sandbox"} & set(arguments) else ("--config", str(self.config))

    def environ(self) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if "PRECORO" not in name.upper()}
        return ours | WATCHFUL | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | self.environment

    async def run(self, *arguments: str, within: float = 60) -> Finished:
        async with self.running(*arguments) as process:
            return await finish(process, within)

    async def once(self, *arguments: str, within: float = 60) -> Finished:
        return await self.run("--once", *arguments, within=within)

    def query(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"{self.state.as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()


@asynccontextmanager
async def kept(process: Process) -> AsyncIterator[None]:
    """It does not outlive the block, and what fails in the block shows what it had said by then."""
    try:
        yield
    except Exception as error:
        error.add_note(await _last_words(process))
        raise
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _last_words(process: Process) -> str:
    was = "still ran" if process.returncode is None else f"had ended with {process.returncode}"
    told = f"process {process.pid} {was}; load {os.getloadavg()[0]:.1f}"
    with suppress(Exception):  # somebody reads it, or has read it to its end
        process.kill()
        done = await finish(process, within=20)
        told += f"\nits log: …{done.stdout[-2000:]}\nits errors: …{done.stderr[-2000:]}"
    return told


async def finish(process: Process, within: float = 60) -> Finished:
    """Read both streams to their end; TimeoutError if that takes longer."""
    assert process.stdout is not None
    assert process.stderr is not None
    parts: dict[str, bytes] = {}

    async def read(name: str, stream: Any) -> None:
        parts[name] = b"".join([chunk async for chunk in stream])

    with anyio.fail_after(within):
        async with anyio.create_task_group() as group:
            group.start_soon(read, "stdout", process.stdout)
            group.start_soon(read, "stderr", process.stderr)
        code = await process.wait()
    return Finished(code, parts["stdout"].decode(), _SLOW.sub("", parts["stderr"].decode()))


async def terminate(process: Process, within: float) -> Finished:
    process.send_signal(signal.SIGTERM)
    return await finish(process, within)


def _toml(name: str, keys: Mapping[str, Any]) -> str:
    """JSON's strings, numbers, lists and truth values are TOML's too."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join([f"[{name}]", *lines, "", ""])
