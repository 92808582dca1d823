"""the token that a request carries: supplied fresh for each, renewed when it is refused"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import anyio


class Bearer(Protocol):
    """Supplies the token to send. Used only from the loop; no error shows a token."""

    async def token(self) -> str:
        """Returns the token to send now.

        Raises TemporaryError if it cannot be obtained at present and nothing was lost, LoginNeeded if a person must
        log in again.
        """
        ...

    async def renew(self, refused: str) -> None:
        """Records that the server answered 401 to this token. The next `token` returns another one, or raises."""
        ...


@dataclass(frozen=True, slots=True)
class SuppliedBearer:
    """Implements `Bearer` with a token that another program keeps fresh.

    supply  reads it, off the loop, before every request; raises TemporaryError
    """

    supply: Callable[[], str] = field(repr=False)

    async def token(self) -> str:
        return await anyio.to_thread.run_sync(self.supply)

    async def renew(self, refused: str) -> None:
        """Does nothing: the program that keeps it fresh may have replaced it by now."""
