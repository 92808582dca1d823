"""Both directions at once, with people who pay on both sides, a third party, faults on both, and crashes.

No echo, nothing twice, nothing without a word. The third party is a connector of Precoro's own, a bank line that pays
a bill without a payment that we can read, and a bookkeeper who undoes what reached Precoro.

`python -m tests.payments.both_ways --seed 1 --count 500` plays that many companies and prints what came of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from precoro_daemon.errors import DoubtfulError, PermanentError, TemporaryError
from precoro_daemon.payments.ports.ledger import Capabilities
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.receipts import Bill
from precoro_daemon.payments.rules.states import UNRESOLVED, State
from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import Scene, scene
from tests.payments.schedules import POSTS
from tests.payments.world import HOUR, MINUTE, Crash, Fate, without_threads

_RACES = ("twice", "person, same", "person, all", "on revision")
_FAULTS = [name for name in POSTS if name not in _RACES]
_FAILURES = (
    None,
    None,
    DoubtfulError("no answer from the ledger"),
    TemporaryError("the ledger do not answer"),
    PermanentError("the ledger refuse it"),
)


async def play(seed: int) -> tuple[Counter[str], list[str]]:
    dice = random.Random(seed)
    stage = _company(dice)
    await stage.export()
    stage.bank.clock.time += MINUTE
    invoices = [stage.invoice() for _ in range(2)]
    twice: list[tuple[int, str]] = []
    copies: list[int] = []
    if stage.ledger.capabilities.bills:
        stage.ledger.open = {str(one.idn): Bill(str(one.id), Decimal(100), "EUR") for one in invoices}
    for number in range(dice.randrange(3, 8)):
        twice += _happens(dice, stage, dice.choice(invoices), number)
        _changes_ours(dice, stage)
        copies += _third_party(dice, stage, invoices)
        for exporting in dice.sample((True, False), k=2):
            await _lap(dice, stage, exporting=exporting)
    stage.ledger.failures.clear()

    async def both(after: float) -> None:
        await stage.lap(after=20 * MINUTE)
        await stage.export(after=after)

    await stage.settle(both)
    counts, wrong = _judged(stage)
    counts["copies"], counts["undone"] = len(copies), len(_undone(stage))
    booked = {entry.payment_id for entry in stage.ledger.entries}
    wrong += [f"copied into the ledger: payment {one}" for one in copies if one in booked]
    return counts, wrong + _entered_again(stage, twice) + _overpaid(stage) + _silent(stage)


def _company(dice: random.Random) -> Scene:
    stage = scene(keep_external_id=dice.random() < 0.7, repost=dice.choice(("never", "guarded")))
    capabilities = dice.choice((("idempotent", "key"), ("plain", "key"), ("plain", "none")))
    bills = dice.random() < 0.4
    stage.ledger.capabilities = Capabilities(True, capabilities[0], capabilities[1], bills)  # type: ignore[arg-type]
    stage.ledger.kept, stage.ledger.late = dice.random() < 0.6, dice.random() < 0.6
    return stage


def _happens(dice: random.Random, stage: Scene, invoice: Row, number: int) -> list[tuple[int, str]]:
    """Somebody pays in Precoro, or in the ledger, now and then the same in both, which both know by another day then.
    What stands on both sides so: Precoro's id and the ledger's key of it."""
    cents = dice.choice((1_000, 2_500, dice.randrange(1, 4_000)))
    day = DAY + timedelta(days=number)
    where = dice.choice(("books", "precoro", "books", "precoro", "both"))
    if where in ("precoro", "both"):
        try:
            stage.bank.person_pays(invoice, cents, day.isoformat())
        except RefusedError:
            return []
    key = ""
    if where in ("books", "both"):
        apart = dice.choice((0, 0, 1, -1, 3)) if where == "both" else 0
        key = stage.pays(invoice, f"{cents // 100}.{cents % 100:02d}", paid_on=day + timedelta(days=apart))
    return [(invoice.made("payments")[-1].id, key)] if where == "both" else []


def _changes_ours(dice: random.Random, stage: Scene) -> None:
    """Somebody takes an entry of ours back, makes it again, or gives it the bank's day."""
    known = [one.remote_id for one in stage.intents if one.direction == "to_ledger" and one.remote_id]
    if not known or dice.random() < 0.7:
        return
    key = dice.choice(known)
    entry = stage.ledger.entries[int(key.removeprefix("B-"))]
    again = {"amount": entry.amount, "paid_on": entry.paid_on + timedelta(days=dice.choice((0, 2)))}
    stage.ledger.change(key, **dice.choice(({"amount": Decimal(0)}, again)))


