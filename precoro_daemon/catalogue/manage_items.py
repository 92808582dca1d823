"""approved plans for suppliers' items are carried out at Precoro, each write once"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from precoro_daemon.catalogue.item_writer import Draft, ItemWriter, Withheld
from precoro_daemon.catalogue.ports import Catalogue, ItemGateway, PlanState, Written
from precoro_daemon.catalogue.rules.item_writes import Ruling, State, Write, first_look, is_it, rule
from precoro_daemon.catalogue.rules.items import CustomField, Item, read_item
from precoro_daemon.catalogue.rules.plan import Kind
from precoro_daemon.errors import DaemonError, PermanentError, PlanRefused, StaleWrite, TemporaryError
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_CHECKED_EVERY = 100
"""Writes between two looks at what changed at Precoro meanwhile: a call in a hundred."""

_MARGIN = 60.0
"""Seconds that a look reaches back behind the last one, for what was still being written then."""

_FRESH = 30.0
"""Seconds for which a look is as good as a new one, which would be refused for a minute as the same GET."""

_MOST_STALE = 180.0
"""Seconds after a look from which nothing is sent without another one: the quota may be closed for long."""

_WORTH_WAITING = 70.0
"""Seconds that a lap waits for a doubt to be looked at: until the first look."""

_MOST_REFUSALS = 10
"""In a row; then something is wrong with all of them, and repeated errors can get a key blocked."""

_MOST_TRIES = 5
"""Writes in a row that could not be sent at all."""

_MOST_DOUBTS = 3
"""Answers in a row that were lost."""


class _LookAgain(DaemonError):
    """The last look at what others changed is too old to write by."""


Watch = Callable[[PlanState, int], None]
"""Told the plan, and how many writes this lap has settled."""


def _nobody(_plan: PlanState, _settled: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class ManageItems:
    """Carries out what was approved, goes on where an earlier lap stopped, and settles doubts by looking.

    keep  fields beyond the documented ones that are sent back as they are
    """

    catalogue: Catalogue
    desk: ItemGateway
    clock: Clock
    keep: Sequence[str]
    watch: Watch = _nobody
    name: ClassVar[str] = "manage_items"

    async def due(self, _now: float) -> bool:
        for plan in await self.catalogue.under_way():
            if plan.counts.get(State.PLANNED) or plan.counts.get(State.SENDING):
                return True
            doubts = await self.catalogue.writes(plan.number, State.DOUBT)
            if any((one.look_at or 0.0) <= self.clock.now() for one in doubts):
                return True
        return False

    async def approve(self, plan: PlanState) -> None:
        """Let the plan be carried out, if Precoro is still as it was when the plan was made. Raises PlanRefused."""
        course = _Course(self, plan, {})
        found = await course.changed_since(plan.as_of)
        known = await self.catalogue.versions(list(found))
        changed = {item.id: item for item in await self.catalogue.changed_since(plan.number)}
        changed |= {item.id: item for item in found.values() if known.get(item.id) != item.version}
        ours = [item for item in changed.values() if item.supplier == plan.supplier.id]
        if ours:
            which = ", ".join(f"{item.text('sku') or ''} (id {item.id})".strip() for item in ours[:5])
            more = f" and {len(ours) - 5:,} more" if len(ours) > 5 else ""
            raise PlanRefused(
                f"{len(ours):,} items of {plan.supplier} changed at Precoro since the plan was made: {which}{more}."
                " Look at `items plan` again"
            )
        await self.catalogue.approve(plan.number, at=self.clock.now())
        await self.catalogue.note(plan.number, checked_at=course.checked_at)

    async def lap(self) -> LapReport:
        fields = {one.id: one for one in await self.catalogue.fields()}
        brought = 0
        failed: list[str] = []
        for plan in await self.catalogue.under_way():
            course = _Course(self, plan, fields)
            ended = await course.run()
            brought += course.settled
            failed += course.failed
            if ended is not None:
                return LapReport(brought, failed, ended)
        return LapReport(brought, failed)


@dataclass
class _Course:
    """One plan in one lap."""

    job: ManageItems
    plan: PlanState
    fields: Mapping[int, CustomField]
    settled: int = 0
    failed: list[str] = field(default_factory=list)
    ended: DaemonError | None = None
    stopped: str = ""
    refusals: int = 0
    unsent: int = 0
    doubts: int = 0
    looked_at: float = 0.0
    checked_at: float = 0.0

    def __post_init__(self) -> None:
        self.writer = ItemWriter(self.job.catalogue, self.job.desk, self.plan, self.fields, self.job.keep)
        self.stopped = self.plan.ended
        self.looked_at = self.checked_at = self.plan.checked_at

    async def run(self) -> DaemonError | None:
        try:
            await self._recover()
            await self._check()
            while not self._over and (writes := await self._planned()):
                for write in writes:
                    if not self._over:
                        await self._send(write)
                self._advance()
                if not self._over:
                    await self._check()
            await self._wait_for_doubts()
        except DaemonError as error:
            self.ended = error
            if isinstance(error, TemporaryError | PermanentError):
                self.failed.append(f"items of {self.plan.supplier}: {error}")
        if isinstance(self.ended, TemporaryError | PermanentError):
            _log.warning("items_paused", plan=self.plan.number, reason=str(self.ended))
        return self.ended

    @property
    def _over(self) -> bool:
        return self.ended is not None or bool(self.stopped)

    async def _planned(self) -> Sequence[Write]:
        return await self.job.catalogue.writes(self.plan.number, State.PLANNED, limit=_CHECKED_EVERY)

    def _advance(self) -> None:
        _log.info("items_advanced", plan=self.plan.number, settled=self.settled, left=self.plan.open - self.settled)

    async def _recover(self) -> None:
        """What a process that died had under way may have been carried out."""
        for write in await self.job.catalogue.writes(self.plan.number, State.SENDING):
            await self._doubt(write, "the program ended while it was sent")

    async def changed_since(self, since: float) -> dict[int, Item]:
        """Looks; `checked_at` is then when it began, `looked_at` when it ended."""
        found: dict[int, Item] = {}
        began = self.job.clock.now()
        async with self.job.desk.changed(self.plan.supplier.id, since - _MARGIN) as batches:
            async for records in batches:
                for record in records:
                    if (item := read_item(record.raw, self.fields, record.version)) is not None:
                        found[item.id] = item
        self.looked_at = self.job.clock.now()
        # A wrong clock is set right by the first answer, and may have been ahead until then.
        self.checked_at = min(began, self.looked_at)
        return found

    async def _check(self) -> None:
        """Settle the doubts that are due, and withhold what is written about items that others changed meanwhile."""
        now = self.job.clock.now()
        doubts = [one for one in await self._doubts() if (one.look_at or 0.0) <= now]
        fresh = 0 <= now - self.looked_at < _FRESH
        if not doubts and (fresh or self._over or not await self._planned()):
            return
        changed = await self.changed_since(min([self.checked_at, *(one.sent_at or now for one in doubts)]))
        for write in doubts:
            await self._settle(write, rule(write, changed, self.looked_at))
        await self._withhold(changed)
        await self.job.catalogue.note(self.plan.number, checked_at=self.checked_at)

    async def _doubts(self) -> Sequence[Write]:
        return await self.job.catalogue.writes(self.plan.number, State.DOUBT)

    async def _withhold(self, changed: Mapping[int, Item]) -> None:
        keys = [key for item in changed.values() for name in ("externalId", "sku") if (key := item.text(name))]
        for write in await self.job.catalogue.planned_for(self.plan.number, list(changed), keys):
            if write.step.kind is Kind.CREATE:
                duplicates = [item.id for item in changed.values() if is_it(item, write.step.wanted)]
                if duplicates:
                    await self._skip(write, f"item {duplicates[0]} has come to be there meanwhile")
            elif changed[write.step.item or 0].version != write.step.version:
                await self._skip(write, "somebody changed the item at Precoro since the plan was made")

    async def _skip(self, write: Write, reason: str) -> None:
        await self.job.catalogue.move(write, State.CONFLICT, reason)
        self._fail(write, reason)
        _log.warning("item_skipped", plan=write.plan, key=write.step.key, item=write.step.item, reason=reason)

    def _fail(self, write: Write, reason: str) -> None:
        self._count()
        self._tell(write, reason)

    def _tell(self, write: Write, reason: str) -> None:
        self.failed.append(f"items of {self.plan.supplier}: {write.step.kind} {write.step.key}: {reason}")

    def _count(self) -> None:
        self.settled += 1
        self.job.watch(self.plan, self.settled)

    async def _settle(self, write: Write, ruling: Ruling) -> None:
        state, reason = ruling.state, ruling.reason
        if state is State.PLANNED and self.stopped:
            state, reason = State.DROPPED, "it was not carried out, and its plan is over"
        await self.job.catalogue.move(write, state, reason, item=ruling.item, look_at=ruling.look_at)
        if state is State.DONE:
            self._done(write, ruling.item)
        elif state is State.CONFLICT:
            self._fail(write, reason)
            _log.warning("item_skipped", plan=write.plan, key=write.step.key, item=write.step.item, reason=reason)

    def _done(self, write: Write, item: int | None) -> None:
        self._count()
        self.refusals = self.unsent = self.doubts = 0
        _log.debug("item_saved", plan=write.plan, kind=str(write.step.kind), key=write.step.key, item=item)

    async def _send(self, write: Write) -> None:
        begun: Write | None = None
        draft = Draft()

        async def permission() -> None:
            nonlocal begun
            if self.job.clock.now() - self.looked_at > _MOST_STALE:
                raise _LookAgain
            begun = await self.job.catalogue.begin(write, draft.before, at=self.job.clock.now())

        try:
            draft = await self.writer.draft(write)
            said = await self.writer.send(write, draft, permission)
        except StaleWrite:
            return
        except Withheld as error:
            await self._skip(write, str(error))
            return
        except _LookAgain:
            await self._check()
            return
        assert begun is not None
        await self._judge(begun, said, draft)

    async def _judge(self, write: Write, said: Written, draft: Draft) -> None:
        match said.kind:
            case "accepted":
                await self._accept(write, said, draft)
            case "refused":
                await self._refuse(write, said.text)
            case "unsent":
                await self.job.catalogue.move(write, State.PLANNED, said.text)
                await self._try_later(said)
            case "unknown":
                await self._doubt(write, said.text)
                await self._think_twice(said)

    async def _accept(self, write: Write, said: Written, draft: Draft) -> None:
        found = await self.writer.examine(write, said.raw, draft)
        await self.job.catalogue.move(write, State.DONE, found.reason, item=found.item)
        self._done(write, found.item)
        if found.reason:
            self._tell(write, found.reason)
            _log.warning("item_refused", plan=write.plan, key=write.step.key, item=found.item, reason=found.reason)
        if found.lost:
            await self._stop(f"item {found.item}: {found.reason}. `items show --json` has what it was; see `keep`")

    async def _refuse(self, write: Write, reason: str) -> None:
        await self.job.catalogue.move(write, State.REFUSED, reason)
        self._fail(write, reason)
        _log.warning("item_refused", plan=write.plan, key=write.step.key, item=write.step.item, reason=reason)
        self.refusals += 1
        if self.refusals >= _MOST_REFUSALS:
            await self._stop(f"Precoro refused {self.refusals} writes in a row; the last one: {reason}")

    async def _try_later(self, said: Written) -> None:
        self.unsent += 1
        self.ended = said.ended
        if self.ended is None and self.unsent >= _MOST_TRIES:
            self.ended = TemporaryError(f"{self.unsent} writes in a row could not be sent: {said.text}")
        if self.ended is None:
            await self.job.desk.rest(2.0**self.unsent)
        else:
            self.failed.append(f"items of {self.plan.supplier}: {self.ended}")

    async def _doubt(self, write: Write, reason: str) -> None:
        sent_at = write.sent_at or self.job.clock.now()
        await self.job.catalogue.move(write, State.DOUBT, reason, look_at=first_look(sent_at))
        _log.warning("item_doubted", plan=write.plan, kind=str(write.step.kind), key=write.step.key, reason=reason)

    async def _think_twice(self, said: Written) -> None:
        """A server that loses its answers must not get thousands of writes that nobody knows the outcome of."""
        self.doubts += 1
        self.ended = said.ended
        if self.ended is None and self.doubts >= _MOST_DOUBTS:
            self.ended = TemporaryError(f"{self.doubts} answers in a row were lost; the last one: {said.text}")
        if self.ended is not None:
            self.failed.append(f"items of {self.plan.supplier}: {self.ended}")

    async def _stop(self, reason: str) -> None:
        await self.job.catalogue.end(self.plan.number, reason)
        self.stopped = reason
        self.failed.append(f"items of {self.plan.supplier}: stopped: {reason}")
        _log.error("items_stopped", plan=self.plan.number, reason=reason)

    async def _wait_for_doubts(self) -> None:
        """A doubt is mostly settled by the first look, which is worth a minute."""
        for _ in range(_MOST_DOUBTS):
            doubts = await self._doubts()
            if self.ended is not None or not doubts:
                return
            look_at = min(one.look_at or 0.0 for one in doubts)
            wait = look_at - self.job.clock.now()
            if wait > _WORTH_WAITING:
                return
            if wait > 0:
                await self.job.desk.rest(wait)
            if self.job.clock.now() < look_at:
                return
            await self._check()
            for write in await self._planned() if not self.stopped else ():
                if not self._over:
                    await self._send(write)
