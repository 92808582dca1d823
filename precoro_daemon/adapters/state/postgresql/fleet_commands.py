"""what is left for a fleet in its database: companies, moves, drains, commands"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """up_s: seconds since it joined · left_s: of its lease; below zero, it is dead · companies: that it holds ·
    most: that it takes, None for any number"""

    name: str
    draining: bool
    up_s: float
    left_s: float
    companies: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class HolderRow:
    """worker: None while no living one serves the company · for_s: seconds since that is so, None of a new company ·
    moved_to: the worker for which a person wants it"""

    company: str
    worker: str | None
    epoch: int
    moved_to: str | None
    for_s: float | None


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

    async def enrol(self, schemas: Mapping[str, str]) -> Mapping[str, str]:
        """By company. Known ones stay as they are; gives why some are not of this fleet as they were given."""
        given = {"companies": list(schemas), "schemas": list(schemas.values())}
        await self._session.rows("enrol", **given)
        otherwise = await self._session.rows("enrolled_otherwise", **given)
        return {row["name"]: _otherwise(**row) for row in otherwise}

    async def forget(self, company: str) -> bool:
        """False if there is no such company, or a living worker serves it."""
        return bool(await self._session.rows("forget", company=company))

    async def workers(self) -> Sequence[WorkerRow]:
        return [WorkerRow(**row) for row in await self._session.rows("workers")]

    async def holders(self) -> Sequence[HolderRow]:
        return [HolderRow(**row) for row in await self._session.rows("holders")]

    async def declare(self, worker: str, configurations: Mapping[str, str]) -> None:
        """What this worker goes by, as a hash for each company."""
        await self._session.rows("declare", worker=worker, own=Jsonb(dict(configurations)))

    async def differing(self) -> Mapping[str, Sequence[str]]:
        """Companies for which living workers have different settings, and the names of those workers."""
        return {row["company"]: row["workers"] for row in await self._session.rows("differing")}

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

    async def take_commands(self, worker: str, companies: Collection[str]) -> Sequence[FleetCommand]:
        """Those for companies that this worker holds. Each is taken once: one whose worker dies is lost, and its
        outcome stays empty."""
        rows = await self._session.rows("take_commands", worker=worker, companies=list(companies))
        return [FleetCommand(**row) for row in rows]

    async def withdraw(self, command: int) -> bool:
        """False if a worker took it."""
        return bool(await self._session.rows("withdraw", command=command))

    async def outcome(self, command: int) -> str | None:
        """What came of it; None so far."""
        rows = await self._session.rows("outcome", command=command)
        return rows[0]["outcome"] if rows else None

    async def wait(self, seconds: float) -> None:
        """Until something changed in the fleet, or so long."""
        await self._session.wait(seconds)

    async def finish(self, worker: str, command: int, outcome: str) -> None:
        await self._session.rows("finish", worker=worker, command=command, outcome=outcome)


def _otherwise(name: str, known_name: str, known_schema: str) -> str:
    other = f"with the state {known_schema}" if name == known_name else f"as {known_name}"
    return (
        f"the fleet knows this company {other}; give its file that name and that state again, or end it on every "
        f"worker and run `fleet forget {known_name}`"
    )