def _third_party(dice: random.Random, stage: Scene, invoices: list[Row]) -> list[int]:
    """What neither we nor the people at Precoro do. Ids of payments that a connector brought to Precoro."""
    what = dice.choice(("connector", "bank line", "bookkeeper", "nobody", "nobody"))
    confirmed = [one for one in stage.intents if one.state is State.CONFIRMED]
    if what == "bank line" and stage.ledger.open:
        idn = dice.choice(list(stage.ledger.open))
        bill = stage.ledger.open[idn]
        left = (stage.ledger.bill_of(idn) or bill).open
        stage.ledger.open[idn] = replace(
            bill, open=bill.open - min(max(left, Decimal(0)), Decimal(dice.choice((5, 30))))
        )
    elif what == "bookkeeper":
        undoable = [str(one.source) for one in confirmed if one.direction == "to_precoro"]
        for key in undoable and [dice.choice(undoable)]:
            stage.ledger.change(key, amount=Decimal(0))
    elif what == "connector" and confirmed:
        one = dice.choice(confirmed)
        [invoice] = [row for row in invoices if row.id == one.invoice_id]
        try:
            stage.bank.person_pays(invoice, int(one.amount * 100), one.day.isoformat())
        except RefusedError:
            return []
        return [invoice.made("payments")[-1].id]
    return []


def _undone(stage: Scene) -> list[Intent]:
    rows = stage.ledger.rows
    return [
        one
        for one in stage.intents
        if one.direction == "to_precoro" and one.remote_id is not None and rows[str(one.source)].amount == 0
    ]


def _silent(stage: Scene) -> list[str]:
    """What the books undid after it reached Precoro, and nobody was asked about."""
    busy = {one.invoice_id for one in stage.intents if one.direction == "to_precoro" and one.state in UNRESOLVED}
    silent = [one for one in _undone(stage) if one.state is State.CONFIRMED and one.invoice_id not in busy]
    return [f"undone without a word: {one}" for one in silent]


def _overpaid(stage: Scene) -> list[str]:
    return [f"more than was open: {entry}" for entry in stage.ledger.overpaid]


async def _lap(dice: random.Random, stage: Scene, *, exporting: bool) -> None:
    stage.posts[:] = [POSTS[dice.choice(_FAULTS)] for _ in range(dice.randrange(3))]
    stage.ledger.failures = [dice.choice(_FAILURES) for _ in range(dice.randrange(3))]
    stage.fate = Fate(dice.randrange(12) if dice.random() < 0.3 else None)
    try:
        await stage.lap(after=dice.choice((61.0, 20 * MINUTE, HOUR)), exporting=exporting)
    except Crash:
        if stage.database.in_transaction:
            stage.database.rollback()
    stage.fate = Fate(dead=True)


def _judged(stage: Scene) -> tuple[Counter[str], list[str]]:
    intents = stage.intents
    counts = Counter({"companies": 1})
    counts.update(f"{intent.direction} {intent.state}" for intent in intents)
    ours = {row.id for made in stage.bank.made.values() for row in made}
    entries = Counter(entry.payment_id for entry in stage.ledger.entries)
    wrong = [f"doubled in Precoro: {name}" for name, made in stage.bank.made.items() if len(made) > 1]
    wrong += [f"doubled in the ledger: payment {payment}" for payment, count in entries.items() if count > 1]
    wrong += [f"echo in the ledger: payment {payment}" for payment in entries if payment in ours]
    wrong += [
        f"echo in Precoro: {one}" for one in intents if one.direction == "to_precoro" and str(one.source)[0] == "B"
    ]
    open_ = [one for one in intents if one.state in (State.SENDING, State.DOUBT, State.PLANNED)]
    return counts, wrong + [f"stuck: {one} is {one.state} ({one.reason})" for one in open_]


def _entered_again(stage: Scene, twice: list[tuple[int, str]]) -> list[str]:
    """What people entered on both sides is there, and not to be made a second time on either."""
    sent = {str(one.source) for one in stage.intents if one.direction == "to_precoro" and stage.bank.made.get(one.id)}
    booked = {entry.payment_id for entry in stage.ledger.entries}
    wrong = [f"made in Precoro though it was there: {key}" for _, key in twice if key in sent]
    return wrong + [f"made in the ledger though they had it: {number}" for number, _ in twice if number in booked]


async def play_all(seeds: range) -> tuple[Counter[str], list[str]]:
    without_threads()
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in seeds:
        some, complaints = await play(seed)
        counts += some
        wrong += [f"{complaint} with seed {seed}" for complaint in complaints]
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    counts, wrong = asyncio.run(play_all(range(asked.seed, asked.seed + asked.count)))
    print(json.dumps({"counts": counts, "wrong": wrong[:20], "wrong_in_all": len(wrong)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
