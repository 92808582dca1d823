"""Many companies in one real process: each for itself, whatever befalls the others."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from anyio.abc import Process
from structlog.testing import capture_logs

from precoro_daemon.app.company_files import read_companies
from precoro_daemon.app.fleet import FleetHost, serve_fleet
from precoro_daemon.runtime.ports import Unsupervised
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from tests.system.forked import DEVELOPMENT, ROOT, Forked
from tests.system.program import NO_LIMITS, Finished, finish

pytestmark = pytest.mark.asyncio

SECRETS = {"acme": "acme_webhooks_0123456789abcdef", "bolt": "bolt_webhooks_0123456789abcdef"}


@dataclass
class Companies:
    """A directory of companies, each with a sandbox of its own."""

    directory: Path
    origins: dict[str, str]

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
    async def running(self) -> AsyncIterator[Process]:
        process = await Forked.start(["fleet", "run", "--companies", str(self.files)], self.directory, self.environ())
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            with anyio.CancelScope(shield=True):
                await process.aclose()

    def environ(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if "PRECORO" not in name.upper()}
        return {**ours, **DEVELOPMENT, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}

    async def typed(self, *words: str) -> Finished:
        done = await anyio.run_process(
            [sys.executable, "-m", "precoro_daemon", *words],
            cwd=self.directory,
            env=self.environ(),
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

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
async def companies(tmp_path: Path, *names: str) -> AsyncIterator[tuple[Companies, dict[str, Sandbox]]]:
    """Sandboxes, and a directory in which nothing stands yet but what all have in common."""
    async with AsyncExitStack() as stack:
        sandboxes: dict[str, Sandbox] = {}
        for number, name in enumerate(names, 3):
            options = SandboxOptions(
                size="empty",
                counts={"invoices": number, "suppliers": 2},
                limits=False,
                token=f"key-of-{name}",
                email=f"{name}@sandbox.example",
            )
            sandboxes[name] = await stack.enter_async_context(serve(options))
        fleet = Companies(tmp_path, {name: one.url for name, one in sandboxes.items()})
        fleet.files.mkdir()
        fleet.share(
            limits=NO_LIMITS,
            mirror_collections={"collections": ["invoices"], "every": "1h"},
            watch={"listen": f"unix:{tmp_path}/watch.sock"},
            apply_deliveries={"listen": f"unix:{tmp_path}/hooks.sock"},
        )
        yield fleet, sandboxes


async def test_each_company_is_served_for_itself(tmp_path: Path) -> None:
    """A bad file, a state that another process holds, webhooks, status, kill -9, and the next start."""
    async with companies(tmp_path, "acme", "bolt", "held", "oops") as (fleet, _):
        fleet.write("acme")
        fleet.write("bolt")
        bad = fleet.write("oops", limits={"per_day": -1})
        fleet.write("held")
        holder = os.open(f"{fleet.state('held')}.lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(holder, fcntl.LOCK_EX)
        async with fleet.running() as process:
            await fleet.until("acme", "SELECT count(*) FROM details")
            await fleet.until("bolt", "SELECT count(*) FROM details")
            page = await fleet.shows(
                "/", "acme", "bolt", f"{bad}:", "limits.per_day", "is held by", "2 of 4 companies"
            )
            assert 'href="companies/acme/"' in page
            assert "<h1>acme</h1>" in await fleet.asked("/companies/acme/")
            assert "404" in await fleet.asked("/companies/oops/")
            metrics = await fleet.asked("/metrics")
            assert 'precoro_daemon_company_served{company="acme"} 1.0' in metrics
            assert 'precoro_daemon_company_served{company="oops"} 0.0' in metrics
            assert 'precoro_daemon_records{collection="invoices",company="bolt"} 4.0' in metrics
            assert '"healthy": true' in await fleet.asked("/healthz")
            told = await fleet.asked(f"/{SECRETS['bolt']}", "hooks", "POST", b'{"id": 1, "type": 0}')
            assert " 204 " in told.splitlines()[0] or " 202 " in told.splitlines()[0], told
            assert " 404 " in (await fleet.asked("/nobody", "hooks", "POST", b"{}")).splitlines()[0]
            answers = await fleet.asked("/metrics")
            assert 'precoro_daemon_delivery_answers_total{company="bolt"' in answers
            assert 'precoro_daemon_delivery_answers_total{company="acme"' not in answers
            process.kill()
            await process.wait()
        os.close(holder)
        async with fleet.running() as process:
            await fleet.until("held", "SELECT count(*) FROM details")
            shown = await fleet.typed("fleet", "status", "--companies", str(fleet.files))
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
    assert (done.code, done.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 80 + len(str(tmp_path)), shown.stdout
    assert [line.split()[:2] for line in shown.stdout.splitlines() if " served" in line] == [
        ["acme", "served"],
        ["bolt", "served"],
        ["held", "served"],
    ]
    assert f"{bad}:" in shown.stdout
    started = {line["company"] for line in done.only("company_started")}
    assert started == {"acme", "bolt", "held"}
    assert all("company" in line for line in done.only("lap_finished"))
    assert {line["company"] for line in done.only("company_ended")} == started
    [refused] = done.only("company_refused")
    assert (refused["company"], refused["reason"].startswith(f"{bad}:")) == ("oops", True)


async def test_a_reload_touches_those_alone_whose_files_changed(tmp_path: Path) -> None:
    async with companies(tmp_path, "acme", "bolt", "coal") as (fleet, sandboxes):
        fleet.write("acme")
        fleet.write("bolt")
        async with fleet.running() as process:
            await fleet.until("acme", "SELECT count(*) FROM details")
            await fleet.until("bolt", "SELECT count(*) FROM details")
            await anyio.sleep(0.5)
            calls = sandboxes["acme"].journal.total
            fleet.write("coal")
            fleet.write("bolt", mirror_collections={"collections": ["invoices", "suppliers"]})
            process.send_signal(signal.SIGHUP)
            await fleet.until("coal", "SELECT count(*) FROM details")
            await fleet.until("bolt", "SELECT count(*) FROM records WHERE collection = 'suppliers'")
            fleet.write("coal", state=fleet.state("bolt"))
            fleet.write("bolt", limits={"per_day": "many"})
            (fleet.files / "acme.toml").unlink()
            process.send_signal(signal.SIGHUP)
            page = await fleet.shows("/", "per_day", "2 of 2 companies")
            assert "acme" not in page
            assert sandboxes["acme"].journal.total == calls, "it was left alone, and then ended"
            fleet.write("acme", state=fleet.state("bolt"))
            fleet.write("bolt")
            process.send_signal(signal.SIGHUP)
            await fleet.shows("/", "is also that of", "acme", "2 of 3 companies")
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
    assert (done.code, done.stderr) == (0, "")
    assert [line["company"] for line in done.only("company_started")].count("acme") == 1
    ends = [line["company"] for line in done.only("company_ended")]
    assert ends[0] == "acme"
    assert sorted(ends) == ["acme", "bolt", "coal"]
    refused = [(line["company"], line["reason"]) for line in done.only("company_refused")]
    assert any(name == "acme" and "bolt.toml" in reason and "the state" in reason for name, reason in refused)
    assert any(name == "bolt" and "acme.toml" in reason for name, reason in refused), "both are told"


async def test_a_company_that_hangs_is_named_and_started_again_alone(tmp_path: Path) -> None:
    """In this process. Its time runs a hundred times faster, so that a minute without a sign of life is soon over."""
    async with companies(tmp_path, "acme", "bolt") as (fleet, sandboxes):
        fleet.write("acme")
        fleet.write("bolt", limits={"time_scale": 100}, daemon={"stuck_after": 60})
        sandboxes["bolt"].faults.add("hang", path="^/invoices")
        files = await anyio.to_thread.run_sync(read_companies, fleet.files, {})
        host = FleetHost(
            Unsupervised(), lambda: files, lambda _: None, lambda _: None, lambda _: None, lambda name: name
        )
        with capture_logs() as logs:
            task = asyncio.create_task(serve_fleet(files, host))
            with anyio.fail_after(60):
                while not [one for one in logs if one["event"] == "company_failed"] and not task.done():  # noqa: ASYNC110
                    await anyio.sleep(0.05)
            page = await fleet.asked("/")
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    [stuck] = [one for one in logs if one["event"] == "company_stalled"]
    assert (stuck["company"], stuck["part"]) == ("bolt", "mirror_collections")
    assert "mirror_collections gave no sign of life" in page
    assert "1 of 2 companies" in page
    assert fleet.count("acme", "SELECT count(*) FROM details") == 3
