"""webhooks of a fleet: stored without a lease wherever they arrive, fetched by the company's holder

A webhook is a hint without a time. So it is stored beside the leases, in a transaction that needs no lease, and gets
its time when the company's holder moves it into the state, by the holder's clock: the clocks of two machines are
never
compared. The holder deletes it afterwards. If the holder dies in between, the next one moves it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from precoro_daemon.adapters.state.postgresql.fleet_session import FleetSession
from precoro_daemon.mirror.ports.deliveries import UNKNOWN_TYPE, Delivery

_MOST_WAITING = 10_000
"""Announced records of one company that are not yet in its state: as many as may wait there."""


class PostgresInbox:
    """The webhooks of all companies of a fleet. Raises StoreUnavailable, StoreUnusable."""

    def __init__(self, conninfo: str, lease: float) -> None:
        self._session = FleetSession(conninfo, lease)
        self._hearing = FleetSession(conninfo, lease, channel="precoro_deliveries")
        self._session.worker = self._hearing.worker = "precoro-daemon webhooks"
        self._turn = anyio.Lock()

    def of(self, company: str, schema: str) -> CompanyInbox:
        return CompanyInbox(self, company, schema)

    async def put(self, company: str, schema: str, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Stores deliveries durably and notifies the holder.

        Returns those that were not stored: too many wait, or the fleet does not know the company with this state.
        """
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
        """Returns the company's waiting deliveries, and how often each arrived."""
        async with self._alone():
            rows = await self._session.rows("waiting_deliveries", company=company)
        return {Delivery(row["type"], row["id"], row["idn"]): row["received"] for row in rows}

    async def remove(self, company: str, taken: Mapping[Delivery, int]) -> None:
        """Deletes the deliveries that were moved. Those that arrived again meanwhile stay."""
        given = {"types": [one.type for one in taken], "ids": [one.id for one in taken]}
        async with self._alone():
            await self._session.rows("remove_deliveries", company=company, received=list(taken.values()), **given)

    async def heard(self, seconds: float) -> Collection[str]:
        """Waits at most `seconds` and returns the companies with new deliveries.

        It misses what arrived before the first call, or between two calls of which one failed.
        """
        return await self._hearing.wait(seconds)

    async def close(self) -> None:
        await self._session.close()
        await self._hearing.close()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Serialises statements on the session and never interrupts one, because that would cost all users their
        session.
        """
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
        """Notifies the company's holder of a webhook with an unknown type."""
        await self._inbox.put(self._company, self._schema, [Delivery(UNKNOWN_TYPE, type_)])
