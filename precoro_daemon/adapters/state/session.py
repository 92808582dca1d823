"""what repositories need of an engine: sessions, transactions, and the guard of what may be sent

A repository names a statement (`mirror.count_live`: file and name), and a session runs its engine's text for it.
Values are given in the order of the question marks, or by name. Results do not depend on the session: rows may leave
its thread and outlive its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Values = Mapping[str, Any] | Sequence[Any]

Asked = tuple[str, Values]
"""A statement and its values."""


class Row(Protocol):
    """Gives its values by column name, by position, and in order."""

    def __getitem__(self, key: str | int, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Sequence[str]: ...


class Session(Protocol):
    """Reads and writes for one function, inside a transaction or outside of one. Blocking."""

    def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        """Returns all rows; later writes do not change them."""
        ...

    def row(self, statement: str, values: Values = ()) -> Row | None:
        """Returns the first row."""
        ...

    def value(self, statement: str, values: Values = ()) -> Any:
        """Returns the only value of a statement that always has one row."""
        ...

    def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        """Returns the rows of each statement, in one message if messages cost something."""
        ...

    def run(self, statement: str, values: Values = ()) -> int:
        """Runs a statement and returns the number of rows written."""
        ...

    def run_many(self, statement: str, rows: Iterable[Values]) -> int:
        """Runs the statement once for each row, in order, and returns the total number of rows written."""
        ...

    def put(self, statement: str, values: Values = ()) -> None:
        """Runs a statement whose row count is not needed. It may be sent with the next one, before which it runs; its
        error is raised there, at the latest at the end of the transaction.
        """
        ...

    def put_many(self, statement: str, rows: Iterable[Values]) -> None: ...

    def flush(self) -> None:
        """Runs what is still queued."""
        ...


class Transactions(Protocol):
    """Runs functions on a session, one after the other: there is one writer. Raises StoreUnusable.

    Cancellation waits for the function to end: when the caller continues, it is done or never began.
    """

    async def write(
        self, work: Callable[[Session], T], *, then: Callable[[T], None] | None = None, patience: float = 0.0
    ) -> T:
        """Runs `work` as one transaction, durable on return. An error in `work` rolls everything back.

        `patience`: real seconds for which it may wait for another write, to run before it and share its commit. It
        may then run twice, with the first run rolled back; and it is done even if the caller is cancelled.

        `then` gets the result once that is durable, before anything else runs. With it, a store whose state is gone
        is never written to, however recently it was there, because something is about to be done on the strength of
        this commit.
        """
        ...

    async def read(self, work: Callable[[Session], T]) -> T:
        """Runs `work` outside of a transaction: two statements may see different states only if `work` writes."""
        ...

    async def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        """Returns the rows of one statement."""
        ...

    async def row(self, statement: str, values: Values = ()) -> Row | None:
        """Returns the first row of one statement."""
        ...

    async def value(self, statement: str, values: Values = ()) -> Any:
        """Returns the only value of one statement."""
        ...

    async def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        """Returns the rows of several statements."""
        ...

    async def run(self, statement: str, values: Values = ()) -> int:
        """Runs one statement as a transaction."""
        ...

    async def run_many(self, statement: str, rows: Sequence[Values]) -> int:
        """Runs one statement for each row, as one transaction."""
        ...
