"""What the contract suites ask of a backend beside its store: a probe that looks and meddles from outside."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, Self

from precoro_daemon.adapters.state.ports import Store


class Backend(Protocol):
    """One state, opened as often as a test likes."""

    duplicate: str
    """What its error says where a second row of a key is refused."""

    def open(self) -> AbstractAsyncContextManager[Store]: ...

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a table or view as another program sees them now, whoever holds the state."""
        ...

    def change(self, sql: str) -> None:
        """Written behind the back of the store. Raises what the database says if it refuses."""
        ...

    async def is_durable(self, store: Store) -> bool:
        """Whether the open store has what it wrote survive a loss of power."""
        ...

    def copied(self, elsewhere: Path, *, whole: bool) -> Self:
        """A copy of the state as a careless person makes it: `whole`, with what guards against its being restored."""
        ...

    def put_back(self, copy: Self) -> None:
        """A copy takes the place of the state; what guards it stays."""
        ...

    def wipe(self) -> None:
        """The state is gone; what guards it stays."""
        ...

    def lose_guard(self) -> None:
        """What guards it is gone."""
        ...
