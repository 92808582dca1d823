"""Schedules of faults, crashes and late arrivals over creating and changing items, each played to its end and judged
by what Precoro really has.

`python -m tests.catalogue.schedules --seed 1 --count 5000` plays random ones and prints what came of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import FatalError
from tests.catalogue.world import (
    Life,
    Memory,
    Shop,
    WritePlan,
    answered,
    carried_out,
    carried_out_then,
    carried_out_then_cut,
    carried_out_then_time_out,
    cut,
    emptied,
    late,
    open_shop,
)
from tests.payments.world import HOUR, MINUTE, Crash, Fate, no_connection, slow_connection, without_threads

LIMIT_429 = {"error": "Too many requests for this endpoint", "RateLimit-Type": "Hourly limiter"}
REFUSED = {"code": 400, "errors": {"errors": {"price": ["This value is not valid."]}}}

WRITES: dict[str, WritePlan] = {
    "fine": carried_out,
    "no connection": no_connection,  # type: ignore[dict-item]
    "slow connection": slow_connection,  # type: ignore[dict-item]
    "429": answered(429, LIMIT_429),
    "429 of a proxy": answered(429, b"<html>", "text/html"),
    "cut": cut,
    "done, cut": carried_out_then_cut,
    "done, timed out": carried_out_then_time_out,
    "done, 500": carried_out_then(500),
    "done, web page": carried_out_then(200, b"<html>", "text/html"),
    "done, no id": carried_out_then(201),
    "500": answered(500),
    "redirect": answered(302),
    "refused": answered(400, REFUSED),
    "web page 403": answered(403, b"<html>", "text/html"),
    "late by seconds": late(30),
    "late by minutes": late(20 * MINUTE),
    "late by hours": late(6 * HOUR),
    "500, late": late(5 * MINUTE, 500),
}

MOST_LAPS = 80
UNTOUCHED = (
    "description",
    "unit",
    "currency",
    "link",
    "category",
    "dataProductCustomFields",
    "externalId",
    "supplier",
)


@dataclass(frozen=True)
class Schedule:
    """A supplier with a few items, what is wanted of them, and everything that goes wrong.

    writes   what becomes of the writes sent, in turn
    reads    statuses of the GETs that fail, in turn, 0 for those that do not
    crashes  steps after which the process dies, one life after the other
    person   who edits which item before which lap, -1 for nobody
    replan   the plan is made and approved anew before that lap, -1 for never
    """

    writes: Sequence[str] = ()
    reads: Sequence[int] = ()
    crashes: Sequence[int] = ()
    person: tuple[int, int] = (-1, 0)
    replan: int = -1
    keyed: str = "externalId"
    kept: bool = True


@dataclass
class Play:
    """One schedule: three items to change, one to leave, one to hide, two new ones."""

    schedule: Schedule
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.shop: Shop = open_shop(keep_external_id=self.schedule.kept)
        self.database = emptied()
        self.writes = [WRITES[name] for name in self.schedule.writes]
        self.reads = list(self.schedule.reads)
        self.crashes = list(self.schedule.crashes)
        self.laps = 0
        self.planned = False
        self.edited: set[int] = set()
        values = [{"id": 1, "value": "red", "itemCustomField": {"id": 5, "name": "Colour"}}]
        self.field = next(iter(self.shop.company["itemcustomfields"]), None) or self.shop.company.create(
            "itemcustomfields", name="Colour", _type="text"
        )
        values[0]["itemCustomField"]["id"] = self.field.id  # type: ignore[index]
        named = {"external_id": None} if self.schedule.keyed == "sku" else {}
        self.rows = [
            self.shop.stocks(
                name, dataProductCustomFields={"data": values}, **{"external_id": self.shop.sku(f"X{name}")} | named
            )
            for name in ("a", "b", "c", "same", "gone")
        ]
        self.before = {row.id: dict(self.shop.fields(row)) for row in self.rows}
        self.source = Memory([self._wanted(name) for name in ("a", "b", "c", "same", "new", "newer")])
        self.shop.bank.clock.time += 2 * HOUR

    def _wanted(self, name: str) -> dict[str, Any]:
        price = {"a": "12.50", "b": "0.99", "c": "10.00", "same": "10.00"}.get(name, "5.00")
        external = self.shop.sku(f"X{name}") if self.schedule.keyed == "externalId" else ""
        title = "Renamed" if name == "c" else f"Item {name}"
        return {
            "externalId": external,
            "sku": self.shop.sku(name),
            "name": title,
            "price": price,
            "currency": "EUR",
            "hiddenInCatalog": "false",
        }

    async def run(self) -> Play:
        clock = self.shop.bank.clock
        over = False
        while not over and self.laps < MOST_LAPS:
            fate = Fate(self.crashes.pop(0) if self.crashes else None)
            try:
                async with Life(self.shop, self.database, fate) as life:
                    life.wire.writes, life.wire.reads = self.writes, self.reads
                    over = await self._live(life)
            except* Crash:
                if self.database.in_transaction:
                    self.database.rollback()
            self.laps += 1
            clock.time += 61
        clock.time += 7 * HOUR
        self.shop.bank.catch_up()
        await self._judge()
        return self

    async def _approve(self, life: Life) -> bool:
        """A person plans and approves; what fails in between is done again."""
        try:
            if (before := await life.store.catalogue.plan(self.shop.supplier.id)) and before.approved_at:
                await life.store.catalogue.end(before.number, "given up by a person")
            plan = await life.plan(self.source)
            await life.manager.approve(plan)
        except Exception as error:  # noqa: BLE001 - a read that failed; the person tries again
            self.counts[f"plan failed: {type(error).__name__}"] += 1
            return False
        return True

    async def _live(self, life: Life) -> bool:
        clock = self.shop.bank.clock
        while self.laps < MOST_LAPS:
            if self.laps == self.schedule.replan:
                self.planned = False
            if not self.planned:
                clock.time += 31
                self.planned = await self._approve(life)
                clock.time += 31
                if not self.planned:
                    return False
            if self.laps == self.schedule.person[0]:
                row = self.rows[self.schedule.person[1]]
                self.shop.company.edit(row, description="edited by a person")
                self.edited.add(row.id)
                clock.time += 31
            self.laps += 1
            report = await life.manager.lap()
            if isinstance(report.ended, FatalError):
                # Such an error ends the program; whoever started it does so again.
                clock.time += 16 * MINUTE
                return False
            plans = await life.store.catalogue.under_way()
            if not plans:
                return True
            await self._rest(life, plans)
        return True

    async def _rest(self, life: Life, plans: Sequence[PlanState]) -> None:
        clock = self.shop.bank.clock
        checks = [
            one.check_at or 0.0
            for plan in plans
            for one in await life.store.catalogue.writes(plan.number, State.DOUBT)
        ]
        if any(plan.counts.get(State.PLANNED) or plan.counts.get(State.SENDING) for plan in plans):
            checks.append(clock.now() + 5 * MINUTE)
        moments = [*checks, *(moment for moment, _, _ in self.shop.bank.later[:1])]
        clock.time = max(clock.now() + 61, min(moments))
        self.shop.bank.catch_up()

    async def _judge(self) -> None:
        states = Counter(row["state"] for row in self.database.execute("SELECT state FROM item_writes"))
        self.counts.update(states)
        if open_ := {state: states[state] for state in ("planned", "sending", "doubt") if states.get(state)}:
            self.wrong.append(f"stuck: {open_}")
        done = {
            row["key"]
            for row in self.database.execute("SELECT key FROM item_writes WHERE state = 'done' AND kind = 'create'")
        }
        for name in ("new", "newer"):
            self._judge_new(name, done)
        for row in self.rows:
            self._judge_old(row)

    def _judge_new(self, name: str, done: set[str]) -> None:
        there = self.shop.items(name)
        if len(there) > 1:
            self.wrong.append(f"doubled: {name} is there {len(there)} times")
        key = self.shop.sku(f"X{name}") if self.schedule.keyed == "externalId" else self.shop.sku(name)
        if key in done and not there:
            self.wrong.append(f"lost: {name} is said to be created")
        for row in there:
            fields = self.shop.fields(row)
            if (fields["name"], fields["price"]) != (f"Item {name}", "5.00"):
                self.wrong.append(f"wrong: {name} is {fields}")

    def _judge_old(self, row: Any) -> None:
        now, was = self.shop.fields(row), self.before[row.id]
        for name in UNTOUCHED:
            if row.id in self.edited and name == "description":
                if now[name] != "edited by a person":
                    self.wrong.append(f"overwritten: {row.name} {name} is {now[name]!r}")
            elif _plain(now.get(name)) != _plain(was.get(name)):
                self.wrong.append(f"lost: {row.name} {name} was {was.get(name)!r} and is {now.get(name)!r}")


def _plain(value: Any) -> Any:
    """Without the ids that values get when they are written."""
    text = json.loads(json.dumps(value, default=str))
    if isinstance(text, dict) and isinstance(text.get("data"), list):
        return [(one["itemCustomField"]["id"], one["value"]) for one in text["data"]]
    return str(text["id"]) if isinstance(text, dict) and "id" in text else text or None


def drawn(seed: int) -> Schedule:
    """A random one; the same for the same seed."""
    dice = random.Random(seed)
    late_ones = dice.random() < 0.5
    names = [name for name in WRITES if late_ones or "late" not in name]
    # A write that lands hours late may meet what a person made of the item by then; nobody can hold it back.
    person = (-1, 0) if late_ones else (dice.randrange(-1, 4), dice.randrange(5))
    return Schedule(
        writes=[dice.choice(names) for _ in range(dice.randrange(9))],
        reads=[dice.choice((0, 0, 0, 503, 200, 500)) for _ in range(dice.randrange(5))],
        crashes=[dice.randrange(40) for _ in range(dice.choice((0, 0, 1, 1, 2, 4)))],
        person=person,
        replan=dice.choice((-1, -1, 2, 3)),
        keyed=dice.choice(("externalId", "externalId", "sku")),
        kept=dice.random() < 0.8,
    )


@dataclass
class Tally:
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def play(self, schedule: Schedule) -> None:
        played = await Play(schedule).run()
        self.counts["schedules"] += 1
        self.counts["laps"] += played.laps
        self.counts.update(played.counts)
        self.wrong += [f"{complaint} in {schedule}" for complaint in played.wrong]


async def play_all(schedules: Iterable[Schedule]) -> Tally:
    without_threads()
    tally = Tally()
    for schedule in schedules:
        await tally.play(schedule)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    asked = parser.parse_args()
    tally = asyncio.run(play_all(map(drawn, range(asked.seed, asked.seed + asked.count))))
    told: Mapping[str, Any] = {"counts": tally.counts, "wrong": tally.wrong[:20], "wrong_in_all": len(tally.wrong)}
    print(json.dumps(told))
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
