"""what one lap reports about a plan's writes: counts, lines for people, and log events"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.telemetry import get_logger

_log = get_logger()

OnProgress = Callable[[PlanState, int], None]
"""Called with the plan and the number of writes that this lap has finished."""


@dataclass(slots=True)
class PlanReport:
    """finished  writes that are done, refused or skipped
    failed    one line for each thing that a person should know
    """

    plan: PlanState
    on_progress: OnProgress
    finished: int = 0
    failed: list[str] = field(default_factory=list)

    def done(self, write: Write, item: int | None) -> None:
        self._count()
        _log.debug("item_saved", plan=write.plan, kind=str(write.step.kind), key=write.step.key, item=item)

    def flawed(self, write: Write, item: int, reason: str) -> None:
        """Reports a write that is done but differs from what was wanted."""
        self._add(write, reason)
        _log.warning("item_refused", plan=write.plan, key=write.step.key, item=item, reason=reason)

    def refused(self, write: Write, reason: str) -> None:
        self._count()
        self._add(write, reason)
        _log.warning("item_refused", plan=write.plan, key=write.step.key, item=write.step.item, reason=reason)

    def skipped(self, write: Write, reason: str) -> None:
        self._count()
        self._add(write, reason)
        _log.warning("item_skipped", plan=write.plan, key=write.step.key, item=write.step.item, reason=reason)

    def held(self, write: Write, reason: str) -> None:
        """Reports a write that the next lap retries."""
        self._add(write, reason)
        _log.warning("item_skipped", plan=write.plan, key=write.step.key, item=write.step.item, reason=reason)

    def doubted(self, write: Write, reason: str) -> None:
        _log.warning("item_doubted", plan=write.plan, kind=str(write.step.kind), key=write.step.key, reason=reason)

    def advanced(self) -> None:
        left = self.plan.open - self.finished
        _log.info("items_advanced", plan=self.plan.number, finished=self.finished, left=left)

    def stopped(self, reason: str) -> None:
        self.add(f"stopped: {reason}")
        _log.error("items_stopped", plan=self.plan.number, reason=reason)

    def paused(self, reason: str) -> None:
        _log.warning("items_paused", plan=self.plan.number, reason=reason)

    def add(self, text: str) -> None:
        self.failed.append(f"items of {self.plan.supplier}: {text}")

    def _add(self, write: Write, reason: str) -> None:
        self.add(f"{write.step.kind} {write.step.key}: {reason}")

    def _count(self) -> None:
        self.finished += 1
        self.on_progress(self.plan, self.finished)
