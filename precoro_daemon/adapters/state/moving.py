"""moves a state to another engine or place: completely, and never into two usable states

Source and target are held against every other process. Three commits follow one another:

1. The target gets every row, in one transaction, with the mark `arriving`. Opening it is refused.
2. The source gets the mark `moved` and is disarmed. Opening it is refused with the place it went to.
3. The target loses its mark. From here on it is the state.

If the move is killed before the second commit, the source is the state, and the next move fills the target again. If
it is killed later, the same command finds both marks, sees by their token that they belong together, and takes the
third step.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from precoro_daemon.adapters.state.journal import write_line
from precoro_daemon.adapters.state.payment_switch import read_switch
from precoro_daemon.adapters.state.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.session import Session
from precoro_daemon.errors import StoreUnusable

ENGINES_OWN = frozenset({"version", "views", "dictionary", "holder", "identity", "armed", "moved", "arriving"})
"""Keys of `meta` that belong to an engine and are not moved."""

COUNTED = frozenset({"file_counts", "intent_counts"})
"""Tables that an engine maintains itself when rows of other tables change."""

Columns = Mapping[str, Sequence[str]]
"""Columns by table; each table follows those that it refers to."""


@dataclass(frozen=True, slots=True)
class Mark:
    """token   shared by both ends of one move
    other   the other end, for people
    switch  armed, disarmed, or "" if payments were never armed
    """

    token: str
    other: str
    at: float
    switch: str = ""

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))

    @property
    def day(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Values of a column that the target cannot store.

    replaceable  whether the target always stores a substitute for them
    """

    table: str
    column: str
    count: int
    replaceable: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """rows    number of rows by table, empty if only the last step was left
    switch  as in `Mark`
    former  the new name of the state that was at the target before
    """

    source: str
    target: str
    rows: Mapping[str, int]
    switch: str
    former: str | None = None


