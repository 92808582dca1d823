"""one plan in one lap: sends its writes one by one and records each outcome"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from precoro_daemon.catalogue.change_check import ChangeCheck
from precoro_daemon.catalogue.item_writer import ItemWriter, PreparedWrite, Withheld
from precoro_daemon.catalogue.plan_report import PlanReport
from precoro_daemon.catalogue.ports.gateway import ItemGateway
from precoro_daemon.catalogue.ports.plans import Catalogue, PlanState
from precoro_daemon.catalogue.rules.item_writes import Ruling, Write, is_it, rule
from precoro_daemon.catalogue.rules.items import Item
from precoro_daemon.catalogue.rules.plan import Kind
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import (
    DaemonError,
    Forbidden,
    MalformedAnswer,
    PermanentError,
    Refused,
    ServerFault,
    StaleWrite,
    TemporaryError,
)
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.writes.checks import first_check
from precoro_daemon.writes.outcome import Outcome, OutcomeKind
from precoro_daemon.writes.sending import write_once

_WRITES_BETWEEN_CHECKS = 100
"""Writes between two checks for changes by others: one call in a hundred."""

_MOST_PATIENCE_S = 70.0
"""The longest that a lap waits for a check: until the first check of a write that was just sent."""

_MOST_REFUSALS = 10
"""Refusals in a row that stop the plan: the fault then concerns all writes, and repeated errors can get a key
blocked.
"""

_MOST_UNSENT = 5
"""Unsent writes in a row that end the lap."""

_MOST_UNREAD = 5
"""Unreadable items in a row that end the lap."""

_OF_ONE_ITEM = (ServerFault, MalformedAnswer, Refused, Forbidden)
"""Answers that concern one item only. (A key that is forbidden twice gets another error the second time.)"""

_MOST_DOUBTS = 3
"""Lost answers in a row that end the lap: a server that loses its answers must not get thousands of writes with
unknown
outcomes.
"""


class _CheckFirst(DaemonError):
    """The last check for changes by others is too old to base a write on."""


@dataclass(slots=True)
class PlanLap:
    """One plan in one lap.

    stopped  why the plan does not continue, "" while it does
    ended    what ended the lap
    refusals, unsent, unread, doubts  how many in a row
    held     numbers of the writes left for the next lap
    """

    catalogue: Catalogue
    gateway: ItemGateway
    clock: Clock
    plan: PlanState
    writer: ItemWriter
    check: ChangeCheck
    report: PlanReport
    stopped: str = field(init=False)
    ended: DaemonError | None = None
    refusals: int = 0
    unsent: int = 0
    unread: int = 0
    doubts: int = 0
    held: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.stopped = self.plan.ended

    async def run(self) -> DaemonError | None:
        try:
            await self._recover()
            await self._check()
            while not self._over and (writes := await self._planned()):
                for write in writes:
                    if not self._over:
                        await self._send(write)
                self.report.advanced()
                if not self._over:
                    await self._check()
            await self._wait_for_doubts()
        except DaemonError as error:
            self.ended = error
            if isinstance(error, TemporaryError | PermanentError):
                self.report.add(str(error))
        if isinstance(self.ended, TemporaryError | PermanentError):
            self.report.paused(str(self.ended))
        return self.ended

    @property
    def _over(self) -> bool:
        return self.ended is not None or bool(self.stopped)

    async def _planned(self) -> Sequence[Write]:
        most = _WRITES_BETWEEN_CHECKS + len(self.held)
        found = await self.catalogue.writes(self.plan.number, State.PLANNED, limit=most)
        return [write for write in found if write.number not in self.held]

    async def _in_doubt(self) -> Sequence[Write]:
        return await self.catalogue.writes(self.plan.number, State.DOUBT)

    async def _recover(self) -> None:
        """Puts the writes of a process that died into doubt: they may have been carried out."""
        for write in await self.catalogue.writes(self.plan.number, State.SENDING):
            await self._lose(write, "the program ended while it was sent")

    # What others changed, and what that says of writes in doubt

    async def _check(self) -> None:
        """Decides the doubts that are due, and withholds writes to items that others changed meanwhile."""
        now = self.clock.now()
        doubts = [one for one in await self._in_doubt() if (one.check_at or 0.0) <= now]
        if not doubts and (self.check.is_fresh or self._over or not await self._planned()):
            return
        since = min([self.check.known_until, *(one.sent_at or now for one in doubts)])
        changed = await self.check.changed_since(since)
        for write in doubts:
            await self._judge(write, rule(write, changed, self.check.made_at))
        await self._withhold(changed)
        await self.catalogue.note(self.plan.number, checked_at=self.check.known_until)

    async def _judge(self, write: Write, ruling: Ruling) -> None:
        state, reason = ruling.state, ruling.reason
        if state is State.PLANNED and self.stopped:
            state, reason = State.DROPPED, "it was not carried out, and its plan is over"
        await self.catalogue.move(write, state, reason, item=ruling.item, check_at=ruling.check_at)
        if state is State.DONE:
            self._done(write, ruling.item)
        elif state is State.CONFLICT:
            self.report.skipped(write, reason)

    async def _withhold(self, changed: Mapping[int, Item]) -> None:
        keys = [key for item in changed.values() for name in ("externalId", "sku") if (key := item.text(name))]
        for write in await self.catalogue.planned_for(self.plan.number, list(changed), keys):
            if write.step.kind is Kind.CREATE:
                duplicates = [item.id for item in changed.values() if is_it(item, write.step.wanted)]
                if duplicates:
                    await self._skip(write, f"item {duplicates[0]} has come to be there meanwhile")
            elif changed[write.step.item or 0].version != write.step.version:
                await self._skip(write, "somebody changed the item at Precoro since the plan was made")

    async def _wait_for_doubts(self) -> None:
        """Waits up to a minute, because the first check resolves most doubts."""
        for _ in range(_MOST_DOUBTS):
            doubts = await self._in_doubt()
            if self.ended is not None or not doubts:
                return
            check_at = min(one.check_at or 0.0 for one in doubts)
            wait = check_at - self.clock.now()
            if wait > _MOST_PATIENCE_S:
                return
            if wait > 0:
                await self.gateway.wait(wait)
            if self.clock.now() < check_at:
                return
            await self._check()
            for write in await self._planned() if not self.stopped else ():
                if not self._over:
                    await self._send(write)

    # One write

    async def _send(self, write: Write) -> None:
        try:
            prepared = await self.writer.prepare(write)
            send = partial(self.writer.send, prepared)
            begun, outcome = await write_once(partial(self._begin, write, prepared), send, self._lose)
        except StaleWrite:
            return
        except Withheld as error:
            await self._skip(write, str(error))
        except _OF_ONE_ITEM as error:
            self._hold(write, error)
        except _CheckFirst:
            await self._check()
        else:
            await self._record(begun, outcome, prepared)

    async def _begin(self, write: Write, prepared: PreparedWrite, _: str) -> Write:
        if self.check.is_stale:
            raise _CheckFirst
        return await self.catalogue.begin(write, prepared.before, at=self.clock.now())

    async def _record(self, write: Write, outcome: Outcome[str], prepared: PreparedWrite) -> None:
        if outcome.kind is OutcomeKind.ACCEPTED and outcome.result is not None:
            await self._accept(write, outcome.result, prepared)
        elif outcome.kind is OutcomeKind.REFUSED:
            await self._refuse(write, outcome.text)
        elif outcome.kind is OutcomeKind.UNSENT:
            await self.catalogue.move(write, State.PLANNED, outcome.text)
            await self._try_later(outcome)
        else:
            await self._lose(write, outcome.text)
            self.doubts += 1
            self._end_after(self.doubts, _MOST_DOUBTS, "answers in a row were lost; the last one", outcome)

    async def _accept(self, write: Write, answer: str, prepared: PreparedWrite) -> None:
        found = await self.writer.examine(write, answer, prepared)
        await self.catalogue.move(write, State.DONE, found.reason, item=found.item)
        self._done(write, found.item)
        if found.reason:
            self.report.flawed(write, found.item, found.reason)
        if found.lost:
            await self._stop(f"item {found.item}: {found.reason}. `items show --json` has what it was; see `keep`")

    async def _refuse(self, write: Write, reason: str) -> None:
        await self.catalogue.move(write, State.REFUSED, reason)
        self.report.refused(write, reason)
        self.refusals += 1
        if self.refusals >= _MOST_REFUSALS:
            await self._stop(f"Precoro refused {self.refusals} writes in a row; the last one: {reason}")

    async def _try_later(self, outcome: Outcome[str]) -> None:
        self.unsent += 1
        self._end_after(self.unsent, _MOST_UNSENT, "writes in a row could not be sent", outcome)
        if self.ended is None:
            await self.gateway.wait(2.0**self.unsent)

    def _hold(self, write: Write, error: DaemonError) -> None:
        """Leaves a write for the next lap, so that it delays no other."""
        self.held.add(write.number)
        self.report.held(write, str(error))
        self.unread += 1
        unsent: Outcome[str] = Outcome(OutcomeKind.UNSENT, str(error))
        self._end_after(self.unread, _MOST_UNREAD, "items in a row could not be read", unsent)

    def _end_after(self, count: int, most: int, what: str, outcome: Outcome[str]) -> None:
        self.ended = outcome.ended
        if self.ended is None and count >= most:
            self.ended = TemporaryError(f"{count} {what}: {outcome.text}")
        if self.ended is not None:
            self.report.add(str(self.ended))

    async def _lose(self, write: Write, reason: str) -> None:
        check_at = first_check(write.sent_at or self.clock.now())
        await self.catalogue.move(write, State.DOUBT, reason, check_at=check_at)
        self.report.doubted(write, reason)

    async def _stop(self, reason: str) -> None:
        await self.catalogue.end(self.plan.number, reason)
        self.stopped = reason
        self.report.stopped(reason)

    async def _skip(self, write: Write, reason: str) -> None:
        await self.catalogue.move(write, State.CONFLICT, reason)
        self.report.skipped(write, reason)

    def _done(self, write: Write, item: int | None) -> None:
        self.report.done(write, item)
        self.refusals = self.unsent = self.unread = self.doubts = 0
