"""webhooks of a fleet: kept without a lease wherever they come in, fetched by who serves the company

A webhook is a hint without a time. So it is kept beside the leases, in a transaction that asks for no lease, and gets
its time when the holder of the company takes it into the state, by the holder's clock: the clocks of two machines are
never compared. The holder removes it after that. Where it dies in between, the next one takes it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from precoro_daemon.adapters.state.postgresql.fleet_session import FleetSession
from precoro_daemon.mirror.ports.deliveries import UNKNOWN_TYPE, Delivery

_MOST_WAITING = 10_000
"""Records of one company that are announced and not yet taken into its state: as many as may wait there."""


class PostgresInbox:
    """Of all companies of a fleet. Raises StoreUnavailable, StoreUnusable."""

    def __init__(self, conninfo: str, lease: float) -> None:
        self._session = FleetSession(conninfo, lease)
        self._hearing = FleetSession(conninfo, lease, channel="precoro_deliveries")
        self._session.worker = self._hearing.worker = "precoro-daemon webhooks"
        self._turn = anyio.Lock()

    def of(self, company: str, schema: str) -> CompanyInbox:
        return CompanyInbox(self, company, schema)

    async def put(self, company: str, schema: str, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Durable on return, and the holder is notified. Gives back those that were not kept: too many wait, or the
        fleet does not know the company with this state."""
        given = {
            "types": [one.type for one in batch],
            "ids": [one.id for one in batch],
            "idns": [one.idn for one in batch],
        }
        async with self._alone():
            rows = await self._session.rows(
                "put_deliveries", company=company, schema=schema, most=_MOST_WAITING, **given
            )
        kept = {(row["type"], row["id"]) for row in rows}
        return [one for one in batch if (one.type, one.id) not in kept]

    async def waiting(self, company: str) -> Mapping[Delivery, int]:
        """How often each came."""
        async with self._alone():
            rows = await self._session.rows("waiting_deliveries", company=company)
        return {Delivery(row["type"], row["id"], row["idn"]): row["received"] for row in rows}

    async def remove(self, company: str, taken: Mapping[Delivery, int]) -> None:
        """Those that came again since they were read stay."""
        given = {"types": [one.type for one in taken], "ids": [one.id for one in taken]}
        async with self._alone():
            await self._session.rows("remove_deliveries", company=company, received=list(taken.values()), **given)

    async def heard(self, seconds: float) -> Collection[str]:
        """Companies for which something came, as soon as it does, or after so long. What came before this is first
        called, or between two calls of which one failed, is not among it."""
        return await self._hearing.wait(seconds)

    async def close(self) -> None:
        await self._session.close()
        await self._hearing.close()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One statement at a time on the session, and none is broken off: it would cost the others their session."""
        async with self._turn:
            with anyio.CancelScope(shield=True):
                yield


class CompanyInbox:
    """Implements `DeliveryInbox` for one company."""

    def __init__(self, inbox: PostgresInbox, company: str, schema: str) -> None:
        self._inbox = inbox
        self._company = company
        self._schema = schema

    async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:  # noqa: ARG002 - the port has it
        return await self._inbox.put(self._company, self._schema, batch)

    async def announce(self, type_: int) -> None:
        """For who serves the company: a webhook of a type that nobody knows came."""
        await self._inbox.put(self._company, self._schema, [Delivery(UNKNOWN_TYPE, type_)])
