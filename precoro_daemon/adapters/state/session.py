"""what repositories need of an engine: sessions, transactions, and the guard of what may be sent

A repository names a statement (`mirror.count_live`: file and name), and a session runs the text that its engine has
for it. Values stand in the order of the question marks, or by name. Nothing that a session hands out holds on to it:
rows may leave its thread and outlive its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Values = Mapping[str, Any] | Sequence[Any]

Asked = tuple[str, Values]
"""A statement, and what stands in it."""


class Row(Protocol):
    """Its values by the names of their columns, by their number, and in order."""

    def __getitem__(self, key: str | int, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Sequence[str]: ...


class Session(Protocol):
    """What is written and read by one function, inside a transaction or outside of one. Blocking."""

    def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        """All of them: what is written meanwhile changes none."""
        ...

    def row(self, statement: str, values: Values = ()) -> Row | None:
        """The first one."""
        ...

    def value(self, statement: str, values: Values = ()) -> Any:
        """The only value of a statement that always has one row."""
        ...

    def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        """The rows of each of these, asked for in one message where messages cost something."""
        ...

    def run(self, statement: str, values: Values = ()) -> int:
        """How many rows it wrote."""
        ...

    def run_many(self, statement: str, rows: Iterable[Values]) -> int:
        """The statement once for each, in their order; how many rows it wrote in all."""
        ...

    def put(self, statement: str, values: Values = ()) -> None:
        """The same where nobody asks how many. It may leave with what comes next, before which it is done; what is
        wrong with it is raised there, at the latest by the end of the transaction."""
        ...

    def put_many(self, statement: str, rows: Iterable[Values]) -> None: ...

    def flush(self) -> None:
        """What was put is done."""
        ...


class Transactions(Protocol):
    """Runs functions of a session, one after the other: there is one writer. Raises StoreUnusable.

    Cancellation waits for the function to end: when the caller goes on, it is done or it never began.
    """

    async def write(
        self, work: Callable[[Session], T], *, then: Callable[[T], None] | None = None, patience: float = 0.0
    ) -> T:
        """All that `work` writes, or nothing; durable on return. What `work` raises takes everything back.

        `patience`: real seconds for which it may wait for another write, to become durable in one commit with it and
        before it. It may then be carried out twice, the first time being taken back; and of a cancelled caller it is
        done nevertheless.

        `then` gets what came of it once that is durable, before anything else is run. With it, a store whose state
        is gone is never written to, however lately it was there: something is about to be done by leave of this.
        """
        ...

    async def read(self, work: Callable[[Session], T]) -> T:
        """Outside of a transaction: two statements may see different states only if `work` writes."""
        ...

    async def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        """One statement that is read."""
        ...

    async def row(self, statement: str, values: Values = ()) -> Row | None:
        """One statement of which the first row is read."""
        ...

    async def value(self, statement: str, values: Values = ()) -> Any:
        """One statement of which the only value is read."""
        ...

    async def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        """Several that are read."""
        ...

    async def run(self, statement: str, values: Values = ()) -> int:
        """One statement as a transaction."""
        ...

    async def run_many(self, statement: str, rows: Sequence[Values]) -> int:
        """One statement for each row, as one transaction."""
        ...
