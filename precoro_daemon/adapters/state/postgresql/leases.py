"""the leases of a fleet in PostgreSQL: the living workers, and who holds which company in which epoch

The rules are in `runtime.tenure`, the statements in leases.sql. Only the database's clock is used.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from time import monotonic

import anyio
from psycopg.rows import DictRow

from precoro_daemon.adapters.state.postgresql.fleet_session import FleetSession
from precoro_daemon.adapters.state.postgresql.lease_renewal import LeaseRenewal
from precoro_daemon.runtime.tenure import Fleet, Holding, Standing, reserve, turn_every

_NAME_LENGTH = 40
"""PostgreSQL keeps 63 bytes of an application name, which must contain a whole id."""


class PostgresLeases:
    """Implements `Leases`."""

    def __init__(
        self, conninfo: str, lease: float, name: str, *, egress: str | None = None, most: int | None = None
    ) -> None:
        """lease   seconds
        name    the worker's name for people
        egress  the address from which it calls, None if unknown
        most    the number of companies that it accepts, None for any number
        """
        self._session = FleetSession(conninfo, lease)
        self._renewal: LeaseRenewal | None = None
        self._conninfo = conninfo
        self._lease = lease
        self._name = name
        self._egress = egress
        self._most = most

    @property
    def worker(self) -> str:
        return self._session.worker

    @property
    def standing(self) -> Standing:
        return Standing(self._lease) if self._renewal is None else self._renewal.standing

    async def join(self, *, draining: bool = False) -> None:
        """Joins the fleet. `draining`: the others do not count on it, as on a command that ends in a moment."""
        await self._session.close()
        readable = self._name.encode("ascii", "replace").decode()[:_NAME_LENGTH]
        self._session.worker = f"{readable}/{secrets.token_hex(8)}"
        await self._session.rows("make")
        await self._session.rows("forget_dead")
        await self._session.rows("forget_commands")
        joined_at = monotonic()
        await self._session.rows(
            "join",
            worker=self.worker,
            name=self._name,
            egress=self._egress,
            most=self._most,
            lease=self._lease,
            draining=draining,
        )
        self._renewal = LeaseRenewal(self._conninfo, self.worker, self._lease, joined_at)

    async def keep(self) -> None:
        assert self._renewal is not None, "it has joined"
        with self._renewal as renewal:
            while not renewal.standing.over(monotonic()):
                renewal.hear()
                await anyio.sleep(turn_every(self._lease))

    def doubt(self) -> None:
        if self._renewal is not None:
            self._renewal.doubt()

    async def holdings(self) -> Sequence[Holding] | None:
        rows = await self._session.rows("holdings", worker=self.worker)
        return _holdings(rows) if rows else None

    async def survey(self, known: Collection[str]) -> Fleet:
        rows = await self._session.rows("survey", worker=self.worker, known=list(known))
        serving = [row for row in rows if not row["draining"]]
        return Fleet(
            companies=rows[0]["companies"] if rows else 0,
            free=rows[0]["free"] if rows else 0,
            held={row["id"]: row["held"] for row in serving},
            names=frozenset(row["name"] for row in serving),
            moved_here=next((row["moved_here"] for row in serving if row["id"] == self.worker), 0),
            only_here=frozenset(rows[0]["only_here"] or () if rows else ()),
            most={row["id"]: row["most"] for row in serving if row["most"] is not None},
            sharing=sum(row["egress"] == self._egress for row in rows),
        )

    async def take(self, known: Collection[str], most: int) -> Sequence[Holding]:
        taken = await self._session.rows("take", worker=self.worker, name=self._name, known=list(known), most=most)
        if len(taken) < most:
            await self._session.rows("end_sessions")
        return _holdings(taken)

    async def seize(self, company: str) -> Sequence[Holding]:
        """Takes a company, even from a living worker, which stops serving it at once."""
        return _holdings(await self._session.rows("seize", worker=self.worker, company=company))

    async def release(self, companies: Collection[str]) -> Collection[str]:
        rows = await self._session.rows("release", worker=self.worker, companies=list(companies))
        return {row["name"] for row in rows}

    async def leave(self) -> None:
        with anyio.move_on_after(reserve(self._lease)):
            await self._session.rows("leave", worker=self.worker)

    async def wait(self, seconds: float) -> None:
        await self._session.wait(seconds)

    async def close(self) -> None:
        await self._session.close()


def _holdings(rows: Sequence[DictRow]) -> Sequence[Holding]:
    """Returns the holdings. The row of a worker that holds nothing has no company."""
    return [Holding(row["name"], row["epoch"], row["schema"], row["moved_to"]) for row in rows if row["name"]]
