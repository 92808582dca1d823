"""A company, its books, and laps of the real jobs between them, in virtual time; for tests that tell a story each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from precoro_daemon.adapters.state.intent_rows import to_intent
from precoro_daemon.mirror.details import DetailAnswers
from precoro_daemon.payments.export_payments import ExportPayments
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.mark_invoices_paid import MarkInvoicesPaid
from precoro_daemon.payments.reconciliation import Reconciler
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.doubts import Repost
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.matching import MatchBy
from precoro_daemon.payments.rules.states import UNRESOLVED, State
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import MemoryLedger
from tests.payments.world import (
    HOUR,
    Bank,
    Crash,
    Fate,
    Life,
    MemoryWitness,
    PostPlan,
    emptied_database,
    open_bank,
)


@dataclass
class Scene:
    """Change the fields between two laps; `posts` and `reads` are what becomes of the next calls."""

    bank: Bank
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    posts: list[PostPlan] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    repost: Repost = "never"
    naming: str = "uuid"
    named: bool = True
    match_by: MatchBy = "idn"
    currency: str = ""
    caps: Caps = field(default_factory=Caps)
    stop_file: bool = False
    armed: bool = True
    mirrors: bool = True
    adopt: bool = True
    terse: bool = False
    invoices: list[Row] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fate = Fate()
        self.database = emptied_database()
        self.restore_guard = MemoryWitness(lambda: self.fate)

    def invoice(self, total: int = 10_000, **facts: Any) -> Row:
        supplier = next(iter(self.bank.company["suppliers"]))
        given = {"status": schema.APPROVED, "currency": "EUR", "supplier": supplier, "total": total} | facts
        row = self.bank.company.create("invoices", **given)
        self.invoices.append(row)
        return row

    def pays(self, invoice: Row, amount: str = "100.00", key: str = "", **more: object) -> str:
        """The ledger has a payment for the invoice."""
        key = key or f"{invoice.idn}-{len(self.ledger.log)}"
        self.ledger.record(key, str(invoice.idn), amount, **more)
        return key

    def export_job(self, life: Life) -> ExportPayments:
        job, store = self.job(life), life.store
        answers = DetailAnswers(store.mirror, self.bank.clock)
        return ExportPayments(
            life.gateway, store.journal, store.paid_set, answers, job.access, self.caps, job.stopped, self.adopt
        )

    async def export(self, after: float = 0.0) -> LapReport:
        """One lap of the other direction, likewise."""
        return await self.lap(after, exporting=True)

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        async with Life(self.bank, self.database, self.restore_guard, self.fate) as life:
            life.wire.posts, life.wire.reads, life.wire.calls = self.posts, self.reads, self.calls
            life.wire.terse = self.terse
            yield life

    def job(self, life: Life) -> MarkInvoicesPaid:
        async def stopped() -> str:
            return "the kill-switch file is there" if self.stop_file else ""

        store, clock = life.store, self.bank.clock
        reconciler = Reconciler(life.gateway, store.journal, store.ledger_payments, clock, self.repost, self.naming)
        access = LedgerAccess(self.ledger, store.ledger_payments, clock, "company", self.match_by, self.currency)
        return MarkInvoicesPaid(reconciler, access, self.caps, stopped, self.named)

    async def lap(self, after: float = 0.0, *, exporting: bool = False) -> LapReport:
        """One lap, that many seconds later, in a process that was just started."""
        self.bank.clock.time += after
        self.bank.catch_up()
        self.fate = Fate(self.fate.crash_at if not self.fate.dead else None)
        async with self.life() as life:
            if self.armed and self.restore_guard.read() is None:
                await life.store.journal.arm(self.bank.clock.now())
            if self.mirrors:
                await life.mirror(*self.invoices)
            return await (self.export_job(life) if exporting else self.job(life)).lap()

    async def crashing_lap(self, step: int, *, exporting: bool = False) -> None:
        """A lap whose process dies after so many steps."""
        self.fate.crash_at = step
        try:
            await self.lap(exporting=exporting)
        except Crash:
            if self.database.in_transaction:
                self.database.rollback()
        assert self.fate.dead, "it had fewer steps"
        self.fate = Fate(dead=True)

    @property
    def intents(self) -> Sequence[Intent]:
        return [to_intent(row) for row in self.database.execute("SELECT * FROM intents ORDER BY since, id")]

    async def settle(self, lap: Callable[[float], Awaitable[None]]) -> None:
        """Laps an hour apart, up to forty, until one changes nothing and nothing waits for its time. A day later
        there is another: what would only happen then is seen too."""
        before: object = None
        for _ in range(40):
            await lap(HOUR)
            after = self._known
            waits = any(one.check_at is not None or one.state in UNRESOLVED - {State.REVIEW} for one in self.intents)
            if after == before and not waits and not self.bank.later:
                break
            before = after
        await lap(24 * HOUR)

    @property
    def _known(self) -> Sequence[object]:
        """All that a lap of either direction can change."""
        tables = ("intents", "ledger_payments", "unreadable_rows", "paid_invoices", "attempts")
        rows = [tuple(row) for name in tables for row in self.database.execute(f"SELECT * FROM {name}")]
        made = [payment.total for invoice in self.invoices for payment in invoice.made("payments")]
        return rows, made, len(self.ledger.log), list(self.ledger.entries)

    @property
    def intent(self) -> Intent:
        [only] = self.intents
        return only

    @property
    def told(self) -> list[tuple[str, str]]:
        """What happened to the only intent, and why."""
        rows = self.database.execute(
            "SELECT event, reason FROM journal WHERE intent = ? ORDER BY seq", [self.intent.id]
        )
        return [(row["event"], row["reason"]) for row in rows]

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.told]

    def facts(self, event: str) -> dict[str, str]:
        row = self.database.execute(
            "SELECT facts FROM journal WHERE intent = ? AND event = ? ORDER BY seq DESC", [self.intent.id, event]
        ).fetchone()
        return dict(json.loads(row["facts"]))


def payments(invoice: Row) -> list[int]:
    """Cents of the payments that stand on it."""
    return [row.total for row in invoice.made("payments") if row.status != schema.CANCELED]


def scene(**given: Any) -> Scene:
    """What the bank is like may be given by the names of the sandbox's options."""
    tuning = {
        name: given.pop(name)
        for name in ("keep_external_id", "numeric_external_ids", "over_payment_guard", "rival")
        if name in given
    }
    return Scene(open_bank(**tuning), **given)
