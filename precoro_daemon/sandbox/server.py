"""the server itself, from options to an open port"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import anyio
from aiohttp import web
from anyio.abc import TaskGroup

from precoro_daemon.sandbox import users
from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.console import Console
from precoro_daemon.sandbox.control import Control
from precoro_daemon.sandbox.downloads import FilesHost
from precoro_daemon.sandbox.fault_kinds import KINDS
from precoro_daemon.sandbox.faults import Faults
from precoro_daemon.sandbox.gate import Gate
from precoro_daemon.sandbox.journal import Journal
from precoro_daemon.sandbox.limits import Limits
from precoro_daemon.sandbox.options import SandboxOptions, Tuning
from precoro_daemon.sandbox.reads import DOWNLOADS, Reads
from precoro_daemon.sandbox.writes import Writes

LARGEST_BODY = 32 * 2**20
GRACE_AT_END = 0.1
"""The time for answers in flight when the sandbox stops, in real seconds."""
SHORTEST_REST = 0.005


class Sandbox:
    """A running local Precoro, with handles to control and inspect it."""

    def __init__(self, options: SandboxOptions, clock: SimulatedClock | None = None) -> None:
        self.options = options
        self.url = ""
        self.token, self.email = options.token, options.email
        self.tuning = Tuning.of(options)
        self.clock = clock or SimulatedClock(options.time_scale, options.start)
        self.company = Company(options, self.clock)
        if options.warm:
            self.company.draw_all()
        self.limits = Limits(options.quota, options.time_scale)
        self.faults = Faults(KINDS, options.seed)
        self.journal = Journal()
        self.changes = 0
        """The number of changes that users have made."""
        self._reads = Reads(self.company, self.tuning)
        self.files_host = FilesHost(self._reads.download)
        self._control = Control(self)
        self._console = Console(self._control.glance)

    def tune(self, **wishes: object) -> None:
        """Changes fields of `Tuning`. Raises ValueError for an unknown name or a value of another kind."""
        self.tuning.change(wishes)

    def application(self, tasks: TaskGroup) -> web.Application:
        def later(job: Callable[[], Coroutine[Any, Any, None]]) -> None:
            tasks.start_soon(job, name="late commit")

        gate = Gate(
            self.options, self.tuning, self.clock, self.journal, self.limits, self.faults, later
        )  # fmt: skip
        app = web.Application(middlewares=[gate.middleware()], client_max_size=LARGEST_BODY)
        app.add_routes(
            [
                *self._console.routes(),
                *self._control.routes(),
                *self._reads.routes(),
                *Writes(self.company, self.tuning, self._reads).routes(),
            ]
        )
        return app

    @asynccontextmanager
    async def files_served(self) -> AsyncIterator[None]:
        """Serves downloads from another origin until the block ends, if the options say so."""
        if not self.options.files_elsewhere:
            yield
            return
        async with _listening(self.files_host.application(DOWNLOADS), self.options.host, 0) as url:
            self._reads.files_url = url
            yield

    @property
    def files_url(self) -> str:
        """The other origin, or "" if there is none."""
        return self._reads.files_url

    async def keep_working(self) -> None:
        """Lets users work at the rate `busy`, which may change at any time."""
        random = Random(self.options.seed + 3)

        def act() -> None:
            self.changes += users.act_somehow(self.company, random) is not None

        await self._keep(act, lambda: self.tuning.busy / 60)

    async def keep_spending(self) -> None:
        """Lets another integration call with the same key at the rate `others`, which may change at any time."""

        def call() -> None:
            self.limits.spend(self.clock.now())

        await self._keep(call, lambda: self.tuning.others / 3_600)

    async def _keep(self, act: Callable[[], None], rate: Callable[[], float]) -> None:
        """Calls `act` again and again.

        rate  returns the number of calls per simulated second
        """
        due, last = 0.0, self.clock.now()
        while True:
            await anyio.sleep(max(SHORTEST_REST, min(0.25, self.clock.real_seconds(1 / max(1 / 60, rate())))))
            now = self.clock.now()
            due += (now - last) * rate()
            last = now
            while due >= 1:
                due -= 1
                act()


@asynccontextmanager
async def serve(options: SandboxOptions) -> AsyncIterator[Sandbox]:
    """Runs a sandbox until the block ends. Enter and leave it in the same task, as with any anyio task group."""
    sandbox = await anyio.to_thread.run_sync(Sandbox, options)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        try:
            async with (
                sandbox.files_served(),
                _listening(sandbox.application(tasks), options.host, options.port) as sandbox.url,
            ):
                tasks.start_soon(sandbox.keep_working, name="sandbox users")
                tasks.start_soon(sandbox.keep_spending, name="another integration")
                tasks.start_soon(sandbox.company.webhooks.deliver, name="sandbox webhooks")
                yield sandbox
        except Exception as error:  # noqa: BLE001 - raised again below, out of the task group's wrapping
            failure = error
        finally:
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


@asynccontextmanager
async def _listening(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serves until the block ends, and yields the origin."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_AT_END)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()
