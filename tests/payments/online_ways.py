"""A company between Precoro and each kind of ledger: people on both sides, a third party, lost answers, crashes.

`python -m tests.payments.online_ways --seed 1 --count 50` plays that many companies on each and prints what came of
them: nothing doubled, nothing lost, nothing undone without a person hearing of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter

from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.sandbox.refusals import RefusedError
from tests.contracts.ledgers.accounting import drop
from tests.payments.books import DAY
from tests.payments.other_books import database, odoo
from tests.payments.plain_books import central, files, templates
from tests.payments.scene import Scene
from tests.payments.test_online_ledgers import Books, Side, quickbooks, xero
from tests.payments.world import HOUR, MINUTE, Crash, Fate

SYSTEMS: dict[str, Books] = {
    "xero": xero,
    "quickbooks": quickbooks,
    "odoo": odoo,
    "sql": database,
    "csv": files,
    "rest": templates,
    "business_central": central,
}
_BILLS = {"901": "USD", "902": "EUR"}


async def play(kind: str, seed: int) -> tuple[Counter[str], list[str]]:
    dice = random.Random(f"{kind} {seed}")
    async with SYSTEMS[kind]() as (side, stage):
        await stage.export()
        stage.bank.clock.time += MINUTE
        for bill, currency in _BILLS.items():
            side.owes(bill, "100.00", currency)
            stage.invoice(external_id=bill, currency=currency)
        undone = 0
        for _ in range(dice.randrange(3, 7)):
            undone += _happens(dice, side, stage)
            for exporting in _ways(dice, stage):
                await _lap(dice, side, stage, exporting=exporting)
        side.system.mishap = None
        for _ in range(6):
            if stage.ledger.capabilities.reads:
                await stage.lap(after=20 * MINUTE)
            await stage.export(after=6 * HOUR)
        return _judged(kind, side, stage, undone)


def _ways(dice: random.Random, stage: Scene) -> list[bool]:
    """Whether a lap goes to the ledger, in which order."""
    return dice.sample((True, False), k=2) if stage.ledger.capabilities.reads else [True]


def _happens(dice: random.Random, side: Side, stage: Scene) -> bool:
    """Somebody pays at Precoro, or in the books, or undoes the last payment there. Whether that was one of ours."""
    bill = dice.choice([*_BILLS])
    cents = dice.choice((2_000, 3_000, dice.randrange(1, 4_000)))
    match dice.choice(("precoro", "precoro", "books", "undone")):
        case "precoro":
            try:
                stage.bank.person_pays(stage.invoices[[*_BILLS].index(bill)], cents, DAY.isoformat())
            except RefusedError:
                return False
        case "books":
            side.pays(bill, f"{cents // 100}.{cents % 100:02d}")
        case "undone" if side.entries():
            ours = len(keys_of(side))
            side.undoes()
            return len(keys_of(side)) < ours
    return False


async def _lap(dice: random.Random, side: Side, stage: Scene, *, exporting: bool) -> None:
    side.system.mishap = drop if dice.random() < 0.3 else None
    stage.fate = Fate(dice.randrange(12) if dice.random() < 0.2 else None)
    try:
        await stage.lap(after=dice.choice((61.0, 20 * MINUTE, HOUR)), exporting=exporting)
    except Crash:
        if stage.database.in_transaction:
            stage.database.rollback()
    stage.fate = Fate(dead=True)


def keys_of(side: Side) -> list[str]:
    """Of the payments in the books that we made and that stand."""
    return [text.removeprefix("Precoro ") for text in side.notes() if text.startswith("Precoro ")]


def _judged(kind: str, side: Side, stage: Scene, undone: int) -> tuple[Counter[str], list[str]]:
    counts = Counter({f"{kind}: companies": 1})
    counts.update(f"{kind}: {intent.direction} {intent.state}" for intent in stage.intents)
    there = Counter(keys_of(side))
    exports = {one.id: one for one in stage.intents if one.direction is Direction.TO_LEDGER}
    wrong = [f"doubled in the books: {key}" for key, count in there.items() if count > 1]
    wrong += [f"made for nobody: {key}" for key in there if key not in exports]
    wrong += [f"doubled at Precoro: {name}" for name, made in stage.bank.made.items() if len(made) > 1]
    for one in exports.values():
        if one.state is State.CONFIRMED and one.id not in there:
            wrong.append(f"silent: {one} is confirmed and not in the books")
        if one.state is State.REJECTED and one.id in there:
            wrong.append(f"silent: {one} is rejected and in the books")
    wrong += [
        f"in {currency}: a payment of {bill}" for bill, _, currency in side.entries() if currency != _BILLS[bill]
    ]
    counts[f"{kind}: undone"] += undone
    stuck = [one for one in stage.intents if one.state in (State.SENDING, State.DOUBT)]
    wrong += [f"stuck: {one} is {one.state} ({one.reason})" for one in stuck]
    return counts, wrong


async def play_all(seeds: range) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for kind in SYSTEMS:
        for seed in seeds:
            some, complaints = await play(kind, seed)
            counts += some
            wrong += [f"{complaint} ({kind}, seed {seed})" for complaint in complaints]
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=20)
    asked = parser.parse_args()
    counts, wrong = asyncio.run(play_all(range(asked.seed, asked.seed + asked.count)))
    print(json.dumps({"counts": counts, "wrong": wrong[:20], "wrong_in_all": len(wrong)}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
