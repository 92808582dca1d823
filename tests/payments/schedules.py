"""Schedules of faults, crashes and late arrivals, each played to its end and judged by what the bank really did.

`python -m tests.payments.schedules --seed 1 --count 5000` plays random ones and prints what came of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import product
from typing import Literal

from precoro_daemon.adapters.state.intent_rows import to_intent
from precoro_daemon.errors import DecisionRefused, StaleIntent
from precoro_daemon.payments import decisions
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.mark_invoices_paid import MarkInvoicesPaid
from precoro_daemon.payments.reconciliation import Reconciler
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.doubts import Repost
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import MemoryLedger
from tests.payments.world import (
    HOUR,
    MINUTE,
    Bank,
    Crash,
    Fate,
    Life,
    MemoryWitness,
    PostPlan,
    answered,
    arrived_twice,
    carried_out,
    carried_out_then,
    carried_out_then_cut,
    carried_out_then_time_out,
    cut,
    emptied_database,
    late,
    no_connection,
    open_bank,
    person_was_faster,
    sent_back_to_revision,
    slow_connection,
    without_threads,
)

PAID_ON = date(2026, 1, 15)
TOTAL = 10_000
"""Cents of every invoice."""

AMOUNTS = {"full": (TOTAL,), "half": (5_000,), "most": (6_000,), "cent off": (TOTAL - 1,), "more": (12_000,)}
"""Cents of the payments the ledger has for it."""

LIMIT_429 = {"error": "Too many requests for this endpoint", "RateLimit-Type": "Hourly limiter"}
REFUSED = {"code": 400, "errors": {"errors": {"payDate": ["This value is not valid."]}}}

POSTS: dict[str, PostPlan] = {
    "fine": carried_out,
    "no connection": no_connection,
    "slow connection": slow_connection,
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
    "twice": arrived_twice,
    "person, same": person_was_faster(1),
    "person, all": person_was_faster(0),
    "on revision": sent_back_to_revision,
}

SAME_TO_US = {
    "cut": ("429 of a proxy", "500", "redirect", "web page 403"),
    "done, cut": ("done, 500", "done, web page", "done, no id"),
    "no connection": ("slow connection",),
}
"""Answers that mean the same (tests/adapters/precoro/test_paying.py): in pairs, one of each stands for the others."""

OUTCOMES = [name for name in POSTS if not any(name in others for others in SAME_TO_US.values())]

DAYS = 3.0
MOST_LAPS = 40


@dataclass(frozen=True)
class Schedule:
    """One invoice, what the ledger has for it, and everything that goes wrong.

    posts    what becomes of the payments sent, in turn
    reads    statuses of the GETs that fail, in turn, 0 for those that do not
    crashes  steps after which the process dies, one life after the other
    person   decides while calls are under way, as this seed has it; None: nobody does
    """

    amounts: Sequence[int] = (TOTAL,)
    posts: Sequence[str] = ()
    reads: Sequence[int] = ()
    crashes: Sequence[int] = ()
    repost: Repost = "never"
    names: Literal["kept", "ignored", "numbers"] = "kept"
    naming: Literal["uuid", "number"] = "uuid"
    guard: bool = True
    mirrored: bool = True
    person: int | None = None


@dataclass
class Result:
    """What came of it: the intents, what was carried out for each, and what is wrong with that."""

    schedule: Schedule
    intents: Sequence[Intent] = ()
    made: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    laps: int = 0
    steps: int = 0
    posts: int = 0
    decided: int = 0

    @property
    def states(self) -> Sequence[State]:
        return [intent.state for intent in self.intents]


def _job(life: Life, ledger: MemoryLedger, schedule: Schedule) -> MarkInvoicesPaid:
    store, clock = life.store, life.bank.clock

    async def stopped() -> str:
        return ""

    reconciler = Reconciler(
        life.gateway, store.journal, store.ledger_payments, clock, schedule.repost, schedule.naming
    )
    access = LedgerAccess(ledger, store.ledger_payments, clock, "company", "idn")
    return MarkInvoicesPaid(reconciler, access, Caps(), stopped)


async def play(schedule: Schedule) -> Result:
    bank = open_bank(
        keep_external_id=schedule.names != "ignored",
        numeric_external_ids=schedule.names == "numbers",
        over_payment_guard=schedule.guard,
    )
    supplier = next(iter(bank.company["suppliers"]))
    invoice = bank.company.create(
        "invoices",
        status=schema.APPROVED,
        total=TOTAL,
        currency="EUR",
        supplier=supplier,
        approved=bank.company.now(),
    )
    ledger = MemoryLedger()
    for number, cents in enumerate(schedule.amounts):
        day = PAID_ON.replace(day=PAID_ON.day + number)
        ledger.record(f"{invoice.idn}-{number}", str(invoice.idn), f"{cents // 100}.{cents % 100:02d}", paid_on=day)
    return await _Play(schedule, bank, invoice, ledger).run()


class _Person:
    """Looks at the bank and decides by it; wants what it does not have sent again, if the program allows that."""

    def __init__(self, seed: int, bank: Bank) -> None:
        self.dice, self.bank = random.Random(seed), bank
        self.decided = 0

    async def decide(self, life: Life) -> None:
        store, clock = life.store, self.bank.clock
        open_ = await store.journal.in_state("to_precoro", State.REVIEW, State.REJECTED)
        if not open_ or self.dice.random() < 0.5:
            return
        intent = self.dice.choice(open_)
        recorder = Recorder(store.journal, clock)
        access = LedgerAccess(MemoryLedger(), store.ledger_payments, clock, "company", "idn")
        made = [row for name in intent.names for row in self.bank.made.get(name, ())]
        try:
            if made and intent.state is State.REVIEW:
                await decisions.adopt(recorder, access, intent, str(made[0].id), "somebody")
            elif not made and not intent.attempts and intent.state is State.REVIEW and self.dice.random() < 0.3:
                await decisions.drop(recorder, access, intent, "somebody", "")
            else:
                await decisions.repost(recorder, access, intent, "somebody", force=False)
        except (DecisionRefused, StaleIntent):
            return
        self.decided += 1


class _Play:
    def __init__(self, schedule: Schedule, bank: Bank, invoice: Row, ledger: MemoryLedger) -> None:
        self.schedule, self.bank, self.invoice, self.ledger = schedule, bank, invoice, ledger
        self.posts = [POSTS[name] for name in schedule.posts]
        self.reads = list(schedule.reads)
        self.crashes = list(schedule.crashes)
        self.fate = Fate()
        self.database = emptied_database()
        self.restore_guard = MemoryWitness(lambda: self.fate)
        self.person = None if schedule.person is None else _Person(schedule.person, bank)
        self.result = Result(schedule)
        self.mirrored: list[bytes] = []
        self.end = bank.clock.now() + DAYS * 24 * HOUR

    async def run(self) -> Result:
        over = False
        while not over and self.result.laps < MOST_LAPS:
            self.fate = Fate(self.crashes.pop(0) if self.crashes else None)
            try:
                over = await self._live()
            except Crash:
                if self.database.in_transaction:
                    self.database.rollback()
            self.result.steps = max(self.result.steps, self.fate.steps)
        self.result.posts = len(self.schedule.posts) - len(self.posts)
        self.result.decided = self.person.decided if self.person else 0
        self._judge()
        return self.result

    async def _live(self) -> bool:
        async with Life(self.bank, self.database, self.restore_guard, self.fate) as life:
            life.wire.posts, life.wire.reads = self.posts, self.reads
            if self.person is not None:
                life.wire.meanwhile = partial(self.person.decide, life)
            if self.restore_guard.read() is None:
                await life.store.journal.arm(self.bank.clock.now())
            job = _job(life, self.ledger, self.schedule)
            while self.result.laps < MOST_LAPS:
                self.result.laps += 1
                await self._mirror(life)
                report = await job.lap()
                if report.ended is not None and "403" not in str(report.ended):
                    self.result.wrong.append(f"ended: {report.ended}")
                if await self._rest(life):
                    return True
        return True

    async def _mirror(self, life: Life) -> None:
        """Only what changed: a pass that brings nothing is the mirror's own matter."""
        raw = self.bank.company.entries.raw
        state = [raw(row) for row in (self.invoice, *self.invoice.made("payments"))]
        if state != self.mirrored:
            await life.mirror(self.invoice, payments=self.schedule.mirrored)
            self.mirrored = state

    async def _rest(self, life: Life) -> bool:
        """Sleep until something may happen; True when nothing will any more."""
        journal, clock = life.store.journal, self.bank.clock
        intents = await journal.in_state("to_precoro", *State)
        planned = [one for one in intents if one.state is State.PLANNED]
        looks = [one.check_at for one in intents if one.check_at is not None]
        waiting = await life.store.ledger_payments.waiting("books")
        blocked = any(one.state is State.REVIEW for one in intents) or self.invoice.status == schema.PAID
        loose = await journal.unfinished("to_precoro")
        moments = [*looks, *(moment for moment, _, _ in self.bank.later[:1])]
        if planned or loose or (waiting and not blocked):
            moments.append(clock.now() + 16 * MINUTE)
        if not moments:
            return True
        clock.time = max(clock.now() + 61, min(moments))
        self.bank.catch_up()
        return False

    def _judge(self) -> None:
        self.result.intents = _intents(self.database)
        wrong = self.result.wrong
        names = {name: intent for intent in self.result.intents for name in intent.names}
        for name, made in self.bank.made.items():
            intent = names.get(name)
            if intent is None:
                wrong.append(f"a payment without an intent: {name}")
                continue
            self.result.made[intent.id] = self.result.made.get(intent.id, 0) + len(made)
        for intent in self.result.intents:
            self._judge_one(intent, self.result.made.get(intent.id, 0))
        if not self.result.intents:
            wrong.append("no intent at all")

    def _judge_one(self, intent: Intent, made: int) -> None:
        wrong = self.result.wrong
        ours = 2 if "twice" in self.schedule.posts else 1
        if made > ours:
            wrong.append(f"doubled: {intent} was carried out {made} times")
        if intent.state is State.CONFIRMED and not made:
            wrong.append(f"lost: {intent} is confirmed and was never carried out")
        if intent.state is State.REJECTED and made:
            wrong.append(f"lost: {intent} is rejected and was carried out")
        if intent.state in (State.PLANNED, State.SENDING, State.DOUBT):
            wrong.append(f"stuck: {intent} is {intent.state} ({intent.reason})")


