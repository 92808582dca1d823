"""carries out approved plans for suppliers' items at Precoro, each write once"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from precoro_daemon.catalogue.change_check import ChangeCheck
from precoro_daemon.catalogue.item_writer import ItemWriter
from precoro_daemon.catalogue.plan_lap import PlanLap
from precoro_daemon.catalogue.plan_report import OnProgress, PlanReport
from precoro_daemon.catalogue.ports.gateway import ItemGateway
from precoro_daemon.catalogue.ports.plans import Catalogue, PlanState
from precoro_daemon.catalogue.rules.items import Fields
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import PlanRefused
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.ports import Clock


def _nobody(_plan: PlanState, _finished: int) -> None:
    """Ignores the progress."""


@dataclass(frozen=True, slots=True)
class ManageItems:
    """Carries out approved plans, resumes where an earlier lap stopped, and checks what is in doubt.

    keep  fields beyond the documented ones that are sent back unchanged
    """

    catalogue: Catalogue
    gateway: ItemGateway
    clock: Clock
    keep: Sequence[str]
    on_progress: OnProgress = _nobody
    name: ClassVar[str] = "manage_items"

    async def due(self, _now: float) -> bool:
        for plan in await self.catalogue.under_way():
            if plan.counts.get(State.PLANNED) or plan.counts.get(State.SENDING):
                return True
            doubts = await self.catalogue.writes(plan.number, State.DOUBT)
            if any((one.check_at or 0.0) <= self.clock.now() for one in doubts):
                return True
        return False

    async def approve(self, plan: PlanState) -> None:
        """Approves the plan if Precoro has not changed since it was made. Raises PlanRefused."""
        check = self._check(plan, {}, known_until=plan.as_of)
        found = await check.changed_since(plan.as_of)
        known = await self.catalogue.versions(list(found))
        changed = {item.id: item for item in await self.catalogue.changed_since(plan.number)}
        changed |= {item.id: item for item in found.values() if known.get(item.id) != item.version}
        ours = [item for item in changed.values() if item.supplier == plan.supplier.id]
        if ours:
            which = ", ".join(f"{item.text('sku') or ''} (id {item.id})".strip() for item in ours[:5])
            more = f" and {len(ours) - 5:,} more" if len(ours) > 5 else ""
            raise PlanRefused(
                f"{len(ours):,} items of {plan.supplier} changed at Precoro since the plan was made: {which}{more}."
                " Run `items plan` again and read what it shows"
            )
        await self.catalogue.approve(plan.number, at=self.clock.now())
        await self.catalogue.note(plan.number, checked_at=check.known_until)

    async def lap(self) -> LapReport:
        fields = {one.id: one for one in await self.catalogue.fields()}
        brought = 0
        failed: list[str] = []
        for plan in await self.catalogue.under_way():
            lap = self._lap(plan, fields)
            ended = await lap.run()
            brought += lap.report.finished
            failed += lap.report.failed
            if ended is not None:
                return LapReport(brought, failed, ended)
        return LapReport(brought, failed)

    def _lap(self, plan: PlanState, fields: Fields) -> PlanLap:
        writer = ItemWriter(self.catalogue, self.gateway, plan, fields, self.keep)
        check = self._check(plan, fields, known_until=plan.checked_at)
        report = PlanReport(plan, self.on_progress)
        return PlanLap(self.catalogue, self.gateway, self.clock, plan, writer, check, report)

    def _check(self, plan: PlanState, fields: Fields, *, known_until: float) -> ChangeCheck:
        return ChangeCheck(self.gateway, self.clock, plan.supplier.id, fields, known_until)
