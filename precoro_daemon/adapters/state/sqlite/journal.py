"""intents, attempts and the append-only journal on SQLite"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any

from precoro_daemon.adapters.state.sqlite.intent_rows import (
    attempt_cells,
    dialogue_cell,
    intent_cells,
    to_attempt,
    to_intent,
    to_line,
)
from precoro_daemon.adapters.state.sqlite.old_transactions import Transactions
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.sqlite.statements import SQL, read_named
from precoro_daemon.adapters.state.sqlite.transactions import in_transaction
from precoro_daemon.errors import SendingStopped, StaleIntent
from precoro_daemon.payments.ports.journal import Line, Link, Switch
from precoro_daemon.payments.rules.events import dialogue_of
from precoro_daemon.payments.rules.history import Past, begun_again, recall
from precoro_daemon.payments.rules.intents import Attempt, Intent, Step
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.rules.transitions import OUTCOMES, begun, moved

JOURNAL = read_named("journal.sql")

_NEVER = "nothing is sent until `precoro-daemon payments arm`"
_UNGUARDED = "the state was moved, copied or restored since it was armed; look at `payments plan`, then arm it anew"
_OLDER = (
    "the state is older than what was sent from it: it was restored from a copy; look at `payments plan`, then arm"
)


class _Taken(Exception):
    """The other intent is there already; what was written goes back."""


class SqlJournal:
    """payments.ports.Journal, where the contract is written."""

    def __init__(self, transactions: Transactions, restore_guard: RestoreGuard) -> None:
        self._transactions = transactions
        self._restore_guard = restore_guard

    async def prepare(self) -> None:
        """Indexes on the mirror's records, which would cost a mirror that never pays a tenth of its time."""

        def work(connection: sqlite3.Connection) -> None:
            for name in ("index_payable", "index_paid", "index_external_ids", "index_canceled"):
                connection.execute(JOURNAL[name])

        def is_done(connection: sqlite3.Connection) -> bool:
            return bool(connection.execute(JOURNAL["count_indexes"]).fetchone()["indexes"] == 4)

        if not await self._transactions.read(is_done):  # a reload needs no lock
            await self._transactions.write(work)

    async def switch(self) -> Switch:
        return await self._transactions.read(partial(read_switch, restore_guard=self._restore_guard))

    async def arm(self, at: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            testimony = self._restore_guard.create()
            connection.execute(SQL["write_meta"], ("armed", testimony.nonce))
            write_line(connection, at=at, event="arm")

        await self._transactions.write(work)

    async def disarm(self, at: float, reason: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            self._restore_guard.remove()
            connection.execute(SQL["write_meta"], ("armed", ""))
            write_line(connection, at=at, event="disarm", reason=reason)

        await self._transactions.write(work)

    async def plan(self, new: Intent, step: Step, payment: LedgerPayment | None = None) -> Intent | None:
        return await self._transactions.write(partial(_plan, new=new, step=step, payment=payment))

    async def replace(
        self, intent: Intent, step: Step, new: Intent, begin: Step, payment: LedgerPayment
    ) -> Intent | None:
        def work(connection: sqlite3.Connection) -> Intent:
            _move(connection, intent, step)
            if (planned := _plan(connection, new, begin, payment, decided=True)) is None:
                raise _Taken
            return planned

        try:
            return await self._transactions.write(work)
        except _Taken:
            return None

    async def record(
        self, intent: Intent, step: Step, payment: LedgerPayment | None = None, *, link: Link = "carries"
    ) -> Intent:
        def work(connection: sqlite3.Connection) -> Intent:
            after = _move(connection, intent, step)
            if payment is None:
                return after
            if link == "carries":
                connection.execute(JOURNAL["accept_payment"], (payment.facts, intent.ledger, payment.key))
            else:
                statement = "free_payment" if link == "frees" else "unsettle_payment"
                connection.execute(JOURNAL[statement], (intent.ledger, payment.key))
            return after

        return await self._transactions.write(work)

    async def begin(self, intent: Intent, attempt: Attempt, step: Step) -> Intent:
        def work(connection: sqlite3.Connection) -> tuple[Intent, int]:
            after = _move(connection, intent, step)
            connection.execute(JOURNAL["create_attempt"], attempt_cells(attempt))
            return after, int(connection.execute(JOURNAL["last_line"]).fetchone()["seq"])

        def permit(connection: sqlite3.Connection) -> Intent:
            switch = read_switch(connection, self._restore_guard)
            if not switch.armed:
                raise SendingStopped(switch.reason)
            # The restore guard learns of it afterwards: it must never know of a row that the store may yet lose.
            after, seq = in_transaction(connection, work)
            self._restore_guard.advance(seq, _fingerprint(connection, seq))
            return after

        return await self._transactions.read(permit)

    async def end(self, intent: Intent, step: Step) -> Intent:
        outcome = OUTCOMES[type(step.event)]

        def work(connection: sqlite3.Connection) -> Intent:
            row = {"intent": intent.id, "number": intent.attempts, "outcome": str(outcome)}
            connection.execute(JOURNAL["end_attempt"], row)
            return _move(connection, intent, step)

        return await self._transactions.write(work)

    async def intent(self, prefix: str) -> Sequence[Intent]:
        return await self._intents("find_intents", prefix=prefix)

    async def in_state(self, direction: Direction, *states: State) -> Sequence[Intent]:
        return await self._intents("intents_in_state", direction=direction, states=json.dumps(states))

    async def due_checks(self, direction: Direction, now: float) -> Sequence[Intent]:
        return await self._intents("due_checks", direction=direction, now=now)

    async def unfinished(self, direction: Direction) -> Sequence[Intent]:
        return await self._intents("unfinished", direction=direction)

    async def canceled(self) -> Sequence[Intent]:
        return await self._intents("canceled_payments")

    async def of_invoice(self, direction: Direction, invoice_id: int) -> Sequence[Intent]:
        return await self._intents("intents_of_invoice", direction=direction, invoice_id=invoice_id)

    async def _intents(self, name: str, **values: Any) -> Sequence[Intent]:
        def work(connection: sqlite3.Connection) -> Sequence[Intent]:
            return [to_intent(row) for row in connection.execute(JOURNAL[name], values)]

        return await self._transactions.read(work)

    async def attempts(self, intent: str) -> Sequence[Attempt]:
        def work(connection: sqlite3.Connection) -> Sequence[Attempt]:
            return [to_attempt(row) for row in connection.execute(JOURNAL["read_attempts"], (intent,))]

        return await self._transactions.read(work)

    async def spent(self, direction: Direction, currency: str, since: float) -> Sequence[Decimal]:
        row = {"direction": direction, "currency": currency, "since": since}

        def work(connection: sqlite3.Connection) -> Sequence[Decimal]:
            return [Decimal(amount) for (amount,) in connection.execute(JOURNAL["spent"], row)]

        return await self._transactions.read(work)

    async def trace(self, intent: str) -> Sequence[Line]:
        def work(connection: sqlite3.Connection) -> Sequence[Line]:
            return [to_line(row) for row in connection.execute(JOURNAL["trace"], (intent,))]

        return await self._transactions.read(work)

    async def past(self, intent: str) -> Past:
        return _past(await self.trace(intent))


def read_switch(connection: sqlite3.Connection, restore_guard: RestoreGuard) -> Switch:
    row = connection.execute(SQL["read_meta"], ("armed",)).fetchone()
    if row is None:
        return Switch(armed=False, reason=_NEVER)
    if not row["value"]:
        said = connection.execute(JOURNAL["last_word_on_the_switch"]).fetchone()
        return Switch(armed=False, reason=said["reason"] if said else _NEVER)
    testimony = restore_guard.read()
    if testimony is None or testimony.nonce != row["value"]:
        return Switch(armed=False, reason=_UNGUARDED)
    if testimony.seq and testimony.row != _fingerprint(connection, testimony.seq):
        return Switch(armed=False, reason=_OLDER)
    return Switch(armed=True)


def _plan(
    connection: sqlite3.Connection, new: Intent, step: Step, payment: LedgerPayment | None, *, decided: bool = False
) -> Intent | None:
    if connection.execute(JOURNAL["has_unresolved"], intent_cells(new)).fetchone():
        return None
    row = connection.execute(JOURNAL["read_intent"], (new.id,)).fetchone()
    if row is None:
        intent = begun(new, step)
        connection.execute(JOURNAL["create_intent"], intent_cells(intent))
        _write_step(connection, None, intent, step)
    else:
        before = to_intent(row)
        past = _past(map(to_line, connection.execute(JOURNAL["trace"], (new.id,))))
        again = begun_again(before, new, step, past, in_ledger=payment is not None, decided=decided)
        if again is None:
            return None
        intent = _move(connection, before, again)
    if payment is not None:
        cells = {"intent": intent.id, "ledger": intent.ledger, "key": payment.key, "facts": payment.facts}
        connection.execute(JOURNAL["carry_payment"], cells)
    return intent


def _past(lines: Iterable[Line]) -> Past:
    return recall((line.event, line.dialogue) for line in lines)


def _move(connection: sqlite3.Connection, intent: Intent, step: Step) -> Intent:
    after = moved(intent, step)
    guards = {"was": str(intent.state), "attempts_before": intent.attempts}
    if not connection.execute(JOURNAL["move_intent"], intent_cells(after) | guards).rowcount:
        raise StaleIntent(f"{intent} is no longer {intent.state}")
    _write_step(connection, intent, after, step)
    return after


def _write_step(connection: sqlite3.Connection, before: Intent | None, after: Intent, step: Step) -> None:
    write_line(
        connection,
        at=step.at,
        intent=after.id,
        event=step.event.name,
        source="" if before is None else str(before.state),
        target=str(after.state),
        attempt=after.attempts,
        reason=step.reason,
        facts=json.dumps(dict(step.facts)),
        dialogue=dialogue_cell(dialogue_of(step.event)),
    )


def write_line(connection: sqlite3.Connection, **given: Any) -> None:
    empty = {"intent": "", "source": "", "target": "", "attempt": 0, "reason": "", "facts": "{}", "dialogue": None}
    connection.execute(JOURNAL["write_line"], empty | given).fetchone()


def _fingerprint(connection: sqlite3.Connection, seq: int) -> str:
    """Differs for another row of that number, also if it is about the same payment; "" if there is none."""
    row = connection.execute(JOURNAL["read_line"], (seq,)).fetchone()
    return "" if row is None else blake2b(repr(tuple(row)).encode(), digest_size=8).hexdigest()
