"""what a worker sees of its whole fleet: who serves which company, and who has other settings for it"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import anyio

from precoro_daemon.errors import StoreUnavailable
from precoro_daemon.settings import Settings
from precoro_daemon.settings.model import SECRETS
from precoro_daemon.telemetry import get_logger

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.postgresql.fleet_commands import PostgresFleet, WorkerRow

_log = get_logger()

_READ_EVERY_S = 5.0
"""Seconds between two readings."""

_SECRETS = frozenset(str(path[-1]) for path in SECRETS)
_MAY_DIFFER = _SECRETS | {"fleet", "watch", "log", "daemon", "listen", "public_url"}
"""Sections and keys in which workers may differ."""


class FleetView:
    """`holders`: the living worker of each company, None where nobody serves it · `crowded`: the workers take no more
    companies, and some are left · `differing`: for which companies workers have different settings, and the names of
    all that have them"""

    def __init__(self, conninfo: str, lease: float, worker: Callable[[], str]) -> None:
        """`worker`: its present id"""
        self.holders: Mapping[str, str | None] = {}
        self.crowded = self._short = False
        self.differing: Mapping[str, Sequence[str]] = {}
        self._conninfo = conninfo
        self._lease = lease
        self._worker = worker
        self._own: Mapping[str, str] = {}

    def adopt(self, companies: Mapping[str, Settings]) -> None:
        """These are the settings here."""
        self._own = {name: fingerprint(settings) for name, settings in companies.items()}

    async def run(self) -> None:
        """Until cancelled. While the database is gone, it shows what was."""
        # Who keeps states in files needs no driver.
        from precoro_daemon.adapters.state.postgresql.fleet_commands import PostgresFleet  # noqa: PLC0415

        while True:
            try:
                async with PostgresFleet(self._conninfo, self._lease) as tables:
                    while True:
                        with anyio.CancelScope(shield=True):  # a statement that is broken off costs a session
                            await self._read(tables)
                        await anyio.sleep(_READ_EVERY_S)
            except StoreUnavailable:
                await anyio.sleep(_READ_EVERY_S)  # the worker logs it

    async def _read(self, tables: PostgresFleet) -> None:
        await tables.declare(self._worker(), self._own)
        self.holders = {one.company: one.worker for one in await tables.holders()}
        self._tell_crowded(await tables.workers())
        self._tell(await tables.differing())

    def contradiction(self, company: str) -> str:
        """That workers have different settings for the company; "" if they have not."""
        return contradiction_of(self.differing.get(company, ()))

    def _tell_crowded(self, workers: Sequence[WorkerRow]) -> None:
        room = sum(
            math.inf if one.most is None else one.most for one in workers if one.left_s > 0 and not one.draining
        )
        short = 0 < room < len(self.holders)
        if short and self._short and not self.crowded:
            _log.warning("fleet_crowded", companies=len(self.holders), room=room, advice="start another worker")
        self.crowded, self._short = short and self._short, short  # others may be about to join

    def _tell(self, differing: Mapping[str, Sequence[str]]) -> None:
        ours = {name: workers for name, workers in differing.items() if name in self._own}
        for name, workers in ours.items():
            if self.differing.get(name) != workers:
                _log.warning(
                    "settings_differed", company=name, workers=list(workers), reason=contradiction_of(workers)
                )
        self.differing = ours


def contradiction_of(workers: Sequence[str]) -> str:
    names = " and ".join(workers)
    return f"its settings differ between the workers {names}: give all the same files, and reload" if workers else ""


def fingerprint(settings: Settings) -> str:
    """Of what a company is served by: the same on all machines that have the same files. No secret is in it, and no
    default, as another version may have more of those."""
    found = settings.model_dump(mode="json", exclude_defaults=True)
    return blake2b(json.dumps(_shared(found), sort_keys=True).encode(), digest_size=12).hexdigest()


def _shared(found: Any) -> Any:
    """Without secrets, and where those stand."""
    if not isinstance(found, dict):
        return found
    kept = {name: _shared(one) for name, one in found.items() if name not in _MAY_DIFFER and name[-5:] != "_file"}
    return {name: one for name, one in kept.items() if one != {}}
