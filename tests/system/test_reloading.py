"""The whole program in this process, told to reload what cannot be: whatever goes wrong, it goes on as it was."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from structlog.testing import capture_logs

from precoro_daemon.app.process import Host
from precoro_daemon.app.process import serve as serve_daemon
from precoro_daemon.errors import TemporaryError
from precoro_daemon.runtime.ports import Unsupervised
from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.settings import Settings, load
from tests.system.program import NO_LIMITS, Program

pytestmark = pytest.mark.asyncio


def unreadable(_: Settings) -> Settings:
    raise ZeroDivisionError("a mistake of ours")


def unbuildable(settings: Settings) -> Settings:
    return settings.model_copy(update={"watch": None})


def out_of_reach(_: Settings) -> Settings:
    raise TemporaryError("not now")


@pytest.fixture(autouse=True)
def unheeded() -> Iterator[None]:
    """A signal that comes while nobody heeds it does not end the test run."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("change", "reason", "traced"),
    [
        (unreadable, "unexpected: ZeroDivisionError: a mistake of ours", True),
        (unbuildable, "unexpected: AttributeError: ", True),
        (out_of_reach, "not now", False),
    ],
)
async def test_a_reload_that_fails_in_whatever_way_is_refused(
    tmp_path: Path, change: Callable[[Settings], Settings], reason: str, traced: bool
) -> None:
    async with serve(SandboxOptions(size="empty", counts={"invoices": 3}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections={"limits": NO_LIMITS})
        program.write()
        settings = await anyio.to_thread.run_sync(load, program.config, program.environment)
        host = Host(Unsupervised(), lambda: change(settings), lambda _: None, lambda _: None, lambda _: None)
        with capture_logs() as logs:
            task = asyncio.create_task(serve_daemon(settings, host))

            async def told(event: str, times: int) -> None:
                with anyio.fail_after(60):
                    while [line["event"] for line in logs].count(event) < times and not task.done():  # noqa: ASYNC110
                        await anyio.sleep(0.02)

            await told("lap_finished", 1)
            os.kill(os.getpid(), signal.SIGHUP)
            await told("reload_refused", 1)
            assert not task.done(), task.exception()
            task.cancel()
            await asyncio.wait([task])
    [refused] = [line for line in logs if line["event"] == "reload_refused"]
    assert refused["reason"].startswith(reason)
    assert ("exc_info" in refused) == traced