def _intents(database: sqlite3.Connection) -> Sequence[Intent]:
    return [to_intent(row) for row in database.execute("SELECT * FROM intents ORDER BY since, id")]


async def play_pairs(share: int, of: int, outcomes: Sequence[str] = OUTCOMES) -> Tally:
    """Every pair of outcomes that can follow each other, with a crash at every step, for every amount.

    Where a second request is never made, its outcome makes no other schedule; that is seen by the first one tried.
    """
    without_threads()
    tally = Tally()
    starts = list(product(outcomes, ("full", "half", "more"), ("never", "guarded")))
    random.Random(0).shuffle(starts)
    for first, amounts, repost in starts[share::of]:
        alone: set[int | None] = set()
        most = 0
        for second in outcomes:
            plain = Schedule(AMOUNTS[amounts], (first, second), repost=repost)
            steps, used = (0, 0) if None in alone else await tally.play(plain)
            if used < 2:
                alone.add(None)
            most = max(most, steps)
            for step in range(steps or most):
                if step in alone:
                    continue
                _, used = await tally.play(replace(plain, crashes=(step,)))
                if used < 2:
                    alone.add(step)
    return tally


def drawn(seed: int) -> Schedule:
    """A random one; the same for the same seed."""
    dice = random.Random(seed)
    amounts = AMOUNTS[dice.choice(list(AMOUNTS))]
    if dice.random() < 0.3:
        amounts = (dice.randrange(1, 6_000), dice.randrange(1, 6_000))
    guard = dice.random() < 0.8
    names = dice.choice(("kept", "kept", "ignored", "numbers"))
    return Schedule(
        amounts=amounts,
        posts=[dice.choice(list(POSTS)) for _ in range(dice.randrange(5))],
        reads=[dice.choice((0, 0, 0, 503, 200, 404, 500)) for _ in range(dice.randrange(6))],
        crashes=[dice.randrange(16) for _ in range(dice.choice((0, 0, 1, 1, 2, 4)))],
        repost="guarded" if guard and dice.random() < 0.6 else "never",
        names=names,
        naming=dice.choice(("uuid", "number")),
        guard=guard,
        mirrored=dice.random() < 0.7,
    )


