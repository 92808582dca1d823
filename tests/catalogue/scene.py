"""A supplier, a wanted list, and laps of the real jobs between them; for tests that tell a story each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.sandbox.rows import Row as Record
from tests.catalogue.world import Life, Memory, Shop, WritePlan, emptied, open_shop
from tests.payments.world import Fate


@dataclass
class Scene:
    """`writes` and `reads` are what becomes of the next calls."""

    shop: Shop = field(default_factory=open_shop)
    writes: list[WritePlan] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    keep: Sequence[str] = ("link",)
    wrong_clock: float = 0.0
    hide: bool = False
    reading: dict[str, Any] = field(default_factory=dict)
    source: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self.database = emptied()

    def wants(self, name: str, **more: Any) -> None:
        row = {"sku": self.shop.sku(name), "name": f"Item {name}", "price": "10.00", "currency": "EUR"}
        self.source.rows.append(row | more)
        extra = [key for key in more if key not in self.source.columns]
        self.source.columns = (*self.source.columns, *extra)

    def stocks(self, name: str, **facts: Any) -> Record:
        return self.shop.stocks(name, **facts)

    def life(self) -> Life:
        life = Life(self.shop, self.database, Fate(), self.keep, self.wrong_clock)
        life.wire.writes, life.wire.reads, life.wire.calls = self.writes, self.reads, self.calls
        return life

    async def plan(self) -> PlanState:
        self.shop.bank.clock.time += 61
        async with self.life() as life:
            return await life.plan(self.source, hide=self.hide, **self.reading)

    async def apply(self, after: float = 61.0) -> LapReport:
        self.shop.bank.clock.time += after
        self.shop.bank.catch_up()
        async with self.life() as life:
            supplier = self.shop.supplier.id
            plan = await life.store.catalogue.plan(supplier)
            assert plan is not None
            if plan.approved_at is None:
                await life.manager.approve(plan)
            return await life.manager.lap()

    async def lap(self, after: float = 61.0) -> LapReport:
        self.shop.bank.clock.time += after
        self.shop.bank.catch_up()
        async with self.life() as life:
            return await life.manager.lap()

    @property
    def states(self) -> list[tuple[str, State]]:
        rows = self.database.execute("SELECT kind, state FROM item_writes ORDER BY plan, number")
        return [(row["kind"], State(row["state"])) for row in rows]

    @property
    def sent(self) -> list[str]:
        """Writes, and nothing else."""
        return [call for call in self.calls if not call.startswith("GET")]

    @property
    def asked(self) -> list[str]:
        return [call for call in self.calls if call.startswith("GET")]


def fields(scene: Scene, row: Record) -> Mapping[str, Any]:
    return scene.shop.fields(row)
