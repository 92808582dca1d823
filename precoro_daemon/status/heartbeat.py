"""signs of life of the running jobs, derived from their progress"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from precoro_daemon.files.ports.attachment_book import FileCounts
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock, PartPulse, own_pulse
from precoro_daemon.status.progress import Silent
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Tallies


class ProgressHeartbeat(Silent):
    """Implements `Progress` and `Heartbeat` if nobody watches: every step is a sign of life of its job."""

    def __init__(self, clock: Clock, tallies: Tallies | None = None) -> None:
        self._clock = clock
        self.tallies = tallies or Tallies()
        self.pulse = Pulse(clock.now())
        self.left: Mapping[str, int] = {}

    @property
    def parts(self) -> Iterable[PartPulse]:
        return self.pulse.parts

    def summary(self) -> str:
        if blocked := [job for job in self.pulse.jobs if job.trouble is not None]:
            return f"needs attention: {blocked[0].name}: {blocked[0].trouble}"
        left = self.left.get("day")
        quota = "" if left is None else f"; {left:,} calls left today"
        if running := [job.name for job in self.pulse.jobs if job.running_since is not None]:
            return f"working: {', '.join(running)}{quota}"
        return f"everything is done for now{quota}"

    def scan_advanced(self, collection: str, scan: Scan, committed: Committed) -> None:
        self._hear()

    def details_advanced(self, collection: str, done: int, failed: int, due: int) -> None:
        self._hear()

    def files_advanced(self, done: FileCounts, failed: int, due: FileCounts) -> None:
        self._hear()

    def waiting(self, lane: Lane, window: str, until: float) -> None:
        self._hear(until)

    def outranked(self, lane: Lane) -> None:
        self._hear()

    def called(self, lane: Lane, left: Mapping[str, int]) -> None:
        self.left = left
        self._hear()

    def answered(self, method: str, route: str, outcome: str) -> None:
        self.tallies.calls[method, route, outcome] += 1
        self._hear()

    def _hear(self, quiet_until: float = 0.0) -> None:
        if pulse := own_pulse.get():
            pulse.heard_at = self._clock.now()
            pulse.quiet_until = max(pulse.quiet_until, quiet_until)
