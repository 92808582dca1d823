"""what is left for a fleet in its database: companies, moves, drains, commands"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from psycopg.types.json import Jsonb

from precoro_daemon.adapters.state.postgresql.fleet_session import FleetSession


@dataclass(frozen=True, slots=True)
class FleetCommand:
    """A command for whichever worker holds the company."""

    id: int
    company: str
    command: str
    arguments: Mapping[str, Any]
    given_by: str


class PostgresFleet(AbstractAsyncContextManager["PostgresFleet"]):
    """May be used on any machine that reaches the database. Raises StoreUnavailable, StoreUnusable."""

    def __init__(self, conninfo: str, lease: float) -> None:
        self._session = FleetSession(conninfo, lease)
        self._session.worker = "precoro-daemon fleet"

    async def __aenter__(self) -> Self:
        await self._session.rows("make")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def enrol(self, company: str, schema: str) -> None:
        """Known companies stay as they are."""
        await self._session.rows("enrol", company=company, schema=schema)

    async def move(self, company: str, name: str) -> bool:
        """Give a company to the worker of that name; False if there is no such company, or no such worker alive that
        is not drained. It stays there until it is moved again or that worker ends."""
        return bool(await self._session.rows("move", company=company, name=name))

    async def drain(self, name: str) -> int:
        """How many living workers of that name hand back what they hold, and take nothing any more."""
        return len(await self._session.rows("drain", name=name))

    async def give(self, company: str, command: str, arguments: Mapping[str, Any], given_by: str) -> int:
        """Its number. Whichever worker holds the company is notified, now or when one does."""
        rows = await self._session.rows(
            "give", company=company, command=command, arguments=Jsonb(dict(arguments)), given_by=given_by
        )
        number: int = rows[0]["id"]
        return number

    async def take_commands(self, worker: str) -> Sequence[FleetCommand]:
        """Those for companies that this worker holds. Each is taken once: one whose worker dies is lost, and its
        outcome stays empty."""
        return [FleetCommand(**row) for row in await self._session.rows("take_commands", worker=worker)]

    async def finish(self, worker: str, command: int, outcome: str) -> None:
        await self._session.rows("finish", worker=worker, command=command, outcome=outcome)
