"""writes that may wait for another write and share its commit

Theory of operation. A commit is the slowest operation of a disk, and takes a trip to the state's thread. The
result of
a call can wait for the charge of the next call, which must be durable before that call leaves and follows within a
second: then a call takes one commit instead of two. The caller waits as before, so nothing counts as stored that is
not. A process that is killed meanwhile loses an answer that was only in memory, as if it had arrived a second later.

Waiting writes run first, in order. If one of them fails, or the write that they joined, or the commit, all of them
are
rolled back; then each runs on its own, and each caller gets the outcome of its own write only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import anyio

from precoro_daemon.adapters.state.session import Session

T = TypeVar("T")

Work = Callable[[Session], Any]
Commit = Callable[[Work], Awaitable[Any]]
"""Runs a function as one transaction; durable on return."""

_MOST_PATIENT = 8
"""The most waiting writes: more would gain little, and their callers have other work."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """result  the work's result, once it is durable
    over    set when it is durable, or was rolled back
    """

    work: Work
    over: anyio.Event = field(default_factory=anyio.Event)
    durable: bool = False
    result: Any = None


class JoinedWrites:
    """`commit` runs one function after the other, in the order of the calls."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: list[_Waiting] = []

    async def write(self, work: Callable[[Session], T], patience: float) -> T:
        """Implements `Transactions.write`, which has the contract."""
        if patience > 0 and len(self._waiting) + 1 < _MOST_PATIENT:
            return cast("T", await self._with_the_next(_Waiting(work), patience))
        if self._waiting:
            return cast("T", await self._take_along(work))
        return cast("T", await self._commit(work))

    async def _with_the_next(self, waiting: _Waiting, patience: float) -> Any:
        self._waiting.append(waiting)
        try:
            with anyio.move_on_after(patience):
                await waiting.over.wait()
        finally:
            # Also where the caller is cancelled: what a call was spent on is not thrown away.
            with anyio.CancelScope(shield=True):
                await self._settle(waiting)
        return waiting.result

    async def _settle(self, waiting: _Waiting) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        else:
            await waiting.over.wait()
        if not waiting.durable:
            waiting.result = await self.write(waiting.work, 0.0)

    async def _take_along(self, work: Work) -> Any:
        others, self._waiting = self._waiting, []
        joined = _Joined(work, others)
        try:
            with anyio.CancelScope(shield=True):  # the others must hear what became of them
                result = await self._commit(joined.carry_out)
            for one in others:
                one.durable = True
        except Exception:
            if joined.reached_its_end:
                raise
            result = await self._commit(work)
        finally:
            for one in others:
                one.over.set()
        return result


@dataclass(slots=True)
class _Joined:
    """reached_its_end  whether every earlier work of the transaction succeeded"""

    work: Work
    others: Sequence[_Waiting]
    reached_its_end: bool = False

    def carry_out(self, session: Session) -> Any:
        """Runs all the work, inside a transaction."""
        for one in self.others:
            one.result = one.work(session)
        session.flush()  # what is wrong with theirs is not the work's
        self.reached_its_end = True
        return self.work(session)
