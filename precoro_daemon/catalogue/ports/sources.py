"""the source of wanted items"""

from __future__ import annotations

from typing import Protocol

from precoro_daemon.catalogue.rules.sheets import Sheet


class WantedSource(Protocol):
    """A source of wanted items."""

    async def read(self, supplier: str) -> Sheet:
        """Returns all rows in order. `supplier` is the user's name for it. Idempotent; cancellation leaves nothing
        behind.

        Raises PermanentError if the file does not exist or is no table, TemporaryError if the database cannot be
        reached,
        FatalError if the configuration does not fit it.
        """
        ...
