"""the check that refuses a write when the company belongs to another worker"""

from __future__ import annotations

from typing import Any, Protocol

import psycopg


class Fence(Protocol):
    """Checks a transaction from inside, before its other statements. Blocking.

    `beginning` has the statements that start the transaction, and is sent in the same message. Both methods raise
    StoreHeld
    or StoreUnusable; the transaction is then rolled back.
    """

    def check(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        """Called at the start of every writing transaction."""
        ...

    def check_permit(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        """Does the same for a transaction that permits sending: enough of the lease must be left."""
        ...
