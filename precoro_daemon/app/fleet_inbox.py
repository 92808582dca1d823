"""webhooks of a fleet: taken at any worker, brought to the states of companies that are served here"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import anyio
from anyio.abc import TaskGroup

from precoro_daemon.adapters.listener.webhooks import Entrance, Reception
from precoro_daemon.app.state import schema, server_of
from precoro_daemon.app.values import clock_for
from precoro_daemon.errors import StoreHeld, StoreUnavailable, StoreUnusable
from precoro_daemon.mirror.ports.deliveries import UNKNOWN_TYPE
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.settings import Fleet, Settings, State
from precoro_daemon.telemetry import bind, get_logger

_log = get_logger()

_HEARS_FOR_S = 60.0
"""Seconds of one waiting for notices."""

_AGAIN_S = 5.0
"""Seconds until what failed is tried again."""

_LEFT_OVER_S = 60.0
"""Seconds until a full state is offered again what it had no room for."""


class FleetInbox:
    """Takes webhooks for all companies of a directory, wherever they are served. What came anywhere for those that
    are served here, it brings to their states."""

    def __init__(
        self, fleet: Fleet, state: State, entrance: Entrance, answers: Callable[[str], Counter[int]]
    ) -> None:
        """`answers`: counts what webhooks of a company are answered"""
        # Who keeps states in files needs no driver.
        from precoro_daemon.adapters.state.postgresql.inbox import PostgresInbox  # noqa: PLC0415

        self._inbox = PostgresInbox(server_of(state).conninfo, fleet.lease)
        self._entrance = entrance
        self._answers = answers
        self._admitted: dict[str, tuple[tuple[str, ...], anyio.CancelScope]] = {}
        self._nudges: dict[str, anyio.Event] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self._hear()
                except StoreUnavailable:
                    await anyio.sleep(_AGAIN_S)  # the worker logs it
        finally:
            with anyio.CancelScope(shield=True):
                await self._inbox.close()

    async def _hear(self) -> None:
        """Of what came while nobody listened there is no notice: so all companies are checked after that."""
        heard: Iterable[str] = await self._inbox.heard(0)
        self._nudge(self._nudges)
        while True:
            self._nudge(heard)
            heard = await self._inbox.heard(_HEARS_FOR_S)

    def _nudge(self, companies: Iterable[str]) -> None:
        for company in companies:
            if (nudge := self._nudges.get(company)) is not None:
                nudge.set()

    def admit(self, companies: Mapping[str, Settings], tasks: TaskGroup) -> None:
        """Take webhooks of these from now on, each by its present secrets."""
        wanted = {name: secrets for name, one in companies.items() if (secrets := one.apply_deliveries.secrets)}
        for name in [name for name, (secrets, _) in self._admitted.items() if wanted.get(name) != secrets]:
            self._admitted.pop(name)[1].cancel()
        for name, secrets in wanted.items():
            if name not in self._admitted:
                scope = anyio.CancelScope()
                self._admitted[name] = secrets, scope
                work = partial(self._take, name, companies[name], scope)
                tasks.start_soon(guarded, f"the webhooks of {name}", work, name=f"webhooks of {name}")

    async def _take(self, company: str, settings: Settings, scope: anyio.CancelScope) -> None:
        bind(company=company)
        kept, clock = self._inbox.of(company, schema(settings)), clock_for(settings)
        secrets, answers = settings.apply_deliveries.secrets, self._answers(company)
        given = Reception(secrets, kept, clock, _nobody, answers, unknown=kept.announce)
        with scope:
            async with self._entrance.admitting(given):
                await anyio.sleep_forever()

    @asynccontextmanager
    async def bringing(self, company: str, reception: Reception) -> AsyncIterator[None]:
        """What came for a company that is served here, to where its reception keeps it."""
        async with anyio.create_task_group() as tasks:
            work = partial(self._bring, company, reception)
            tasks.start_soon(guarded, "the task that fetches deliveries", work, name="deliveries")
            try:
                yield
            finally:
                self._nudges.pop(company, None)
            tasks.cancel_scope.cancel()

    async def _bring(self, company: str, reception: Reception) -> None:
        while True:
            nudge = self._nudges[company] = anyio.Event()
            try:
                again_in = await self._fetch(company, reception)
            except (StoreUnusable, StoreHeld) as error:
                _log.warning("deliveries_delayed", reason=str(error))
                again_in = _AGAIN_S
            with anyio.move_on_after(again_in):
                await nudge.wait()

    async def _fetch(self, company: str, reception: Reception) -> float | None:
        """Seconds after which there may be room for what was left over; None if nothing was."""
        found = await self._inbox.waiting(company)
        if not found:
            return None
        for one in found:
            if one.type == UNKNOWN_TYPE:
                await reception.unknown(one.id)
        known = tuple(one for one in found if one.type != UNKNOWN_TYPE)
        refused = set(await reception.deliveries.note(known, at=reception.clock.now())) if known else set()
        await self._inbox.remove(company, {one: often for one, often in found.items() if one not in refused})
        reception.wake()
        return _LEFT_OVER_S if refused else None


def _nobody() -> None:
    """The holder is notified by the database."""
