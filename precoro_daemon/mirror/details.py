"""refresh one document: fetch its detail and save it, or quarantine it, or mark it gone

Theory of operation. A caller that wants a document as it is now goes this way: the job of details, a delivery, and
the export of payments, which asks itself and lets it be saved. What is fetched by anyone counts for all
(`DetailAnswers`): Precoro answers the same GET once a minute, so who asked second would wait for that long, and spend
a call on what is here by then. Once one answer is saved, all who still wait for their call are let go. Several want a
document as soon as it changed: when an invoice is paid at Precoro, the job of details and the export of payments do.

A detail says how the document was at some moment between the question and the answer; only the moment of the question
is safe. Whatever happens while the answer is under way may not be in it, and must still be fetched. So a detail is as
new as its question. The clock is set once, by the first answer of the process, and that may set it back: then the
question lies in the future of every later clock, and a change would look older than the detail that lacks it. So a
detail is never newer than its answer either (`as_of`).

A document that cannot be fetched is quarantined: it is tried again later, ever more seldom. One that is missing (404)
at two runs was deleted between the list and now, and is marked gone; should it be listed again, it returns. Many at
once are not believed, as in a census: a key that lost a role, or a proxy, says the same of all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import anyio

from precoro_daemon.errors import BadRecord, DaemonError, NotFound
from precoro_daemon.mirror.ports.mirror import Due, Mirror
from precoro_daemon.mirror.ports.shapes import ShapeWatch, Unwatched
from precoro_daemon.mirror.rules.absences import Missing, judge
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.telemetry import get_logger

if TYPE_CHECKING:
    from precoro_daemon.mirror.ports.precoro import Detail, Precoro
    from precoro_daemon.quota.limits import Lane
    from precoro_daemon.runtime.ports import Clock

_log = get_logger()

T = TypeVar("T")

Absent = tuple[Due, NotFound]


def as_of(asked_at: float, clock: Clock) -> float:
    """When an answer that has just come was true for certain."""
    return min(asked_at, clock.now())


def has_address(due: Due) -> bool:
    """Some documents are asked for by their idn, and an odd one has none."""
    return COLLECTIONS[due.collection].key != "idn" or due.idn is not None


def address_of(due: Due) -> int | str:
    """What addresses the detail. (Of a document that has none its id, which no other has.)"""
    return due.idn if COLLECTIONS[due.collection].key == "idn" and due.idn is not None else due.id


class Answered(NamedTuple):
    """A detail that has come and is not saved yet. `asked_at` (Unix seconds)"""

    due: Due
    detail: Detail
    asked_at: float


@dataclass(eq=False, slots=True)
class _Question:
    """Somebody waits for a document. `since`: an answer that was asked for then or later serves as well; None: any
    that is of this version"""

    version: bytes
    since: float | None
    waiting: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def is_served_by(self, version: bytes, asked_at: float) -> bool:
        return version == self.version if self.since is None else asked_at >= self.since


@dataclass(frozen=True, slots=True)
class DetailAnswers:
    """Saves what is asked for, and lets go of who else waits for it. All who ask share one."""

    mirror: Mirror
    clock: Clock
    _questions: dict[tuple[str, int | str], list[_Question]] = field(default_factory=dict, init=False)

    async def ask(self, due: Due, call: Callable[[], Awaitable[T]], *, since: float | None = None) -> T | None:
        """The answer; None: another one, to somebody else, was saved meanwhile that serves as well."""
        question = _Question(due.version, since)
        with self._registered((due.collection, address_of(due)), question), question.waiting:
            return await call()
        return None

    @contextmanager
    def _registered(self, address: tuple[str, int | str], question: _Question) -> Iterator[None]:
        self._questions.setdefault(address, []).append(question)
        try:
            yield
        finally:
            self._questions[address].remove(question)
            if not self._questions[address]:
                del self._questions[address]

    async def save(self, due: Due, detail: Detail, *, asked_at: float, patience: float = 0.0) -> None:
        """Save a detail that was asked for at `asked_at` and has just come. `patience`: of `Mirror.save_detail`; none
        where somebody else waits for it."""
        at = as_of(asked_at, self.clock)
        if (due.collection, address_of(due)) in self._questions:
            patience = 0.0
        await self.mirror.save_detail(due, detail, at=at, patience=patience)
        for question in self._questions.get((due.collection, address_of(due)), ()):
            if question.is_served_by(due.version, at):
                question.waiting.cancel()


@dataclass(frozen=True, slots=True)
class Details:
    """Fetches details and decides what becomes of each document.

    filters       the user's: only a detail may show that a document is not wanted
    max_vanished  share of a collection's records that may be gone at once; more is not believed
    shapes        sees the details too
    """

    precoro: Precoro
    answers: DetailAnswers
    filters: Mapping[str, Filter]
    max_vanished: float = 0.2
    shapes: ShapeWatch = field(default_factory=Unwatched)

    @property
    def mirror(self) -> Mirror:
        return self.answers.mirror

    @property
    def clock(self) -> Clock:
        return self.answers.clock

    async def refresh(self, due: Due, lane: Lane, *, since: float | None = None) -> None:
        """Fetch and save it, unless somebody else does meanwhile. Raises BadRecord where nothing addresses it, else
        what `Precoro.detail` does.

        since  it must be as it was then or later, also where its list row is as it was
        """
        if (answer := await self.ask(due, lane, since=since)) is not None:
            await self.save(answer)

    async def ask(self, due: Due, lane: Lane, *, since: float | None = None) -> Answered | None:
        """The first half of `refresh`; None where somebody else got it meanwhile, and saved it."""
        if not has_address(due):
            raise BadRecord("it has no idn to ask for it by")
        asked_at = self.clock.now()
        call = partial(self.precoro.detail, COLLECTIONS[due.collection], address_of(due), lane)
        detail = await self.answers.ask(due, call, since=since)
        return None if detail is None else Answered(due, detail, asked_at)

    async def save(self, answer: Answered, *, patience: float = 0.0) -> None:
        """The second half. `patience`: of `DetailAnswers.save`"""
        due, detail = answer.due, answer.detail
        detail = replace(detail, wanted=self.filters.get(due.collection, Filter()).keeps_detail(detail.raw))
        await self.shapes.detailed(COLLECTIONS[due.collection], detail.raw)  # before anybody decides by it
        await self.answers.save(due, detail, asked_at=answer.asked_at, patience=patience)

    async def quarantine(self, due: Due, error: DaemonError, *, stale: bool = False) -> str:
        """Keep it until it may be tried again; one line for the report. `stale`: it is due though its list row is as
        it was."""
        key, attempts = address_of(due), due.attempts + 1
        _log.warning("detail_failed", collection=due.collection, key=key, attempts=attempts, reason=str(error))
        with anyio.CancelScope(shield=True):  # the lap may be over already
            await self.mirror.quarantine_detail(due, error, at=self.clock.now(), stale=stale)
        return f"{due.collection} {key}: {error}"

    async def mark_gone(self, collection: str, absent: Sequence[Absent]) -> Sequence[Absent]:
        """Mark those gone that were missing twice; gives back those that are not believed to be."""
        live = await self.mirror.live(collection)
        missing = [Missing(due.id, address_of(due)) for due, _ in absent]
        if judge(missing, live, max_share=self.max_vanished, askable=False).refused:
            reason = f"{len(absent)} of {live} answer as if they were not there: not believed"
            return [(due, NotFound(f"{error} ({reason})")) for due, error in absent]
        for due, _ in absent:
            await self.mirror.mark_gone(due, at=self.clock.now())
            _log.info("documents_vanished", collection=collection, count=1, key=address_of(due))
        return []
