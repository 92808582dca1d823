"""a company's fence in a fleet: every writing transaction checks the company's epoch and holder

A worker that was stopped, or whose machine was suspended, may believe that it still serves a company that another
worker has taken over. So each transaction of the company's state begins with one statement that finds the company's
row by epoch and holder, and takes a shared lock on it. If the row is another worker's by then, nothing is written. If
it is still ours, a hand-over waits for the end of the transaction, because it must change the row. So the
transactions
of two holders never overlap, and all of an earlier epoch precede any of a later one.

The worker may also be stopped inside the transaction, while it has the lock. The same statement makes the server end
the session after one lease without a statement. If the server waits for the data of a COPY instead, the worker that
takes the company over ends the dead worker's sessions by their name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from precoro_daemon.adapters.state.postgresql.fleet_session import LEASE_STATEMENTS
from precoro_daemon.errors import Deposed
from precoro_daemon.runtime.tenure import Holding, reserve


@dataclass(frozen=True, slots=True)
class EpochFence:
    """Implements `Fence` for one company under one epoch.

    lease  seconds
    """

    holding: Holding
    worker: str
    lease: float

    def check(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        if not self._found("check", cursor, beginning):
            raise self._deposed("another worker of the fleet serves it now; nothing was written")

    def check_permit(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        if not self._found("check_permit", cursor, beginning):
            raise self._deposed("its lease is lost or too old for a payment; nothing was sent")

    def _found(self, statement: str, cursor: psycopg.Cursor[Any], beginning: bytes) -> bool:
        values = {
            "company": self.holding.company,
            "epoch": self.holding.epoch,
            "worker": self.worker,
            "lease_ms": str(int(self.lease * 1000)),
            "reserve": reserve(self.lease),
        }
        asked = psycopg.ClientCursor(cursor.connection).mogrify(LEASE_STATEMENTS[statement].encode(), values)
        cursor.execute(b"; ".join((beginning, asked.encode())) if beginning else asked.encode())
        while cursor.nextset():
            pass  # the answer is the last one's
        return cursor.fetchone() is not None

    def _deposed(self, reason: str) -> Deposed:
        return Deposed(f"The company {self.holding.company} is served here no more: {reason}.")
