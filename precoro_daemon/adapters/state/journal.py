"""intents, attempts and the append-only journal in SQL"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from precoro_daemon.adapters.state.intent_rows import (
    attempt_cells,
    dialogue_cell,
    intent_cells,
    to_attempt,
    to_intent,
    to_line,
)
from precoro_daemon.adapters.state.payment_switch import fingerprint, read_switch
from precoro_daemon.adapters.state.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.errors import SendingStopped, StaleIntent
from precoro_daemon.payments.ports.journal import Beginning, Line, Link
from precoro_daemon.payments.ports.switch import Switch
from precoro_daemon.payments.rules.events import dialogue_of
from precoro_daemon.payments.rules.history import Past, begun_again, recall
from precoro_daemon.payments.rules.intents import Attempt, Intent, Step
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.rules.transitions import OUTCOMES, begun, moved


class _Taken(Exception):
    """The other intent exists already; what was written is rolled back."""


class SqlJournal:
    """Implements payments.ports.Journal, which has the contract."""

    def __init__(self, transactions: Transactions, restore_guard: RestoreGuard) -> None:
        self._transactions = transactions
        self._restore_guard = restore_guard

    async def prepare(self) -> None:
        """Creates indexes on the mirror's records. They would slow down a mirror without payments by a tenth."""

        def work(session: Session) -> None:
            session.run("journal.index_payable")
            session.run("journal.index_paid")
            session.run("journal.index_external_ids")
            session.run("journal.index_canceled")

        def is_done(session: Session) -> bool:
            return bool(session.value("journal.count_indexes") == 4)

        if not await self._transactions.read(is_done):  # a reload needs no lock
            await self._transactions.write(work)

    async def switch(self) -> Switch:
        return await self._transactions.read(partial(read_switch, restore_guard=self._restore_guard))

    async def arm(self, at: float) -> None:
        def work(session: Session) -> None:
            testimony = self._restore_guard.create()
            session.run("meta.write", ("armed", testimony.nonce))
            write_line(session, at=at, event="arm")

        await self._transactions.write(work)

    async def disarm(self, at: float, reason: str) -> None:
        def work(session: Session) -> None:
            self._restore_guard.remove()
            session.run("meta.write", ("armed", ""))
            write_line(session, at=at, event="disarm", reason=reason)

        await self._transactions.write(work)

    async def plan(self, new: Intent, step: Step, payment: LedgerPayment | None = None) -> Intent | None:
        return await self._transactions.write(partial(_plan, new=new, step=step, payment=payment))

    async def plan_many(self, beginnings: Sequence[Beginning]) -> Sequence[Intent | None]:
        return await self._transactions.write(partial(_plan_many, beginnings=beginnings))

    async def replace(
        self, intent: Intent, step: Step, new: Intent, begin: Step, payment: LedgerPayment
    ) -> Intent | None:
        def work(session: Session) -> Intent:
            _move(session, intent, step)
            if (planned := _plan(session, new, begin, payment, decided=True)) is None:
                raise _Taken
            return planned

        try:
            return await self._transactions.write(work)
        except _Taken:
            return None

    async def record(
        self, intent: Intent, step: Step, payment: LedgerPayment | None = None, *, link: Link = "carries"
    ) -> Intent:
        def work(session: Session) -> Intent:
            after = _move(session, intent, step)
            if payment is None:
                return after
            if link == "carries":
                session.run("ledger_payments.accept_payment", (payment.facts, intent.ledger, payment.key))
            else:
                statement = "ledger_payments.free_payment" if link == "frees" else "ledger_payments.unsettle_payment"
                session.run(statement, (intent.ledger, payment.key))
            return after

        return await self._transactions.write(work)

    async def begin(self, intent: Intent, attempt: Attempt, step: Step) -> Intent:
        def work(session: Session) -> tuple[Intent, int, str]:
            switch = read_switch(session, self._restore_guard)
            if not switch.armed:
                raise SendingStopped(switch.reason)
            after = _move(session, intent, step)
            session.run("journal.create_attempt", attempt_cells(attempt))
            seq = session.value("journal.last_line")
            return after, seq, fingerprint(session, seq)

        def advance(permit: tuple[Intent, int, str]) -> None:
            # Afterwards: the guard must never know of a row that the store may yet lose.
            _, seq, row = permit
            self._restore_guard.advance(seq, row)

        after, *_ = await self._transactions.write(work, then=advance)
        return after

    async def end(self, intent: Intent, step: Step) -> Intent:
        outcome = OUTCOMES[type(step.event)]

        def work(session: Session) -> Intent:
            row = {"intent": intent.id, "number": intent.attempts, "outcome": str(outcome)}
            session.run("journal.end_attempt", row)
            return _move(session, intent, step)

        return await self._transactions.write(work)

    async def intent(self, prefix: str) -> Sequence[Intent]:
        return await self._intents("journal.find_intents", prefix=prefix)

    async def in_state(self, direction: Direction, *states: State) -> Sequence[Intent]:
        return await self._intents("journal.intents_in_state", direction=direction, states=json.dumps(states))

    async def position(self) -> int:
        def work(session: Session) -> int:
            return int(session.value("journal.last_line"))

        return await self._transactions.read(work)

    async def moved_since(self, position: int) -> Sequence[Intent]:
        return await self._intents("journal.moved_since", position=position)

    async def refused(self) -> Sequence[Intent]:
        return await self._intents("journal.refused_payments")

    async def due_checks(self, direction: Direction, now: float) -> Sequence[Intent]:
        return await self._intents("journal.due_checks", direction=direction, now=now)

    async def unfinished(self, direction: Direction) -> Sequence[Intent]:
        return await self._intents("journal.unfinished", direction=direction)

    async def canceled(self) -> Sequence[Intent]:
        return await self._intents("journal.canceled_payments")

    async def last_accepted(self) -> tuple[float, bool] | None:
        row = await self._transactions.row("journal.last_accepted")
        return None if row is None else (row["at"], not row["marked_later"])

    async def of_invoice(self, direction: Direction, invoice_id: int) -> Sequence[Intent]:
        return await self._intents("journal.intents_of_invoice", direction=direction, invoice_id=invoice_id)

    async def _intents(self, statement: str, **values: Any) -> Sequence[Intent]:
        def work(session: Session) -> Sequence[Intent]:
            return [to_intent(row) for row in session.rows(statement, values)]

        return await self._transactions.read(work)

    async def attempts(self, intent: str) -> Sequence[Attempt]:
        def work(session: Session) -> Sequence[Attempt]:
            return [to_attempt(row) for row in session.rows("journal.read_attempts", (intent,))]

        return await self._transactions.read(work)

    async def spent(self, direction: Direction, currency: str, since: float) -> Sequence[Decimal]:
        row = {"direction": direction, "currency": currency, "since": since}

        def work(session: Session) -> Sequence[Decimal]:
            return [Decimal(amount) for (amount,) in session.rows("journal.spent", row)]

        return await self._transactions.read(work)

    async def trace(self, intent: str) -> Sequence[Line]:
        def work(session: Session) -> Sequence[Line]:
            return [to_line(row) for row in session.rows("journal.trace", (intent,))]

        return await self._transactions.read(work)

    async def past(self, intent: str) -> Past:
        return _past(await self.trace(intent))


