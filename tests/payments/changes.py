"""Books that change their mind at any moment, with faults, crashes and a person between.

What is sent is what they said minutes ago at most, and what they say in the end is paid, asked for, or refused.

`python -m tests.payments.changes --seed 1 --count 500` plays random courses and prints what came of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from precoro_daemon.errors import DecisionRefused, StaleIntent
from precoro_daemon.payments.commands import Command, CommandHandler
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, UnreadableRow
from precoro_daemon.payments.rules.states import UNRESOLVED, State
from precoro_daemon.sandbox import schema
from tests.payments.scene import Scene
from tests.payments.schedules import POSTS
from tests.payments.world import HOUR, MINUTE, Crash, Fate, Life, open_bank, without_threads

AMOUNTS = ("40.00", "50.00", "60.01", "100.00", "120.00", "0", "0")
FAULTS = ("fine", "fine", "fine", "no connection", "cut", "done, cut", "done, 500", "refused", "late by minutes")

STALE = 480.0
"""Seconds for which what the ledger said may still be sent: five minutes, and three for an invoice."""


@dataclass
class Course(Scene):
    """Invoices, payments in the ledger, and what the ledger said when. `wrong`: what must never be."""

    seed: int = 0
    said: dict[str, list[tuple[float, LedgerPayment | None]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    quiet: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.dice = random.Random(self.seed)
        self.repost = self.dice.choice(("never", "guarded"))
        self.mirrors = True
        for _ in range(3):
            self.invoice()
        for _ in range(self.dice.choice((1, 1, 2))):
            key = self.pays(self.dice.choice(self.invoices), self.dice.choice(AMOUNTS[:5]))
            self._note(key)
        self.posts += [POSTS[self.dice.choice(FAULTS)] for _ in range(self.dice.randrange(5))]

    def _note(self, key: str) -> None:
        garbled = any(bad.key == key for bad in self.ledger.bad)
        self.said.setdefault(key, []).append((self.bank.clock.now(), None if garbled else self.ledger.rows[key]))

    def change(self) -> None:
        """What somebody does in the ledger."""
        key = self.dice.choice(list(self.said))
        garbled = [bad for bad in self.ledger.bad if bad.key == key]
        kind = self.dice.choice(("amount", "amount", "move", "garble"))
        if kind == "garble" and not garbled:
            self.ledger.bad.append(UnreadableRow(key, "amount: 'VOID' is no plain number", "{}"))
        else:
            for bad in garbled:
                self.ledger.bad.remove(bad)
            where = self.dice.choice(self.invoices)
            given = {"invoice": str(where.idn)} if kind == "move" else {"amount": Decimal(self.dice.choice(AMOUNTS))}
            self.ledger.change(key, **given)
        self.counts["changes"] += 1
        self._note(key)

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        async with super().life() as life:

            async def meanwhile() -> None:
                if self.calls[-1].startswith("POST"):
                    for intent in await life.store.journal.in_state("to_precoro", State.SENDING):
                        self._judge_sent(intent)
                if not self.quiet and self.dice.random() < 0.15:
                    self.change()

            life.wire.meanwhile = meanwhile
            yield life

    def _judge_sent(self, intent: Intent) -> None:
        now, said = self.bank.clock.now(), self.said[str(intent.source)]
        self.counts["sent"] += 1
        lately = [row for at, row in said if at >= now - STALE]
        lately += [row for at, row in said if at < now - STALE][-1:]
        [idn] = [str(one.idn) for one in self.invoices if one.id == intent.invoice_id]
        if not any(row and (row.invoice, row.amount) == (idn, intent.amount) for row in lately):
            self.wrong.append(f"sent: {intent}, which the ledger did not say lately: {lately}")

    async def play(self) -> None:
        for _ in range(self.dice.randrange(4, 14)):
            if self.dice.random() < 0.5:
                self.change()
            await self._lap(self.dice.choice((MINUTE, 6 * MINUTE, HOUR)), self.dice.randrange(16))
            if self.dice.random() < 0.4:
                await self._decide()
        self.quiet = True
        for key in {bad.key for bad in self.ledger.bad}:
            self.ledger.bad = [bad for bad in self.ledger.bad if bad.key != key]
            self.ledger.change(key)
            self._note(key)
        await self.settle(lambda after: self._lap(after, None))
        self._judge()

    async def _lap(self, after: float, crash_at: int | None) -> None:
        if crash_at is not None and self.dice.random() < 0.3:
            self.fate = Fate(crash_at)
        try:
            report = await self.lap(after)
        except Crash:
            self.counts["crashes"] += 1
            if self.database.in_transaction:
                self.database.rollback()
            self.fate = Fate(dead=True)
        else:
            self.fate = Fate(dead=True)
            if report.ended is not None:
                self.wrong.append(f"ended: {report.ended}")

    async def _decide(self) -> None:
        open_ = [one for one in self.intents if one.state in (State.REVIEW, State.REJECTED)]
        if not open_:
            return
        intent = self.dice.choice(open_)
        made = [row for name in intent.names for row in self.bank.made.get(name, ())]
        given = {"kind": "repost"}
        if made:
            given = {"kind": "adopt", "payment": str(made[0].id)}
        elif not intent.attempts and self.dice.random() < 0.2:
            given = {"kind": "drop"}
        self.fate = Fate()
        async with self.life() as life:
            handler = CommandHandler(Recorder(life.store.journal, self.bank.clock), self.job(life).access, marks=True)
            try:
                await handler.execute(Command(by="somebody", ident=intent.id, **given))
                self.counts["decided"] += 1
            except (DecisionRefused, StaleIntent):
                self.counts["not decided"] += 1
        self.fate = Fate(dead=True)

    def _judge(self) -> None:
        intents = {intent.id: intent for intent in self.intents}
        for intent in intents.values():
            self.counts[intent.state] += 1
            made = sum(len(self.bank.made.get(name, ())) for name in intent.names)
            if made > 1:
                self.wrong.append(f"doubled: {intent} was carried out {made} times")
            amounts = {row.total for name in intent.names for row in self.bank.made.get(name, ())}
            if intent.state is State.CONFIRMED and any(abs(one - int(intent.amount * 100)) > 1 for one in amounts):
                self.wrong.append(f"unlike Precoro: {intent} is confirmed, and {amounts} cents were made")
            if made and intent.state is State.REJECTED:
                self.wrong.append(f"lost: {intent} is rejected and was carried out")
            if intent.state in (State.SENDING, State.DOUBT):
                self.wrong.append(f"stuck: {intent} is {intent.state} ({intent.reason})")
        for key in self.said:
            self._judge_ledger_payment(key, intents)

    def _judge_ledger_payment(self, key: str, intents: dict[str, Intent]) -> None:
        said = self.ledger.rows[key]
        [row] = self.database.execute(
            "SELECT intent, facts <> carried AS changed FROM ledger_payments WHERE key = ?", [key]
        )
        [invoice] = [one for one in self.invoices if str(one.idn) == said.invoice]
        intent = intents.get(row["intent"])
        if intent is None:
            blocked = any(one.invoice_id == invoice.id and one.state in UNRESOLVED for one in intents.values())
            payable = invoice.status in (schema.APPROVED, schema.PARTLY_PAID)
            if said.amount > 0 and payable and not blocked:
                self.wrong.append(f"forgotten: {said}")
            return
        if intent.state is State.REVIEW:
            return
        others = any(
            one.id != intent.id and one.invoice_id == intent.invoice_id and one.state in UNRESOLVED
            for one in intents.values()
        )
        if row["changed"] and not others and not (intent.state is State.REJECTED and intent.attempts):
            self.wrong.append(f"not followed: {intent} is {intent.state}, the ledger says {said}")
        last = self.database.execute(
            "SELECT event FROM journal WHERE intent = ? AND event <> 'report' ORDER BY seq DESC LIMIT 1", [intent.id]
        ).fetchone()["event"]
        if intent.state is State.REJECTED and last == "withdraw" and said.amount > 0 and not others:
            self.wrong.append(f"forgotten: {intent} was withdrawn, the ledger says {said}")
        if intent.state is State.PLANNED:
            self.wrong.append(f"stuck: {intent} is planned ({intent.reason}), the ledger says {said}")
        same = (intent.invoice_id, intent.amount) == (invoice.id, said.amount)
        if intent.state is State.CONFIRMED and not same and not row["changed"]:
            adopted = self.database.execute(
                "SELECT 1 FROM journal WHERE intent = ? AND event = 'adopt'", [intent.id]
            ).fetchone()
            if not adopted:
                self.wrong.append(f"unlike the ledger: {intent} is confirmed, the ledger says {said}")


async def play_all(seeds: range) -> tuple[Counter[str], list[str]]:
    without_threads()
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in seeds:
        course = Course(open_bank(), seed=seed)
        await course.play()
        counts.update(course.counts)
        counts["courses"] += 1
        wrong += [f"seed {seed}: {complaint}" for complaint in course.wrong]
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    asked = parser.parse_args()
    counts, wrong = asyncio.run(play_all(range(asked.seed, asked.seed + asked.count)))
    print(json.dumps({"counts": counts, "wrong": wrong[:20], "wrong_in_all": len(wrong)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
