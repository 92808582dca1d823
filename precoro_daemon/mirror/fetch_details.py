"""full documents of new or changed ones, by IDN"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from precoro_daemon.errors import (
    BadRecord,
    BudgetSpent,
    ConnectionFault,
    DaemonError,
    Forbidden,
    KeyInDoubt,
    LockedOut,
    NotFound,
    PermanentError,
    ServerFault,
    Stopped,
    TemporaryError,
    most_severe,
)
from precoro_daemon.mirror.ports.mirror import Age, Due, Mirror
from precoro_daemon.mirror.ports.precoro import Precoro
from precoro_daemon.mirror.ports.progress import MirrorProgress
from precoro_daemon.mirror.rules.absences import Missing, judge
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.budget import Lane
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_WORKERS = 32
"""More than ever may be in flight: the budget decides who goes, a waiting worker costs next to nothing."""

_TOLD = 100
"""Details between two lines in the log: every two minutes at one call a second."""

_BATCH = 50
"""Documents read from the store at a time; small, so that what changes meanwhile comes first."""


_MOST_FORBIDDEN = 2
"""In a row. A third one in a collection that was open before is taken for a key that is blocked."""

_MOST_FAULTS = 3
"""In a row. Then it is not the documents: the lap ends, and the day's calls are left for when the server is well."""

_PATIENCE = 900.0
"""Seconds until the next one is asked for after that."""

_LATELY = 2 * 86_400.0
"""Seconds. What changed since then does not wait behind what nobody has touched for longer."""


@dataclass(slots=True)
class FetchDetails:
    """Fetches what the store says is due, newest first, until nothing is; what fails is set aside for later.

    carriers  collections of which only the records that carry files get details
    max_vanished  share of a collection's records that may be gone at once; more is not believed
    which     recent: documents that changed lately, or whose detail was here and is old · older: the others, which
              make way for all else · any: both
    """

    precoro: Precoro
    mirror: Mirror
    clock: Clock
    progress: MirrorProgress
    collections: Sequence[str]
    filters: Mapping[str, Filter]
    carriers: Sequence[str] = ()
    max_vanished: float = 0.2
    which: Literal["recent", "older", "any"] = "any"
    rests_until: float = field(default=0.0, init=False)
    round_at: float | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return "backfill_details" if self.which == "older" else "fetch_details"

    async def due(self, now: float) -> bool:
        self.round_at = now
        if self.clock.now() < self.rests_until:
            return False
        return any((await self.count_due(now)).values())

    async def count_due(self, before: float) -> Mapping[str, int]:
        return await self.mirror.count_due(self.collections, self.carriers, before=before, age=self.age)

    @property
    def age(self) -> Age | None:
        return None if self.which == "any" else Age(self.clock.now() - _LATELY, recent=self.which == "recent")

    @property
    def lane(self) -> Lane:
        return Lane.CENSUS if self.which == "older" else Lane.DETAILS

    async def lap(self) -> LapReport:
        """What failed in this round is left alone."""
        lap = _Lap(self, started_at=self.clock.now() if self.round_at is None else self.round_at)
        await lap.run()
        if isinstance(lap.ended, KeyInDoubt):
            self.rests_until = self.clock.now() + _PATIENCE
            return LapReport(brought=lap.done.total(), failed=lap.failed)
        return LapReport(brought=lap.done.total(), failed=lap.failed, ended=lap.ended)


