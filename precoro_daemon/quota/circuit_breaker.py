"""two 403 or three faults in a row end a job's lap and pause the job

Theory of operation. A job that requests one record after the other must notice when it is no longer the record that
fails. Two signs show it, and they need different reactions:

- Two answers 403 in a row, after the key was welcome. A third one counts as a blocked key, and Precoro blocks keys
that
  keep failing. So the lap ends, and the job is idle for a quarter of an hour. Only a good answer shows that the
  key is
  still welcome: a record that is missing, or refused for a reason of its own, proves nothing.
- Three faults in a row (5xx, 408, no answer). The server is in trouble, and the day's calls are saved until it is
well.
  The lap ends with the fault, and the scheduler backs off. Any answer but a fault shows that the server is well.

The breaker is a value. `after` returns the breaker after a call; a job feeds it each outcome and asks `verdict`
whether the lap ends. Across laps only the time is kept until which the job is idle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from precoro_daemon.errors import ConnectionFault, DaemonError, Forbidden, KeyInDoubt, PermanentError, ServerFault

MOST_FORBIDDEN = 2
"""In a row. A third one, in a collection that was open before, counts as a blocked key."""

MOST_FAULTS_IN_A_ROW = 3

IDLE_S = 900.0
"""Seconds until the next call after the key came into doubt."""


class Outcome(Enum):
    """What the end of a call shows."""

    GOOD = "the key is welcome and the server well"
    REFUSED = "the server is well; this record is missing or not accepted"
    FORBIDDEN = "the server is well; the key may not read this record"
    FAULTY = "the server, or the way to it, is in trouble"
    UNCLEAR = "nothing"


def outcome_of(error: DaemonError) -> Outcome:
    match error:
        case Forbidden():
            return Outcome.FORBIDDEN
        case PermanentError():
            return Outcome.REFUSED
        case ServerFault() | ConnectionFault():
            return Outcome.FAULTY
    return Outcome.UNCLEAR


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """most_faults  in a row; more for concurrent calls, because one outage fails them all
    idle_until   no call is made before (Unix seconds)
    """

    most_faults: int = MOST_FAULTS_IN_A_ROW
    forbidden: int = 0
    faults: int = 0
    idle_until: float = 0.0

    def after(self, outcome: Outcome) -> Self:
        match outcome:
            case Outcome.GOOD:
                return replace(self, forbidden=0, faults=0)
            case Outcome.REFUSED:
                return replace(self, faults=0)
            case Outcome.FORBIDDEN:
                return replace(self, forbidden=self.forbidden + 1, faults=0)
            case Outcome.FAULTY:
                return replace(self, faults=self.faults + 1)
            case Outcome.UNCLEAR:
                return self

    def verdict(self, error: DaemonError) -> DaemonError | None:
        """Returns the error that ends the lap now that this failure was counted, None if the lap continues."""
        if isinstance(error, Forbidden) and self.forbidden >= MOST_FORBIDDEN:
            return KeyInDoubt(str(error))
        return error if outcome_of(error) is Outcome.FAULTY and self.faults >= self.most_faults else None

    def fresh(self) -> Self:
        """Returns the breaker at the start of a lap, with all counts at zero."""
        return replace(self, forbidden=0, faults=0)

    def at_end(self, ended: DaemonError | None, now: float) -> Self:
        """Returns the breaker at the end of a lap; if the key came into doubt, the job is idle."""
        return replace(self, idle_until=now + IDLE_S) if isinstance(ended, KeyInDoubt) else self

    def is_idle(self, now: float) -> bool:
        return now < self.idle_until
