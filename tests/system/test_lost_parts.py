"""Each part of the whole program broken off or held up in turn: noticed, and nothing goes missing in silence."""

from __future__ import annotations

import asyncio
import inspect
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import anyio
import pytest

from precoro_daemon.app.process import Host
from precoro_daemon.app.process import serve as serve_daemon
from precoro_daemon.runtime.ports import Unsupervised
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.settings import load
from tests.mirror.comparing import differences, truth_of
from tests.system.program import NO_LIMITS, Program

pytestmark = pytest.mark.asyncio

SECRET = "a-secret-of-very-many-letters"
STUCK_AFTER = 2
COLLECTIONS = ("invoices", "suppliers")


class Listening(Unsupervised):
    """A Supervisor that can tell when it last heard that all is well."""

    watchdog_interval = 1.0

    def __init__(self) -> None:
        self.heard_at = 0.0

    def alive(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()

    @property
    def silence(self) -> float:
        return asyncio.get_running_loop().time() - self.heard_at


@dataclass
class Whole:
    """The program in this process: its tasks can be reached."""

    sandbox: Sandbox
    program: Program
    supervisor: Listening = field(default_factory=Listening)
    task: asyncio.Task[object] | None = None
    others: frozenset[asyncio.Task[object]] = frozenset()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.program.write()
        settings = await anyio.to_thread.run_sync(load, self.program.config, self.program.environment)
        host = Host(self.supervisor, lambda: settings, lambda _: None, lambda _: None, lambda _: None)
        self.others = frozenset(asyncio.all_tasks())
        self.task = asyncio.create_task(serve_daemon(settings, host), name="the program")
        try:
            yield
        finally:
            self.task.cancel()
            await asyncio.wait([self.task])

    @property
    def tasks(self) -> dict[str, asyncio.Task[object]]:
        """By name, without those that a library starts for each connection."""
        mine = asyncio.all_tasks() - self.others - {self.task}
        return {task.get_name(): task for task in mine if not re.fullmatch(r"Task-\d+", task.get_name())}

    async def end(self) -> None:
        assert self.task is not None
        await asyncio.shield(self.task)

    async def until_mirrored(self) -> None:
        await until(self.is_right)

    async def is_right(self) -> bool:
        suppliers = truth_of(self.sandbox, "suppliers", details=False)  # there are no details of them
        truths = {"invoices": truth_of(self.sandbox, "invoices"), "suppliers": suppliers}
        look = partial(differences, self.program.state, truths, counted=False)
        try:
            return await anyio.to_thread.run_sync(look) == []
        except sqlite3.OperationalError:  # it is not there yet
            return False

    async def says_that_it_hangs(self) -> bool:
        return "no sign of life" in await self.health()

    async def says_that_it_cannot_work(self) -> bool:
        return "mirror_collections cannot work" in (await self._ask("watch", "GET", "/readyz"))[1]

    async def is_at_rest(self) -> bool:
        return set(self.tasks) == set(PARTS)

    async def health(self) -> str:
        return (await self._ask("watch", "GET", "/healthz"))[1]

    async def announce(self) -> int:
        return (await self._ask("hooks", "POST", f"/{SECRET}", json={"id": 9_000_000, "type": 3}))[0]

    async def _ask(self, name: str, method: str, path: str, **body: object) -> tuple[int, str]:
        connector = aiohttp.UnixConnector(str(self.program.directory / name))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://localhost{path}", **body) as answer,  # type: ignore[arg-type]
        ):
            return answer.status, await answer.text()

    def hold_the_state(self) -> sqlite3.Connection:
        """Until the connection is closed."""
        connection = sqlite3.connect(self.program.state, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection


@asynccontextmanager
async def whole(directory: Path, **options: object) -> AsyncIterator[Whole]:
    given = {"size": "empty", "counts": {"invoices": 24, "suppliers": 5}, "limits": False} | options
    async with serve(SandboxOptions(**given)) as sandbox:  # type: ignore[arg-type]
        program = Program(directory, sandbox.url)
        program.environment["PRECORO_DAEMON__APPLY_DELIVERIES__SECRET"] = SECRET
        program.sections = {
            "limits": NO_LIMITS,
            "precoro": {"timeout": STUCK_AFTER // 2},
            "mirror_collections": {"collections": list(COLLECTIONS), "per_page": 10, "every": "1s"},
            "apply_deliveries": {"listen": f"unix:{directory}/hooks"},
            "watch": {"listen": f"unix:{directory}/watch"},
            "daemon": {"stuck_after": f"{STUCK_AFTER}s"},
        }
        yield Whole(sandbox, program)


PARTS = (
    "apply_deliveries",
    "backfill_details",
    "deliveries",
    "fetch_details",
    "mirror_collections",
    "resolve_custom_fields",
    "signals",
    "take_census",
    "watchdog",
)
"""What goes on for as long as the program does."""


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_is_broken_off_ends_the_program_which_says_so(tmp_path: Path, part: str) -> None:
    async with whole(tmp_path) as it, it.running():
        await it.until_mirrored()
        await until(it.is_at_rest)
        it.tasks[part].cancel()
        with pytest.raises(ExceptionGroup) as failure, anyio.fail_after(60):
            await it.end()
    assert failure.group_contains(RuntimeError, match="was broken off, and nobody meant to")


@pytest.mark.parametrize("kind", ["lists", "page scan", "page", "details"])
async def test_a_helper_that_is_broken_off_is_noticed_or_does_no_harm(tmp_path: Path, kind: str) -> None:
    """A page that never comes holds up its list, which gives no sign of life any more. Others do the work of a lost
    one, or the next lap does."""
    async with whole(tmp_path, latency=0.05) as it, it.running():
        found: list[asyncio.Task[object]] = []

        async def is_there() -> bool:
            named = [task for name, task in it.tasks.items() if re.fullmatch(rf"{kind}( .*)?", name)]
            found.extend(task for task in named if has_begun(task))
            return bool(found)

        async def is_settled() -> bool:
            return await it.says_that_it_hangs() or await it.is_right()

        await until(is_there)
        found[0].cancel()
        await anyio.sleep(1)
        it.sandbox.company.edit(next(iter(it.sandbox.company["invoices"])), note="new")  # there is a next lap soon
        await until(is_settled)
        if await it.says_that_it_hangs():
            assert it.supervisor.silence > 0.5, "a service manager is left to think that it is dead"


async def test_a_state_that_somebody_else_holds_is_told_and_nothing_is_accepted_meanwhile(tmp_path: Path) -> None:
    async with whole(tmp_path) as it, it.running():
        await it.until_mirrored()
        hold = await anyio.to_thread.run_sync(it.hold_the_state)
        try:
            assert await it.announce() == 503
            await until(it.says_that_it_cannot_work)
        finally:
            await anyio.to_thread.run_sync(hold.close)
        assert await it.announce() == 204


def has_begun(task: asyncio.Task[object]) -> bool:
    """Cancelled before, it would leave a coroutine that was never awaited."""
    work = task.get_coro()
    return inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_SUSPENDED


async def until(true: Callable[[], Awaitable[bool]], within: float = 60) -> None:
    with anyio.fail_after(within):
        while not await true():  # noqa: ASYNC110 - its tasks do not tell us
            await anyio.sleep(0.05)
