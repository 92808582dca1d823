"""what may refuse a write because the company belongs to another worker by now"""

from __future__ import annotations

from typing import Any, Protocol

import psycopg


class Fence(Protocol):
    """Asked inside the transaction that it guards, before anything else of it. Blocking.

    `beginning`: the statements with which the transaction begins, sent in the same message. Both raise StoreHeld or
    StoreUnusable; the transaction is then taken back.
    """

    def check(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        """At the start of every transaction that writes."""
        ...

    def check_permit(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        """The same, where something is sent by leave of the transaction: enough of the lease must be left."""
        ...
