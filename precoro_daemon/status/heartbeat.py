"""signs of life of the running jobs, taken from what a person watching would see"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from precoro_daemon.files.ports import FileCounts
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.quota.budget import Lane
from precoro_daemon.runtime.ports import Clock, JobPulse, Pulse, jobs_own
from precoro_daemon.status.progress import Silent
from precoro_daemon.status.snapshot import Tallies


class ProgressHeartbeat(Silent):
    """Implements `Progress` and `Heartbeat` where nobody watches: every step is a sign of life of its job."""

    def __init__(self, clock: Clock, names: Sequence[str], tallies: Tallies | None = None) -> None:
        self._clock = clock
        self.tallies = tallies or Tallies()
        self.pulse = Pulse(clock.now(), [JobPulse(name) for name in names])
        self.left: Mapping[str, int] = {}

    def of(self, name: str) -> JobPulse:
        return next(pulse for pulse in self.pulse.jobs if pulse.name == name)

    def keep(self, names: Collection[str]) -> None:
        """Only these jobs are there."""
        self.pulse.jobs = [pulse for pulse in self.pulse.jobs if pulse.name in names]

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        self._hear()

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        self._hear()

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        self._hear()

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        self._hear(until)

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        self.left = left
        self._hear()

    def answered(self, method: str, route: str, outcome: str) -> None:
        self.tallies.calls[method, route, outcome] += 1
        self._hear()

    def _hear(self, quiet_until: float = 0.0) -> None:
        if pulse := jobs_own.get():
            pulse.heard_at = self._clock.now()
            pulse.quiet_until = max(pulse.quiet_until, quiet_until)
