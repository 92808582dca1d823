"""where wanted items come from"""

from __future__ import annotations

from typing import Protocol

from precoro_daemon.catalogue.rules.sheets import Sheet


class WantedSource(Protocol):
    """Where wanted items come from."""

    async def read(self, supplier: str) -> Sheet:
        """All rows, in their order. `supplier` is what the user calls it. Reading is idempotent; cancellation leaves
        nothing behind.

        Raises PermanentError where there is no such file or it is no table, TemporaryError where the database cannot
        be reached, FatalError where the configuration does not fit it.
        """
        ...