def _plan(
    session: Session, new: Intent, step: Step, payment: LedgerPayment | None, *, decided: bool = False
) -> Intent | None:
    about = {"id": new.id, "direction": str(new.direction), "invoice_id": new.invoice_id}
    if session.row("journal.has_unresolved", about):
        return None
    row = session.row("journal.read_intent", (new.id,))
    if row is None:
        intent = begun(new, step)
        session.run("journal.create_intent", intent_cells(intent))
        session.run("journal.write_line", _line(None, intent, step))
    else:
        before = to_intent(row)
        past = _past(map(to_line, session.rows("journal.trace", (new.id,))))
        again = begun_again(before, new, step, past, in_ledger=payment is not None, decided=decided)
        if again is None:
            return None
        intent = _move(session, before, again)
    if payment is not None:
        session.run("ledger_payments.carry_payment", _carried(intent, payment))
    return intent


def _plan_many(session: Session, beginnings: Sequence[Beginning]) -> Sequence[Intent | None]:
    """Plans intents. The first payments of their invoices, as nearly all are, are written together; the others one by
    one.
    """
    often = Counter(one.new.invoice_id for one in beginnings)
    rows = session.rows(
        "journal.invoices_with_intents", {"ids": json.dumps([id_ for id_ in often if id_ is not None])}
    )
    busy = {None, *(row["invoice_id"] for row in rows), *(id_ for id_, times in often.items() if times > 1)}
    first = [one for one in beginnings if one.new.invoice_id not in busy]
    begun_ = [begun(one.new, one.step) for one in first]
    session.run_many("journal.create_intent", map(intent_cells, begun_))
    lines = [_line(None, intent, one.step) for intent, one in zip(begun_, first, strict=True)]
    session.run_many("journal.write_line", lines)
    session.run_many(
        "ledger_payments.carry_payment", [_carried(one.new, one.payment) for one in first if one.payment]
    )
    planned = iter(begun_)
    return [
        _plan(session, one.new, one.step, one.payment) if one.new.invoice_id in busy else next(planned)
        for one in beginnings
    ]


def _carried(intent: Intent, payment: LedgerPayment) -> Mapping[str, str]:
    return {"intent": intent.id, "ledger": intent.ledger, "key": payment.key, "facts": payment.facts}


def _past(lines: Iterable[Line]) -> Past:
    return recall((line.event, line.dialogue) for line in lines)


def _move(session: Session, intent: Intent, step: Step) -> Intent:
    after = moved(intent, step)
    guards = {"was": str(intent.state), "attempts_before": intent.attempts}
    if not session.run("journal.move_intent", intent_cells(after) | guards):
        raise StaleIntent(f"{intent} is no longer {intent.state}")
    session.run("journal.write_line", _line(intent, after, step))
    return after


def _line(before: Intent | None, after: Intent, step: Step) -> Mapping[str, object]:
    return {
        "at": step.at,
        "intent": after.id,
        "event": step.event.name,
        "source": "" if before is None else str(before.state),
        "target": str(after.state),
        "attempt": after.attempts,
        "reason": step.reason,
        "facts": json.dumps(dict(step.facts)) if step.facts else "{}",
        "dialogue": dialogue_cell(dialogue_of(step.event)),
    }


def write_line(session: Session, **given: Any) -> None:
    empty = {"intent": "", "source": "", "target": "", "attempt": 0, "reason": "", "facts": "{}", "dialogue": None}
    session.run("journal.write_line", empty | given)
