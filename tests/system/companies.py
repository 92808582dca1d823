"""A directory of companies, each with a sandbox of its own, and the program that serves them."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import Process

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from tests.system.forked import ROOT, WATCHFUL, Forked
from tests.system.program import NO_LIMITS, Finished, finish, kept

SECRETS = {"acme": "acme_webhooks_0123456789abcdef", "bolt": "bolt_webhooks_0123456789abcdef"}


@dataclass
class Companies:
    """A directory of companies, each with a sandbox of its own."""

    directory: Path
    origins: dict[str, str]
    leased: bool = False
    """Their states are in the database that defaults.toml names."""

    @property
    def files(self) -> Path:
        return self.directory / "companies"

    def share(self, **sections: dict[str, Any]) -> None:
        (self.files / "defaults.toml").write_text(_toml(sections))

    def write(self, name: str, *, state: Path | None = None, **sections: dict[str, Any]) -> Path:
        """The file of one company, as a person writes it."""
        given: dict[str, dict[str, Any]] = {
            "precoro": {
                "base_url": self.origins[name],
                "email": f"{name}@sandbox.example",
                "token_file": self.secret(f"{name}.token", f"key-of-{name}"),
            },
            "state": {"url": f"sqlite:///{state or self.state(name)}"},
        }
        if name in SECRETS:
            given["apply_deliveries"] = {"secret_file": self.secret(f"{name}.hook", SECRETS[name])}
        if self.leased:
            given["state"] = {"company": name}
        path = self.files / f"{name}.toml"
        path.write_text(_toml(given | sections))
        return path

    def secret(self, name: str, text: str) -> str:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(f"{text}\n")
        return str(path)

    def state(self, name: str) -> Path:
        return self.directory / f"{name}.db"

    @asynccontextmanager
    async def running(self, worker: str | None = None) -> AsyncIterator[Process]:
        """`worker`: with that name, a directory of its own to work in, and sockets there"""
        place, environ = self.directory, self.environ()
        if worker is not None:
            place /= worker
            place.mkdir(exist_ok=True)
            environ |= {
                "PRECORO_DAEMON__FLEET__WORKER": worker,
                "PRECORO_DAEMON__WATCH__LISTEN": f"unix:{place}/watch.sock",
                "PRECORO_DAEMON__APPLY_DELIVERIES__LISTEN": f"unix:{place}/hooks.sock",
            }
        process = await Forked.start(["fleet", "run", "--companies", str(self.files)], place, environ)
        async with kept(process):
            yield process

    def environ(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if "PRECORO" not in name.upper()}
        return {**ours, **WATCHFUL, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}

    async def typed(self, *words: str) -> Finished:
        return await finish(await Forked.start(words, self.directory, self.environ()))

    def count(self, name: str, sql: str) -> int:
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{self.state(name).as_uri()}?mode=ro", uri=True)) as one,
        ):
            return int(one.execute(sql).fetchone()[0])
        return 0

    async def until(self, name: str, sql: str, timeout: float = 60) -> None:
        with anyio.fail_after(timeout):
            while not self.count(name, sql):  # noqa: ASYNC110 - it is another process
                await anyio.sleep(0.1)

    async def asked(self, target: str, socket: str = "watch", method: str = "GET", body: bytes = b"") -> str:
        """`socket`: with its worker before it, such as one/watch"""
        async with await anyio.connect_unix(str(self.directory / f"{socket}.sock")) as stream:
            head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            await stream.send(head.encode() + body)
            return b"".join([part async for part in stream]).decode()

    async def shows(self, target: str, *words: str, timeout: float = 60) -> str:
        """Wait until a page has all these words."""
        text = ""
        with anyio.move_on_after(timeout):
            while not (text and all(word in text for word in words)):
                with suppress(OSError, anyio.EndOfStream):
                    text = await self.asked(target)
                await anyio.sleep(0.1)
        assert all(word in text for word in words), text
        return text


def _toml(sections: dict[str, dict[str, Any]]) -> str:
    lines: list[str] = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""]
    return "\n".join(lines)


@asynccontextmanager
async def companies(
    tmp_path: Path, *names: str, **options: Any
) -> AsyncIterator[tuple[Companies, dict[str, Sandbox]]]:
    """Sandboxes, and a directory in which nothing stands yet but what all have in common."""
    async with AsyncExitStack() as stack:
        sandboxes: dict[str, Sandbox] = {}
        for number, name in enumerate(names, 3):
            given: dict[str, Any] = {
                "size": "empty",
                "counts": {"invoices": number, "suppliers": 2},
                "limits": False,
                "token": f"key-of-{name}",
                "email": f"{name}@sandbox.example",
            }
            sandboxes[name] = await stack.enter_async_context(serve(SandboxOptions(**given | options)))
        fleet = Companies(tmp_path, {name: one.url for name, one in sandboxes.items()})
        fleet.files.mkdir()
        fleet.share(
            limits=NO_LIMITS,
            mirror_collections={"collections": ["invoices"], "every": "1h"},
            watch={"listen": f"unix:{tmp_path}/watch.sock"},
            apply_deliveries={"listen": f"unix:{tmp_path}/hooks.sock"},
        )
        yield fleet, sandboxes