class Departure(Protocol):
    """This company's state, held; updated to the present schema unless it was already moved. Blocking."""

    where: str
    moved: Mark | None

    def columns(self) -> Columns: ...

    def count(self, table: str) -> int: ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yields rows as SQLite stores them: booleans as integers, an idn as it was received."""
        ...

    def flaws(self, kinds: Mapping[tuple[str, str], str]) -> Sequence[Flaw]: ...

    def change(self, work: Callable[[Session, RestoreGuard], None]) -> None:
        """Runs the work in one transaction."""
        ...


class Arrival(Protocol):
    """A place for the state, held. Blocking."""

    where: str
    arriving: Mark | None
    """The mark that an interrupted move left here."""

    @property
    def kinds(self) -> Mapping[tuple[str, str], str]:
        """Returns what each column can store, by table and column; empty if it stores everything."""
        ...

    def refuse_taken(self) -> None:
        """Raises StoreUnusable if there is a state in use."""
        ...

    def fill(self, columns: Columns, rows: Callable[[str], Iterable[Sequence[Any]]], mark: Mark) -> str | None:
        """Writes all rows in one transaction, durable on return, and returns where it kept a moved state that was
        there.
        """
        ...

    def change(self, work: Callable[[Session, RestoreGuard], None]) -> None: ...


class Movable(Protocol):
    def leaving(self) -> AbstractContextManager[Departure]:
        """Opens it as the source. Raises StoreHeld, StoreUnusable."""
        ...

    def arriving(self) -> AbstractContextManager[Arrival]:
        """Opens it as the target. Raises StoreHeld, StoreUnusable."""
        ...


def move(
    source: Movable,
    target: Movable,
    *,
    armed: bool,
    replace_zeros: bool,
    on_rows: Callable[[str, int, int], None] = lambda *_: None,
) -> Moved:
    """Moves the state. `on_rows` gets a table, its rows so far, and all its rows. Blocking.

    Raises StoreHeld, StoreUnusable.
    """
    with source.leaving() as left, target.arriving() as came:
        if left.moved is not None:
            if came.arriving is None or came.arriving.token != left.moved.token:
                raise StoreUnusable(said_moved(left.where, left.moved))
            return _finish(left, came, came.arriving, {}, None)
        came.refuse_taken()
        _refuse_flaws(left, came, replace_zeros=replace_zeros)
        columns = left.columns()
        mark = Mark(secrets.token_hex(8), left.where, time.time(), _switch(left, keep=armed))
        counts = {table: left.count(table) for table in columns}

        def rows(table: str) -> Iterator[Sequence[Any]]:
            for number, row in enumerate(left.rows(table, columns[table])):
                if number % 1000 == 0:
                    on_rows(table, number, counts[table])
                yield row

        former = came.fill(columns, rows, mark)
        return _finish(left, came, mark, counts, former)


def refuse_moved(where: str, moved: str | None, arriving: str | None) -> None:
    """Raises StoreUnusable if a state being opened was moved away, or has not arrived. Both values come from
    `meta`.
    """
    if moved:
        raise StoreUnusable(said_moved(where, read_mark(moved)))
    if arriving:
        other = read_mark(arriving).other
        raise StoreUnusable(
            f"The state {where} is not complete: the move of {other} to here was cut off. Repeat `precoro-daemon "
            "state move` with the configuration that names the former place; until then nothing can use this one."
        )


def read_mark(text: str) -> Mark:
    return Mark(**json.loads(text))


def said_moved(where: str, moved: Mark) -> str:
    return (
        f"The state {where} was moved to {moved.other} on {moved.day}; it is kept as it was then and is not used any "
        "more. Name the new place (state.url)."
    )


def _switch(left: Departure, *, keep: bool) -> str:
    found = []

    def work(session: Session, guard: RestoreGuard) -> None:
        if session.row("meta.read", ("armed",)) is not None:
            found.append("armed" if keep and read_switch(session, guard).armed else "disarmed")

    left.change(work)
    return found[0] if found else ""


def _refuse_flaws(left: Departure, came: Arrival, *, replace_zeros: bool) -> None:
    flaws = left.flaws(came.kinds)
    refused = [flaw for flaw in flaws if not (flaw.replaceable and replace_zeros)]
    if not refused:
        return
    listed = ", ".join(f"{flaw.table}.{flaw.column} ({flaw.count})" for flaw in refused)
    way_out = (
        "Move with --replace-zeros to have U+FFFD in the place of each U+0000."
        if all(flaw.replaceable for flaw in refused)
        else "They were not written by this program; mend them first."
    )
    raise StoreUnusable(f"{came.where} cannot hold values of {left.where}: {listed}. {way_out} Nothing was moved.")


def _finish(left: Departure, came: Arrival, mark: Mark, rows: Mapping[str, int], former: str | None) -> Moved:
    if left.moved is None:
        gone = Mark(mark.token, came.where, mark.at)
        left.change(lambda session, guard: _leave(session, guard, gone))
    came.change(lambda session, guard: _settle(session, guard, mark))
    return Moved(left.where, came.where, rows, mark.switch, former)


def _leave(session: Session, guard: RestoreGuard, gone: Mark) -> None:
    session.run("meta.write", ("moved", gone.text))
    if session.row("meta.read", ("armed",)) is not None:
        _disarm(session, gone.at, f"the state was moved to {gone.other}")
    guard.remove()


def _settle(session: Session, guard: RestoreGuard, mark: Mark) -> None:
    session.run("meta.remove", ("arriving",))
    if mark.switch == "armed":
        session.run("meta.write", ("armed", guard.create().nonce))
        write_line(session, at=time.time(), event="arm")
    elif mark.switch:
        reason = f"the state was moved here from {mark.other}; check `payments plan`, then arm payments again"
        _disarm(session, time.time(), reason)


def _disarm(session: Session, at: float, reason: str) -> None:
    session.run("meta.write", ("armed", ""))
    write_line(session, at=at, event="disarm", reason=reason)