def mild(seed: int, amounts: Sequence[int]) -> Schedule:
    """As a quiet network is: each call fails with 0.2 %."""
    dice = random.Random(seed)
    faults = ("cut", "done, cut", "done, timed out", "done, 500", "500", "no connection", "late by seconds")
    posts = tuple(dice.choice(faults) if dice.random() < 0.002 else "fine" for _ in range(3))
    reads = tuple(503 if dice.random() < 0.002 else 0 for _ in range(6))
    return Schedule(amounts=amounts, posts=posts, reads=reads, repost="guarded")


@dataclass
class Tally:
    """Counts of final states, and what went wrong, each with its schedule."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def play(self, schedule: Schedule) -> tuple[int, int]:
        """The steps it had, and how many requests to pay were made."""
        result = await play(schedule)
        self.counts["schedules"] += 1
        self.counts["laps"] += result.laps
        self.counts["decided"] += result.decided
        self.counts.update(str(state) for state in result.states)
        self.wrong += [f"{complaint} in {schedule}" for complaint in result.wrong]
        return result.steps, result.posts


async def play_all(schedules: Iterable[Schedule]) -> Tally:
    without_threads()
    tally = Tally()
    for schedule in schedules:
        await tally.play(schedule)
    return tally


async def _chosen(asked: argparse.Namespace) -> Tally:
    seeds = range(asked.seed, asked.seed + asked.count)
    if asked.kind == "pairs":
        share, of = map(int, asked.share.split("/"))
        return await play_pairs(share, of)
    if asked.kind == "drawn":
        return await play_all(map(drawn, seeds))
    if asked.kind == "person":
        return await play_all(replace(drawn(seed), person=seed) for seed in seeds)
    amounts = AMOUNTS["full" if asked.kind == "full" else "half"]
    return await play_all(mild(seed, amounts) for seed in seeds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--kind", choices=("drawn", "person", "full", "partial", "pairs"), default="drawn")
    parser.add_argument("--share", default="0/1", help="which part of the pairs: number/of")
    tally = asyncio.run(_chosen(parser.parse_args()))
    print(json.dumps({"counts": tally.counts, "wrong": tally.wrong[:20], "wrong_in_all": len(tally.wrong)}))
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
