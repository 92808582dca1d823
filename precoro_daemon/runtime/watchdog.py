"""reports to the supervisor that all is well, as long as every part gives signs of life"""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from precoro_daemon.runtime.ports import Clock, Heartbeat, Supervisor
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_LIVENESS_CHECK_S = 5.0
"""The most real seconds between two checks if a supervisor waits for signs of life."""

_OWN_CHECKS, _OWN_CHECK_S = 30, 30.0
"""Without a supervisor, as with each of many companies: the number of checks in the silence after which a part counts
as stuck, and the most seconds between two. Checking every five seconds cost more than everything else in a quiet
company.
"""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """Checks every part of the program again and again.

    A part that hangs is logged once, and keeps the watchdog from reporting that all is well, so that the supervisor
    may restart the program. Silence counts only while a part is at work, and not while it waits for quota.

    stuck_after  seconds of silence after which a part counts as stuck
    """

    clock: Clock
    heartbeat: Heartbeat
    supervisor: Supervisor
    stuck_after: float

    async def run(self) -> None:
        pause = self._pause()
        said = self.heartbeat.summary()
        self.supervisor.ready(said)
        while True:
            if not self._any_stuck():
                self.supervisor.alive()
            if (summary := self.heartbeat.summary()) != said:
                said = summary
                self.supervisor.status(said)
            await anyio.sleep(pause)

    def _pause(self) -> float:
        if (interval := self.supervisor.watchdog_interval) is not None:
            return min(_LIVENESS_CHECK_S, interval / 3)
        return max(_LIVENESS_CHECK_S, min(_OWN_CHECK_S, self.stuck_after / _OWN_CHECKS))

    def _any_stuck(self) -> bool:
        now = self.clock.now()
        for part in self.heartbeat.parts:
            part.heard_at = min(part.heard_at, now)
            silent = now - max(part.heard_at, part.quiet_until)
            stuck = part.running_since is not None and silent > self.stuck_after
            if stuck and not part.stuck:
                _log.error("part_stalled", part=part.name, silent=round(silent))
            part.stuck = stuck
        return any(part.stuck for part in self.heartbeat.parts)
