"""the protocol of a job, its place in the plan, and what laps and runs report"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from precoro_daemon.errors import BudgetSpent, DaemonError, PartUnusable
from precoro_daemon.runtime.schedules import Schedule


class LapReport(Struct, frozen=True):
    """What one lap of a job did.

    brought  number of new or changed records and details
    failed   one line for each thing that failed and will be tried again
    ended    what ended the lap before its work was done: BudgetSpent; Stopped; PartUnusable, which ends this job
    only; any
             other FatalError, which also ends the run; or another error, which is in `failed` too and leaves this job
             nothing to do in this run
    """

    brought: int = 0
    failed: Sequence[str] = ()
    ended: DaemonError | None = None


class Job(Protocol):
    """Work that is done in laps.

    A round is one or more laps of a job in a row. A lap may be cancelled at any moment: what it has committed stays,
    and the next lap continues from there. It handles the failures of single records, and reports what ended it. A
    DaemonError that it raises instead blocks the job like one that it reports.
    """

    @property
    def name(self) -> str: ...

    async def due(self, now: float) -> bool:
        """Returns whether there is work. `now` is the start of the present round, and the same throughout it.

        What failed in this round is not due again in it. Raises StoreUnusable.
        """
        ...

    async def lap(self) -> LapReport: ...


class OncePerRound(Struct):
    """Makes a job due once in each round; its schedule decides when a round comes."""

    _round: float | None = None
    _done: bool = False

    def due(self, now: float) -> bool:
        if now != self._round:
            self._round, self._done = now, False
        return not self._done

    def lap_ended(self) -> None:
        self._done = True


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Makes a job that a person requests by name due once, whatever its own rule says."""

    job: Job
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)

    @property
    def name(self) -> str:
        return self.job.name

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        report = await self.job.lap()
        self.rounds.lap_ended()
        return report


@dataclass(frozen=True, slots=True)
class UnableJob:
    """Stands for a job that could not be built: whenever its turn comes, it raises the reason."""

    name: str
    cause: PartUnusable
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        self.rounds.lap_ended()
        return LapReport(ended=self.cause)


class Registration(Struct, frozen=True):
    """A job and its place in the plan.

    forced    runs instead when a person requests this job by name; None if that makes no difference
    schedule  when its turn comes in a service; None: it is checked now and then
    after     a lap of one of these jobs that brought something wakes it
    group     laps of the jobs of one group take turns, "" for none
    silent    whether its laps leave the logging of failures to the scheduler
    """

    job: Job
    forced: Job | None = None
    schedule: Schedule | None = None
    after: frozenset[str] = frozenset()
    group: str = ""
    silent: bool = False

    @property
    def name(self) -> str:
        return self.job.name


StopCause = Literal["signal", "time"]


class RunReport(Struct):
    """The result of a run.

    failed   one line for each thing that failed and will be tried again
    remains  one line for each thing that is not as it should be after the run, whichever run caused it
    due      documents whose detail is missing or old, after the run
    spent    why and until when the quota held something back, None if it did not
    stopped  what ended the run before its work was done, None if nothing did
    """

    brought: int = 0
    failed: list[str] = []
    remains: Sequence[str] = ()
    due: int = 0
    spent: BudgetSpent | None = None
    stopped: StopCause | None = None

    def add(self, lap: LapReport) -> None:
        """Adds a lap. Of several spent budgets the first to open is kept."""
        self.brought += lap.brought
        self.failed += lap.failed
        if isinstance(lap.ended, PartUnusable) and str(lap.ended) not in self.failed:  # two jobs may need one part
            self.failed.append(str(lap.ended))
        if isinstance(lap.ended, BudgetSpent) and (self.spent is None or lap.ended.resume_at < self.spent.resume_at):
            self.spent = lap.ended
