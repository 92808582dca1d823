"""what one lap of a job tells whoever called it"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from precoro_daemon.errors import DaemonError


@dataclass(frozen=True, slots=True)
class LapReport:
    """What one lap of a job did.

    brought  records and details that are new or changed
    failed   one line for each thing that failed and will be tried again
    ended    what ended the lap before its work was done: BudgetSpent, Stopped, a FatalError that ends the run too, or
             another one that is among the failed already and leaves this job nothing to do in this run
    """

    brought: int = 0
    failed: Sequence[str] = field(default=())
    ended: DaemonError | None = None
