"""what people leave for a fleet in its database: companies, moves, drains, commands"""

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
    """up_s       seconds since it joined
    left_s     seconds left of its lease; below zero it is dead
    companies  how many it holds
    most       how many it accepts, None for any number
    """

    name: str
    draining: bool
    up_s: float
    left_s: float
    companies: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class HolderRow:
    """worker    None while no living worker serves the company
    for_s     seconds since then, None for a new company
    moved_to  the worker to which a person moved it
    """

    company: str
    worker: str | None
    epoch: int
    moved_to: str | None
    for_s: float | None


class PostgresFleet(AbstractAsyncContextManager["PostgresFleet"]):
    """Usable on any machine that reaches the database. Raises StoreUnavailable, StoreUnusable."""

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
        """Adds the schemas of companies, leaves known ones unchanged, and returns why some could not be added as
        given.
        """
        given = {"companies": list(schemas), "schemas": list(schemas.values())}
        await self._session.rows("enrol", **given)
        otherwise = await self._session.rows("enrolled_otherwise", **given)
        return {row["name"]: _otherwise(**row) for row in otherwise}

    async def forget(self, company: str) -> bool:
        """Removes a company. Returns False if it does not exist, or a living worker serves it."""
        return bool(await self._session.rows("forget", company=company))

    async def workers(self) -> Sequence[WorkerRow]:
        return [WorkerRow(**row) for row in await self._session.rows("workers")]

    async def holders(self) -> Sequence[HolderRow]:
        return [HolderRow(**row) for row in await self._session.rows("holders")]

    async def declare(self, worker: str, configurations: Mapping[str, str]) -> None:
        """Saves a hash of each company's settings on this worker."""
        await self._session.rows("declare", worker=worker, own=Jsonb(dict(configurations)))

    async def differing(self) -> Mapping[str, Sequence[str]]:
        """Returns the companies for which living workers have different settings, and those workers' names."""
        return {row["company"]: row["workers"] for row in await self._session.rows("differing")}

    async def move(self, company: str, name: str) -> bool:
        """Moves a company to a worker, where it stays until it is moved again or that worker ends.

        Returns False if there is no such company, or no living worker of that name that is not drained.
        """
        return bool(await self._session.rows("move", company=company, name=name))

    async def drain(self, name: str) -> int:
        """Drains all living workers of that name: they hand back what they hold and accept nothing more. Returns
        their number.
        """
        return len(await self._session.rows("drain", name=name))

    async def give(self, company: str, command: str, arguments: Mapping[str, Any], given_by: str) -> int:
        """Leaves a command and returns its number. The worker that holds the company is notified, now or when one
        does.
        """
        rows = await self._session.rows(
            "give", company=company, command=command, arguments=Jsonb(dict(arguments)), given_by=given_by
        )
        number: int = rows[0]["id"]
        return number

    async def take_commands(self, worker: str, companies: Collection[str]) -> Sequence[FleetCommand]:
        """Takes the commands for companies that this worker holds.

        Each command is taken once. If the worker dies, the command is lost and its outcome stays empty.
        """
        rows = await self._session.rows("take_commands", worker=worker, companies=list(companies))
        return [FleetCommand(**row) for row in rows]

    async def withdraw(self, command: int) -> bool:
        """Withdraws a command. Returns False if a worker took it."""
        return bool(await self._session.rows("withdraw", command=command))

    async def outcome(self, command: int) -> str | None:
        """Returns a command's outcome, None while there is none."""
        rows = await self._session.rows("outcome", command=command)
        return rows[0]["outcome"] if rows else None

    async def wait(self, seconds: float) -> None:
        """Waits until the fleet changes, at most `seconds`."""
        await self._session.wait(seconds)

    async def finish(self, worker: str, command: int, outcome: str) -> None:
        await self._session.rows("finish", worker=worker, command=command, outcome=outcome)


def _otherwise(name: str, known_name: str, known_schema: str) -> str:
    other = f"with the state {known_schema}" if name == known_name else f"as {known_name}"
    return (
        f"the fleet knows this company {other}; give its file that name and that state again, or end it on every "
        f"worker and run `fleet forget {known_name}`"
    )
