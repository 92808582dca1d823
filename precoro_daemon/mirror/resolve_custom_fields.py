"""resolves custom fields: the definitions and options behind the ids"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, get_args

from precoro_daemon.errors import (
    DaemonError,
    Forbidden,
    KeyInDoubt,
    LockedOut,
    NotFound,
    PermanentError,
    TemporaryError,
)
from precoro_daemon.mirror.details import as_of
from precoro_daemon.mirror.ports.change_log import CHANGES_A_TRANSACTION, ChangeLog, Follower, follow
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.change_log import Change, Move, RecordChangeKind
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.field_references import HOLDERS, read_fields
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.circuit_breaker import CircuitBreaker, Outcome, outcome_of
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.telemetry import get_logger

if TYPE_CHECKING:
    from precoro_daemon.mirror.ports.custom_fields import CustomFields, DueField
    from precoro_daemon.mirror.ports.precoro import Precoro
    from precoro_daemon.mirror.ports.progress import MirrorProgress
    from precoro_daemon.runtime.ports import Clock

_log = get_logger()

_FOLLOWER = "custom_fields"


def field_follower(fields: CustomFields) -> Follower:
    """Returns the follower that reads from the change log which fields records refer to, and what lists and details
    say about the fields.
    """

    async def handle(changes: Sequence[Change], move: Move) -> None:
        await fields.save_readings(read_fields(changes), move)

    return Follower(_FOLLOWER, HOLDERS, get_args(RecordChangeKind), handle)


async def follow_fields(log: ChangeLog, fields: CustomFields) -> None:
    """Brings the custom fields up to date with the change log."""
    await follow(log, field_follower(fields), CHANGES_A_TRANSACTION)


@dataclass(slots=True)
class ResolveCustomFields:
    """Requests each field that a record refers to once, and again when it is old, stale or listed anew.

    A field that is gone or forbidden is a fact, not a failure: it is requested again when it would be due by age.
    """

    precoro: Precoro
    log: ChangeLog
    fields: CustomFields
    clock: Clock
    progress: MirrorProgress
    refresh_after: float
    breaker: CircuitBreaker = field(default=CircuitBreaker(), init=False)
    round_at: float | None = field(default=None, init=False)
    name: ClassVar[str] = "resolve_custom_fields"

    async def due(self, now: float) -> bool:
        """Returns whether there is anything to follow or to request."""
        self.round_at = now
        return await self.log.is_behind(_FOLLOWER) or bool(await self._due(now))

    async def _due(self, before: float) -> list[DueField]:
        now = self.clock.now()
        if self.breaker.is_idle(now):
            return []
        return list(await self.fields.due(before=before, older_than=now - self.refresh_after))

    async def lap(self) -> LapReport:
        """Does a lap. What failed in this round is left alone."""
        self.breaker, lap = self.breaker.fresh(), _Lap(self)
        try:
            await follow_fields(self.log, self.fields)
            await lap.run(await self._due(self.clock.now() if self.round_at is None else self.round_at))
        except DaemonError as error:
            lap.ended = error
        self.breaker = self.breaker.at_end(lap.ended, self.clock.now())
        ended = None if isinstance(lap.ended, KeyInDoubt) else lap.ended
        return LapReport(brought=lap.done.total(), failed=lap.failed, ended=ended)


@dataclass(slots=True)
class _Lap:
    job: ResolveCustomFields
    done: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    ended: DaemonError | None = None

    async def run(self, due: list[DueField]) -> None:
        expected = Counter(each.collection for each in due)
        for number, each in enumerate(due, start=1):
            await self._settle(each)
            counts = (counter[each.collection] for counter in (self.done, self.failures, expected))
            self.job.progress.details_advanced(each.collection, *counts)
            if self.ended is not None:
                _log.warning("definitions_paused", asked=number, due=len(due))
                return

    async def _settle(self, due: DueField) -> None:
        try:
            await self._resolve(due)
        except KeyInDoubt:
            raise
        except LockedOut as error:
            await self._quarantine(due, error)
            raise
        except (NotFound, Forbidden) as error:
            self._feed_breaker(error)
            await self._withhold(due, error)
            log = _log.debug if due.attempts else _log.warning
            log("definition_refused", collection=due.collection, key=due.id, reason=str(error))
        except (TemporaryError, PermanentError) as error:
            self._feed_breaker(error)
            self.failures[due.collection] += 1
            self.failed.append(f"{due.collection} {due.id}: {error}")
            await self._quarantine(due, error)
            _log.warning("definition_failed", collection=due.collection, key=due.id, reason=str(error))

    def _feed_breaker(self, error: DaemonError) -> None:
        self.job.breaker = self.job.breaker.after(outcome_of(error))
        self.ended = self.job.breaker.verdict(error)

    async def _resolve(self, due: DueField) -> None:
        asked_at = self.job.clock.now()
        detail = await self.job.precoro.detail(COLLECTIONS[due.collection], due.id, Lane.DETAILS)
        self.job.breaker = self.job.breaker.after(Outcome.GOOD)
        await self.job.fields.save(due, detail, asked_at=as_of(asked_at, self.job.clock))
        self.done[due.collection] += 1
        _log.info("definition_saved", collection=due.collection, key=due.id)

    async def _quarantine(self, due: DueField, error: DaemonError) -> None:
        now, of = self.job.clock.now(), (due.collection, due.id)
        failed = Quarantined.failed(Stage.DEFINITION, of, error, due.attempts + 1, now)
        await self.job.fields.quarantine(failed)

    async def _withhold(self, due: DueField, error: DaemonError) -> None:
        """Records that the field is gone or forbidden; it is requested again when it would be old."""
        now, of = self.job.clock.now(), (due.collection, due.id)
        withheld = Quarantined.failed(Stage.WITHHELD, of, error, due.attempts + 1, now)
        await self.job.fields.quarantine(replace(withheld, retry_at=now + self.job.refresh_after))
