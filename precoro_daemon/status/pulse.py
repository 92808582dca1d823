"""what the program is doing at present: its jobs and other working parts"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from precoro_daemon.runtime.job_state import JobStatus
    from precoro_daemon.runtime.ports import PartPulse


class Pulse(Struct):
    """The whole program: its jobs in the order of a round, other working parts, its start, and whether it is ending.

    refused  why the configuration read last is not in use, "" if it is
    """

    started_at: float
    jobs: Sequence[JobStatus] = field(default=())
    others: Sequence[PartPulse] = field(default=())
    stopping: bool = False
    reloads: int = 0
    refused: str = ""

    @property
    def parts(self) -> Sequence[PartPulse]:
        return (*self.jobs, *self.others)
