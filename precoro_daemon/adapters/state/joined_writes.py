"""writes that may wait for another one, to become durable in one commit with it

Theory of operation. A commit is the slowest thing that a disk does, and takes a trip to the thread of the state. What
an answer brought can wait for the charge of the next call, which must be durable before that call leaves and comes
within a second: then a call takes one commit, not two. The caller waits as before, so nothing counts as kept that is
not. Who is killed meanwhile loses an answer that was in memory alone, as if it had come a second later.

Those that wait are carried out first, in their order. Where one of them fails, or the write that took them along, or
their commit, all of it is taken back; then each is carried out by itself, and each caller hears of its own alone.
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
"""More would gain little, and who waits has other things to do."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """`result`: what came of the work, once it is `durable` · `over`: it is, or it was taken back"""

    work: Work
    over: anyio.Event = field(default_factory=anyio.Event)
    durable: bool = False
    result: Any = None


class JoinedWrites:
    """`commit` runs what it is given one after the other, in the order of the calls."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: list[_Waiting] = []

    async def write(self, work: Callable[[Session], T], patience: float) -> T:
        """`Transactions.write`, where the contract is written."""
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
    """`reached_its_end`: no other one failed before the work's turn came"""

    work: Work
    others: Sequence[_Waiting]
    reached_its_end: bool = False

    def carry_out(self, session: Session) -> Any:
        """Runs inside a transaction."""
        for one in self.others:
            one.result = one.work(session)
        session.flush()  # what is wrong with theirs is not the work's
        self.reached_its_end = True
        return self.work(session)
