"""refreshes one document: fetches its detail and saves it, or quarantines it, or marks it gone

Theory of operation. Every caller that wants a document as it is now comes here: the job of details, a delivery, and
the export of payments, which fetches itself and has the answer saved here. An answer fetched by one serves all
(`DetailAnswers`): Precoro answers the same GET once a minute, so a second caller would wait that long, and spend a
call on what is here by then. Once one answer is saved, all others that still wait for their call are released.
Several callers want a document as soon as it changed: when an invoice is paid at Precoro, the job of details and the
export of payments do.

A detail shows the document at some moment between request and answer; only the moment of the request is safe.
Whatever happens while the answer is on its way may be missing in it, and must still be fetched. So a detail is as new
as its request. The first answer of a process may set the clock back: then the request lies in the future of every
later time, and a change would look older than the detail that lacks it. So a detail is never newer than its answer
either (`as_of`).

A document that cannot be fetched is quarantined: it is tried again later, at growing intervals. One that is missing
(404) in two runs was deleted after it was listed, and is marked gone; if it is listed again, it returns. Many at once
are not believed, as in a census: a key that lost a role, or a proxy, says the same about all.
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
    """Returns the latest time at which an answer that has just arrived was certainly true."""
    return min(asked_at, clock.now())


def has_address(due: Due) -> bool:
    """Returns whether the document can be requested: some are addressed by their idn, and an odd one has none."""
    return COLLECTIONS[due.collection].key != "idn" or due.idn is not None


def address_of(due: Due) -> int | str:
    """Returns the address of the detail; for a document without one, its unique id."""
    return due.idn if COLLECTIONS[due.collection].key == "idn" and due.idn is not None else due.id


class Answered(NamedTuple):
    """A detail that has arrived and is not saved yet.

    asked_at  when it was requested (Unix seconds)
    """

    due: Due
    detail: Detail
    asked_at: float


@dataclass(eq=False, slots=True)
class _Question:
    """A caller that waits for a document.

    since  an answer requested at or after this time serves it too; None: any answer of this version
    """

    version: bytes
    since: float | None
    waiting: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def is_served_by(self, version: bytes, asked_at: float) -> bool:
        return version == self.version if self.since is None else asked_at >= self.since


@dataclass(frozen=True, slots=True)
class DetailAnswers:
    """Saves answers, and releases other callers that wait for the same document. All callers share one instance."""

    mirror: Mirror
    clock: Clock
    _questions: dict[tuple[str, int | str], list[_Question]] = field(default_factory=dict, init=False)

    async def ask(self, due: Due, call: Callable[[], Awaitable[T]], *, since: float | None = None) -> T | None:
        """Returns the answer, None if another caller's answer that serves as well was saved meanwhile."""
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
        """Saves a detail that was requested at `asked_at` and has just arrived.

        `patience`: as in `Mirror.save_detail`; it is ignored if another caller waits for the detail.
        """
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
        """Fetches and saves the detail, unless another caller does meanwhile.

        Raises BadRecord if the document has no address, else what `Precoro.detail` raises.

        since  the answer must be as new as this, even if the list row is unchanged
        """
        if (answer := await self.ask(due, lane, since=since)) is not None:
            await self.save(answer)

    async def ask(self, due: Due, lane: Lane, *, since: float | None = None) -> Answered | None:
        """Does the first half of `refresh`. Returns None if another caller fetched and saved it meanwhile."""
        if not has_address(due):
            raise BadRecord("it has no idn to ask for it by")
        asked_at = self.clock.now()
        call = partial(self.precoro.detail, COLLECTIONS[due.collection], address_of(due), lane)
        detail = await self.answers.ask(due, call, since=since)
        return None if detail is None else Answered(due, detail, asked_at)

    async def save(self, answer: Answered, *, patience: float = 0.0) -> None:
        """Does the second half. `patience`: as in `DetailAnswers.save`."""
        due, detail = answer.due, answer.detail
        detail = replace(detail, wanted=self.filters.get(due.collection, Filter()).keeps_detail(detail.raw))
        await self.shapes.detailed(COLLECTIONS[due.collection], detail.raw)  # before anybody decides by it
        await self.answers.save(due, detail, asked_at=answer.asked_at, patience=patience)

    async def quarantine(self, due: Due, error: DaemonError, *, stale: bool = False) -> str:
        """Quarantines the document until it may be tried again, and returns a line for the report. `stale`: it is due
        although its list row is unchanged.
        """
        key, attempts = address_of(due), due.attempts + 1
        _log.warning("detail_failed", collection=due.collection, key=key, attempts=attempts, reason=str(error))
        with anyio.CancelScope(shield=True):  # the lap may be over already
            await self.mirror.quarantine_detail(due, error, at=self.clock.now(), stale=stale)
        return f"{due.collection} {key}: {error}"

    async def mark_gone(self, collection: str, absent: Sequence[Absent]) -> Sequence[Absent]:
        """Marks the documents gone that were missing twice, and returns those whose absence is not believed."""
        live = await self.mirror.live(collection)
        missing = [Missing(due.id, address_of(due)) for due, _ in absent]
        if judge(missing, live, max_share=self.max_vanished, askable=False).refused:
            reason = f"{len(absent)} of {live} answer as if they were not there: not believed"
            return [(due, NotFound(f"{error} ({reason})")) for due, error in absent]
        for due, _ in absent:
            await self.mirror.mark_gone(due, at=self.clock.now())
            _log.info("documents_vanished", collection=collection, count=1, key=address_of(due))
        return []
