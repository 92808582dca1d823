"""the token that a request carries: supplied fresh for each, renewed when it is refused"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import anyio


class Bearer(Protocol):
    """Who may say what token is sent. Used from the loop alone; nothing it raises shows a token."""

    async def token(self) -> str:
        """The token to send now.

        Raises TemporaryError where it cannot be had at present and nothing was lost; LoginNeeded where a person must
        log in again.
        """
        ...

    async def renew(self, refused: str) -> None:
        """The server answered 401 to this token. The next `token` gives another one where there is one, or raises."""
        ...


@dataclass(frozen=True, slots=True)
class SuppliedBearer:
    """Implements `Bearer` with a token that somebody else keeps fresh.

    supply  reads it, off the loop, before every request; raises TemporaryError
    """

    supply: Callable[[], str] = field(repr=False)

    async def token(self) -> str:
        return await anyio.to_thread.run_sync(self.supply)

    async def renew(self, refused: str) -> None:
        """Nothing to do here: the program that keeps it fresh may have replaced it by now."""
