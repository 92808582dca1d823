"""what the program is doing at present: its jobs and what else has work of its own"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from precoro_daemon.runtime.job_state import JobStatus
    from precoro_daemon.runtime.ports import PartPulse


class Pulse(Struct):
    """The whole program: its jobs in the order of a round, what else has work of its own, when it started, and
    whether it is ending. refused: why the configuration that was read last is not in use, "" if it is."""

    started_at: float
    jobs: Sequence[JobStatus] = field(default=())
    others: Sequence[PartPulse] = field(default=())
    stopping: bool = False
    reloads: int = 0
    refused: str = ""

    @property
    def parts(self) -> Sequence[PartPulse]:
        return (*self.jobs, *self.others)