@dataclass(slots=True)
class _Lap:
    job: FetchDetails
    started_at: float
    due: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    busy: set[tuple[str, int | str]] = field(default_factory=set)
    gone: dict[str, list[tuple[Due, NotFound]]] = field(default_factory=dict)
    forbidden: int = 0
    faults: int = 0
    answered: anyio.Event = field(default_factory=anyio.Event)
    ended: DaemonError | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self) -> None:
        job = self.job
        self.due = dict(await job.count_due(self.started_at))
        send, receive = anyio.create_memory_object_stream[Due](0)
        async with anyio.create_task_group() as group, send, receive:
            self.scope = group.cancel_scope
            for number in range(min(_WORKERS, max(1, sum(self.due.values())))):
                group.start_soon(self._work, receive.clone(), number > 0, name=f"details {number}")
            receive.close()
            await self._hand_out(send)
            self.answered.set()
        for collection, found in self.gone.items():
            await self._settle_gone(collection, found)
        if self.done or self.failed:
            self._tell_details()

    async def _hand_out(self, send: MemoryObjectSendStream[Due]) -> None:
        """Until nothing is due but what is being fetched. Whether the newest ones fail, or all, is shown by one from
        further back."""
        while self.ended is None and (fresh := await self._fresh()):
            while fresh:
                await send.send(fresh.pop(-1 if self.faults else 0))

    async def _fresh(self) -> list[Due]:
        """What is due and not yet handed out; rows that share an idn are one call."""
        job, limit = self.job, _BATCH + len(self.busy)
        fresh: dict[tuple[str, int | str], Due] = {}
        found = await job.mirror.due_details(
            job.collections, job.carriers, before=self.started_at, limit=limit, age=job.age
        )
        for due in found:
            if (address := (due.collection, _key(due))) not in self.busy:
                fresh.setdefault(address, due)
        self.busy.update(fresh)
        return list(fresh.values())

    async def _work(self, receive: MemoryObjectReceiveStream[Due], waits: bool) -> None:
        """All but one wait until some call was answered: in trouble, each document is asked for several times."""
        async with receive:
            if waits:
                await self.answered.wait()
            async for due in receive:
                if self.ended is None:
                    await self._settle(due)

    async def _settle(self, due: Due) -> None:
        try:
            await self._fetch_or_set_aside(due)
        except DaemonError as error:
            self._end(error)

    def _end(self, error: DaemonError) -> None:
        self.ended = most_severe([error] if self.ended is None else [self.ended, error])
        if not isinstance(error, BudgetSpent | Stopped):  # of which what is in flight need not know
            self.scope.cancel()

    async def _fetch_or_set_aside(self, due: Due) -> None:
        """What failed stays in `busy`: once a lap is enough, whatever the clock says of when it is due again."""
        try:
            await self._fetch(due)
        except KeyInDoubt:
            raise
        except LockedOut as error:
            await self._set_aside(due, error)  # so that another one shows next time how it is
            raise
        except (TemporaryError, PermanentError) as error:
            self._heed(error)
            if isinstance(error, NotFound) and due.absent:
                self.gone.setdefault(due.collection, []).append((due, error))
            else:
                await self._set_aside(due, error)
        else:
            self.busy.discard((due.collection, _key(due)))
        self._tell_progress(due.collection)

    def _heed(self, error: DaemonError) -> None:
        """Nothing between two refusals but a good answer shows that the key is still welcome."""
        if isinstance(error, PermanentError):
            self._note_answer()
        if isinstance(error, ServerFault | ConnectionFault):
            self.faults += 1
            if self.faults >= _MOST_FAULTS:
                self._end(error)
        if isinstance(error, Forbidden):
            self.forbidden += 1
            if self.forbidden >= _MOST_FORBIDDEN:
                self._end(KeyInDoubt(str(error)))

    def _note_answer(self) -> None:
        self.faults = 0
        self.answered.set()

    def _tell_progress(self, name: str) -> None:
        self.job.progress.details_advanced(name, self.done[name], self.failures[name], self.due.get(name, 0))

    async def _fetch(self, due: Due) -> None:
        job = self.job
        if COLLECTIONS[due.collection].key == "idn" and due.idn is None:
            raise BadRecord("it has no idn to ask for it by")
        asked_at = job.clock.now()  # what happened while the answer was under way may not be in it
        detail = await job.precoro.detail(COLLECTIONS[due.collection], _key(due), job.lane)
        self.forbidden = 0
        self._note_answer()
        chosen = job.filters.get(due.collection, Filter())
        detail = replace(detail, wanted=chosen.keeps_detail(detail.raw))
        await job.mirror.save_detail(due, detail, at=min(asked_at, job.clock.now()))
        self.done[due.collection] += 1
        _log.debug("detail_saved", collection=due.collection, key=_key(due))
        if self.done.total() % _TOLD == 0:
            self._tell_details()

    def _tell_details(self) -> None:
        done, due = self.done.total(), sum(self.due.values())
        _log.info("details_advanced", done=done, failed=len(self.failed), due=max(due - done - len(self.failed), 0))

    async def _settle_gone(self, collection: str, found: Sequence[tuple[Due, NotFound]]) -> None:
        """Listed, and yet not there at two runs: deleted in between. Should it be listed again, it returns.

        Many at once are not believed, as in a census: a key that lost a role, or a proxy, says the same of all.
        """
        live = await self.job.mirror.live(collection)
        missing = [Missing(due.id, _key(due)) for due, _ in found]
        if judge(missing, live, max_share=self.job.max_vanished, askable=False).refused:
            reason = f"{len(found)} of {live} answer as if they were not there: not believed"
            for due, error in found:
                await self._set_aside(due, NotFound(f"{error} ({reason})"))
            return
        for due, _ in found:
            await self.job.mirror.mark_gone(due, at=self.job.clock.now())
            _log.info("documents_vanished", collection=collection, count=1, key=_key(due))

    async def _set_aside(self, due: Due, error: DaemonError) -> None:
        self.failures[due.collection] += 1
        self.failed.append(f"{due.collection} {_key(due)}: {error}")
        _log.warning(
            "detail_failed",
            collection=due.collection,
            key=_key(due),
            attempts=due.attempts + 1,
            reason=str(error),
        )
        with anyio.CancelScope(shield=True):  # the lap may be over already
            await self.job.mirror.quarantine_detail(due, error, at=self.job.clock.now())


def _key(due: Due) -> int | str:
    """What addresses the detail. (A document without idn has no address; its id tells it from others.)"""
    return due.idn if COLLECTIONS[due.collection].key == "idn" and due.idn is not None else due.id
