"""fetches the full documents of new and changed records, by IDN"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from precoro_daemon.errors import (
    BudgetSpent,
    DaemonError,
    KeyInDoubt,
    LockedOut,
    NotFound,
    PermanentError,
    Stopped,
    TemporaryError,
    most_severe,
)
from precoro_daemon.mirror.details import Absent, Answered, Details, address_of
from precoro_daemon.mirror.ports.mirror import Age, Due
from precoro_daemon.mirror.ports.progress import MirrorProgress
from precoro_daemon.quota.circuit_breaker import CircuitBreaker, Outcome, outcome_of
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_WORKERS = 32
"""More than can ever be in flight: the budget decides which call leaves, and a waiting worker costs next to
nothing.
"""

_DETAILS_A_LOG_LINE = 100
"""Details between two lines in the log: every two minutes at one call a second."""

_DOCUMENTS_A_READ = 50
"""Documents read from the store in one step; few, so that documents that change meanwhile come first."""

_SAVED_WITHIN_S = 1.5
"""Real seconds for which an arrived detail waits for the charge of the next call, to share its commit: at a call a
second the next charge is not further away.
"""

_LATELY = 2 * 86_400.0
"""Seconds. Documents that changed since then do not wait behind those untouched for longer."""


@dataclass(slots=True)
class FetchDetails:
    """Fetches what the store says is due, newest first, until nothing is; what fails is quarantined.

    with_attachments  collections of which only the records with files get details
    which     recent: documents that changed lately, or whose detail is outdated · older: the others, which give
    way to
              everything else · any: both
    """

    details: Details
    progress: MirrorProgress
    collections: Sequence[str]
    with_attachments: Sequence[str] = ()
    which: Literal["recent", "older", "any"] = "any"
    breaker: CircuitBreaker = field(default=CircuitBreaker(), init=False)
    round_at: float | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return "backfill_details" if self.which == "older" else "fetch_details"

    async def due(self, now: float) -> bool:
        self.round_at = now
        if self.breaker.is_idle(self.details.clock.now()):
            return False
        return any((await self.count_due(now)).values())

    async def count_due(self, before: float) -> Mapping[str, int]:
        return await self.details.mirror.count_due(
            self.collections, self.with_attachments, before=before, age=self.age
        )

    @property
    def age(self) -> Age | None:
        return None if self.which == "any" else Age(self.details.clock.now() - _LATELY, recent=self.which == "recent")

    @property
    def lane(self) -> Lane:
        return Lane.CENSUS if self.which == "older" else Lane.DETAILS

    async def lap(self) -> LapReport:
        """Does a lap. What failed in this round is left alone."""
        self.breaker = self.breaker.fresh()
        lap = _Lap(self, started_at=self.details.clock.now() if self.round_at is None else self.round_at)
        await lap.run()
        await self.details.shapes.keep()
        self.breaker = self.breaker.at_end(lap.ended, self.details.clock.now())
        ended = None if isinstance(lap.ended, KeyInDoubt) else lap.ended
        return LapReport(brought=lap.done.total(), failed=lap.failed, ended=ended)


@dataclass(slots=True)
class _Lap:
    job: FetchDetails
    started_at: float
    due: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    busy: set[tuple[str, int | str]] = field(default_factory=set)
    asked: int = 0
    absent: dict[str, list[Absent]] = field(default_factory=dict)
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
        for collection, absent in self.absent.items():
            for due, error in await job.details.mark_gone(collection, absent):
                await self._quarantine(due, error)
        if self.done or self.failed:
            self._log_details()

    async def _hand_out(self, send: MemoryObjectSendStream[Due]) -> None:
        """Hands out documents until nothing is due but what is being fetched. One from further back shows whether
        only the newest ones fail, or all.
        """
        while self.ended is None and (fresh := await self._fresh()):
            while fresh:
                await send.send(fresh.pop(-1 if self.job.breaker.faults else 0))

    async def _fresh(self) -> list[Due]:
        """Returns what is due and not yet handed out; rows that share an idn are one call."""
        job, limit = self.job, _DOCUMENTS_A_READ + len(self.busy)
        fresh: dict[tuple[str, int | str], Due] = {}
        found = await job.details.mirror.due_details(
            job.collections, job.with_attachments, before=self.started_at, limit=limit, age=job.age
        )
        for due in found:
            if (address := (due.collection, address_of(due))) not in self.busy:
                fresh.setdefault(address, due)
        self.busy.update(fresh)
        return list(fresh.values())

    async def _work(self, receive: MemoryObjectReceiveStream[Due], waits: bool) -> None:
        """Fetches documents. All workers but one wait until some call was answered: in trouble, each document is
        requested several times.
        """
        async with receive:
            if waits:
                await self.answered.wait()
            async for due in receive:
                if self.ended is None:
                    await self._settle(due)

    async def _settle(self, due: Due) -> None:
        try:
            await self._fetch_or_quarantine(due)
        except DaemonError as error:
            self._end(error)

    def _end(self, error: DaemonError) -> None:
        self.ended = most_severe([error] if self.ended is None else [self.ended, error])
        if not isinstance(error, BudgetSpent | Stopped):  # of which what is in flight need not know
            self.scope.cancel()

    async def _fetch_or_quarantine(self, due: Due) -> None:
        """Fetches a document, or quarantines it. What failed stays in `busy`: once a lap is enough, whenever it is
        due again.
        """
        try:
            await self._fetch(due)
        except KeyInDoubt:
            raise
        except LockedOut as error:
            await self._quarantine(due, error)  # so that another one shows next time how it is
            raise
        except (TemporaryError, PermanentError) as error:
            self._feed_breaker(error)
            if isinstance(error, NotFound) and due.absent:
                self.absent.setdefault(due.collection, []).append((due, error))
            else:
                await self._quarantine(due, error)
        else:
            self.busy.discard((due.collection, address_of(due)))
        self._tell_progress(due.collection)

    def _feed_breaker(self, error: DaemonError) -> None:
        if isinstance(error, PermanentError):
            self.answered.set()
        self.job.breaker = self.job.breaker.after(outcome_of(error))
        if verdict := self.job.breaker.verdict(error):
            self._end(verdict)

    def _tell_progress(self, name: str) -> None:
        self.job.progress.details_advanced(name, self.done[name], self.failures[name], self.due.get(name, 0))

    async def _fetch(self, due: Due) -> None:
        if (answer := await self._ask(due)) is not None:
            await self.job.details.save(answer, patience=_SAVED_WITHIN_S if self.asked else 0.0)
        self.job.breaker = self.job.breaker.after(Outcome.GOOD)
        self.answered.set()
        self.done[due.collection] += 1
        _log.debug("detail_saved", collection=due.collection, key=address_of(due))
        if self.done.total() % _DETAILS_A_LOG_LINE == 0:
            self._log_details()

    async def _ask(self, due: Due) -> Answered | None:
        self.asked += 1
        try:
            return await self.job.details.ask(due, self.job.lane)
        finally:
            self.asked -= 1

    def _log_details(self) -> None:
        done, due = self.done.total(), sum(self.due.values())
        _log.info("details_advanced", done=done, failed=len(self.failed), due=max(due - done - len(self.failed), 0))

    async def _quarantine(self, due: Due, error: DaemonError) -> None:
        self.failures[due.collection] += 1
        self.failed.append(await self.job.details.quarantine(due, error))
