"""this process as one worker of a fleet: it serves the companies whose leases it has"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager

import anyio

from precoro_daemon.adapters.listener.control import Executor
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.fleet_view import FleetView
from precoro_daemon.app.state import fenced_state, schema, server_of
from precoro_daemon.errors import StoreUnavailable
from precoro_daemon.runtime.fleet_worker import FleetWorker, Tenancy
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.settings import Fleet, Settings, State
from precoro_daemon.status.companies import CompanyGlance
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_AGAIN_S = 5.0
"""Seconds until companies are enrolled, whose database could not be reached."""


class LeaseTenure:
    """Implements `Tenure` by the lease of a worker: each transaction of the company's state asks for it."""

    def __init__(self, tenancy: Tenancy, worker: str, lease: float) -> None:
        self._tenancy = tenancy
        self._worker = worker
        self._lease = lease

    @asynccontextmanager
    async def hold(self, settings: Settings) -> AsyncIterator[Store]:
        async with fenced_state(settings, self._tenancy.holding, self._worker, self._lease).open() as store:
            yield store


Serve = Callable[[Tenancy, LeaseTenure], Awaitable[None]]


class Lessee:
    """Makes the companies of a directory known to the fleet, and serves this worker's share of them.

    `name`: of this worker, for people · `foreign`: why a company can be served by no worker with this directory, by
    name · `view`: of the whole fleet
    """

    def __init__(
        self,
        fleet: Fleet,
        state: State,
        serve: Serve,
        executors: Mapping[str, Executor],
        share_address: Callable[[int], None],
    ) -> None:
        """`serve` one company, until it is stopped for good or `Tenancy.ending` is set · `executors`: of commands for
        the companies that are served at present · `share_address`: called with how many workers have its address"""
        # Who keeps states in files needs no driver.
        from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases  # noqa: PLC0415

        self.foreign: dict[str, str] = {}
        self._fleet = fleet
        self._server = server_of(state)
        self.name = worker_name(fleet)
        egress = fleet.egress or socket.gethostname()
        self._leases = PostgresLeases(self._server.conninfo, fleet.lease, self.name, egress=egress, most=fleet.most)
        self.view = FleetView(self._server.conninfo, fleet.lease, lambda: self._leases.worker)
        self._serve = serve
        self._executors = executors
        self._companies: Mapping[str, str] = {}
        self._enrolled: Collection[str] = ()
        self._worker = FleetWorker(
            self._leases, self.name, fleet.lease, lambda: self._enrolled, self._serve_one, share_address=share_address
        )

    async def run(self) -> None:
        """Until `stop`, and all companies have been handed back. Raises StoreUnusable."""
        from precoro_daemon.app.fleet_commands import CommandPost  # noqa: PLC0415

        conninfo, lease = self._server.conninfo, self._fleet.lease
        commands = CommandPost(conninfo, lease, lambda: self._leases.worker, self._executors)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(guarded, "the post for commands", commands.run, name="commands")
            tasks.start_soon(guarded, "the view of the fleet", self.view.run, name="fleet")
            await self._worker.run()
            tasks.cancel_scope.cancel()

    def glance(self, company: str) -> CompanyGlance:
        """At one that is not served here."""
        if company not in self.view.holders:
            return CompanyGlance(company, "starting")
        holder = self.view.holders[company] or ""
        reason = self.view.contradiction(company)
        if not holder and self.view.crowded:
            reason = "every worker has as many companies as it takes (fleet.most): start another one, or raise it"
        return CompanyGlance(company, "elsewhere" if holder else "waiting", reason, worker=holder)

    def stop(self) -> None:
        self._worker.stop()

    async def enrol(self, companies: Mapping[str, Settings]) -> None:
        """These and no others may be served here. A database that is gone is waited for. Raises StoreUnusable."""
        from precoro_daemon.adapters.state.postgresql.fleet_commands import PostgresFleet  # noqa: PLC0415

        self.view.adopt(companies)
        wanted = self._companies = {name: schema(settings) for name, settings in companies.items()}
        self._enrolled = [name for name in self._enrolled if name in wanted]
        while wanted is self._companies:
            try:
                async with PostgresFleet(self._server.conninfo, self._fleet.lease) as tables:
                    foreign = await tables.enrol(wanted)
            except StoreUnavailable:
                await anyio.sleep(_AGAIN_S)  # the worker tells of it
            else:
                if wanted is self._companies:
                    self._adopt(companies, foreign)
                return

    def _adopt(self, companies: Mapping[str, Settings], foreign: Mapping[str, str]) -> None:
        self.foreign = dict(foreign)
        served = {name: settings for name, settings in companies.items() if name not in foreign}
        self._enrolled = list(served)
        self.view.adopt(served)
        for name, reason in foreign.items():
            _log.error("company_refused", company=name, reason=reason)

    async def _serve_one(self, tenancy: Tenancy) -> None:
        await self._serve(tenancy, LeaseTenure(tenancy, self._leases.worker, self._fleet.lease))


def worker_name(fleet: Fleet) -> str:
    """By which people know a worker."""
    return fleet.worker or socket.gethostname()
