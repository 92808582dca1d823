"""what every transaction asks first: is the company still ours"""

from __future__ import annotations

from typing import Any, Protocol

import psycopg


class Fence(Protocol):
    """Both run inside a transaction, before anything else in it. They raise Deposed, and nothing is written then."""

    def check(self, cursor: psycopg.Cursor[Any]) -> None:
        """The company cannot change hands before the transaction ends."""
        ...

    def check_permit(self, cursor: psycopg.Cursor[Any]) -> None:
        """The same; and the lease runs long enough for what is about to be done by leave of this transaction."""
        ...
