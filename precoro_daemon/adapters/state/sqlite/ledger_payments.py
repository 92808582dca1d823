"""what the ledger says was paid, on SQLite; read together with the mirror's invoices"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

from precoro_daemon.adapters.state.sqlite.intent_rows import ledger_payment_cells, to_intent, to_ledger_payment
from precoro_daemon.adapters.state.sqlite.journal import JOURNAL
from precoro_daemon.adapters.state.sqlite.old_transactions import Transactions
from precoro_daemon.payments.ports.ledger_payments import Changed, LinkedPayment, MatchCandidate
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, Payment, read_invoice, read_payment
from precoro_daemon.payments.rules.ledger_payments import (
    LedgerBatch,
    LedgerPayment,
    Undone,
    UnreadableRow,
    invoice_in,
)
from precoro_daemon.payments.rules.matching import MatchBy, Paid
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.values.money import read_amount

_NAMES: Mapping[MatchBy, str] = {
    "external_id": "records.external_id",
    "id": "CAST(records.id AS TEXT)",
    "idn": "CAST(records.idn AS TEXT)",
    "number_and_supplier": "records.data ->> '$.invoiceNumber'",
}
"""What an invoice is called, by the way it is matched."""

_SAME: Mapping[MatchBy, str] = {
    "external_id": "records.external_id = :external_id",
    "id": "records.id = :id",
    "idn": "records.idn = :idn",
    "number_and_supplier": "records.data ->> '$.invoiceNumber' = :number",
}
"""That another one is called the same, so that an index finds it."""


class SqlLedgerPayments:
    """payments.ports.LedgerPayments, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._indexed = False

    async def position(self, ledger: str) -> str | None:
        def work(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(JOURNAL["read_position"], (_position(ledger),)).fetchone()
            return None if row is None else str(row["value"])

        return await self._transactions.read(work)

    async def take_in(self, ledger: str, batch: LedgerBatch, at: float) -> int:
        def work(connection: sqlite3.Connection) -> int:
            about = {"ledger": ledger, "at": at}
            changed = 0
            for payment in batch.payments:
                changed += _take_in(connection, payment, about)
            for payment in _undone(connection, ledger, batch.undone):
                changed += _take_in(connection, payment, about)
            for row in batch.unreadable:
                cells = {"key": row.key, "reason": row.reason, "raw": row.raw}
                connection.execute(JOURNAL["take_in_unreadable"], cells | about)
            connection.execute(JOURNAL["save_position"], (_position(ledger), batch.position))
            return changed

        return await self._transactions.write(work)

    async def match_candidates(self, ledger: str, by: MatchBy) -> Sequence[MatchCandidate]:
        if by == "number_and_supplier" and not self._indexed:
            # Only who matches by numbers pays for their index.
            await self._transactions.execute(JOURNAL["index_invoice_numbers"], ())
            self._indexed = True
        return await self._transactions.read(partial(_candidates, ledger=ledger, by=by))

    async def recognise(self, ledger: str, key: str) -> None:
        await self._transactions.execute(JOURNAL["recognise_payment"], {"ledger": ledger, "key": key})

    async def changed(self, ledger: str) -> Sequence[Changed]:
        return await self._changed("changed_payments", ledger)

    async def changed_entries(self, ledger: str) -> Sequence[Changed]:
        return await self._changed("changed_entries", ledger)

    async def _changed(self, name: str, ledger: str) -> Sequence[Changed]:
        def work(connection: sqlite3.Connection) -> Sequence[Changed]:
            rows = connection.execute(JOURNAL[name], {"ledger": ledger})
            return [Changed(to_intent(row), _said(row), bool(row["dropped"]), _moved(row)) for row in rows]

        return await self._transactions.read(work)

    async def linked(self, ledger: str, key: str) -> LinkedPayment | None:
        def work(connection: sqlite3.Connection) -> LinkedPayment | None:
            row = connection.execute(JOURNAL["linked_payment"], (ledger, key)).fetchone()
            if row is None:
                return None
            return LinkedPayment(
                to_ledger_payment(row), row["intent"], bool(row["changed"]), row["unreadable"], _moved(row)
            )

        return await self._transactions.read(work)

    async def candidates(self, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
        work = partial(_namesakes, invoice_id=invoice_id, by=by)
        return await self._transactions.read(work)

    async def accept(self, ledger: str, payment: LedgerPayment) -> None:
        await self._transactions.execute(JOURNAL["accept_payment"], (payment.facts, ledger, payment.key))

    async def free(self, ledger: str, key: str) -> None:
        await self._transactions.execute(JOURNAL["free_payment"], (ledger, key))

    async def named(self, ledger: str, name: str) -> Sequence[LedgerPayment]:
        def work(connection: sqlite3.Connection) -> Sequence[LedgerPayment]:
            return [to_ledger_payment(row) for row in connection.execute(JOURNAL["payments_named"], (ledger, name))]

        return await self._transactions.read(work)

    async def enriched(self, invoice: Invoice) -> Invoice:
        def work(connection: sqlite3.Connection) -> Invoice:
            row = connection.execute(JOURNAL["supplier_name"], (invoice.supplier.id,)).fetchone()
            return invoice if row is None else _with_supplier(invoice, row["external_id"])

        return await self._transactions.read(work)

    async def mirrored_payment(self, remote_id: str) -> Payment | None:
        def work(connection: sqlite3.Connection) -> Payment | None:
            row = connection.execute(JOURNAL["mirrored_payment"], (remote_id,)).fetchone()
            return None if row is None else read_payment(row["data"])

        return await self._transactions.read(work)

    async def payments_called(self, idn: str) -> Sequence[Payment]:
        def work(connection: sqlite3.Connection) -> Sequence[Payment]:
            return [read_payment(row["data"]) for row in connection.execute(JOURNAL["payments_called"], {"idn": idn})]

        return await self._transactions.read(work)

    async def waiting(self, ledger: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return int(connection.execute(JOURNAL["count_waiting"], (ledger,)).fetchone()["payments"])

        return await self._transactions.read(work)

    async def unreadable(self, ledger: str) -> Sequence[UnreadableRow]:
        def work(connection: sqlite3.Connection) -> Sequence[UnreadableRow]:
            return [UnreadableRow(**row) for row in connection.execute(JOURNAL["unreadable_rows"], (ledger,))]

        return await self._transactions.read(work)


def _take_in(connection: sqlite3.Connection, payment: LedgerPayment, about: Mapping[str, object]) -> bool:
    """Whether it is new or changed."""
    connection.execute(JOURNAL["forget_unreadable"], (about["ledger"], payment.key))
    if not connection.execute(JOURNAL["take_in_payment"], {**ledger_payment_cells(payment), **about}).rowcount:
        return False
    connection.execute(JOURNAL["recognise_payment"], {"ledger": about["ledger"], "key": payment.key})
    return True


def _undone(connection: sqlite3.Connection, ledger: str, undone: Sequence[Undone]) -> Iterator[LedgerPayment]:
    """What the ledger took back without saying more of it, as a payment of nothing."""
    for document in undone:
        values = {"ledger": ledger, "key": document.key, "kept": json.dumps(list(document.kept))}
        for row in connection.execute(JOURNAL["payments_of_document"], values).fetchall():
            yield replace(to_ledger_payment(row), amount=Decimal(0))


def _position(ledger: str) -> str:
    return f"payments of {ledger}"


def _moved(row: sqlite3.Row) -> bool:
    return bool(row["carried"]) and invoice_in(row["facts"]) != invoice_in(row["carried"])


def _said(row: sqlite3.Row) -> LedgerPayment:
    amount = read_amount(row["said"])
    assert amount is not None, "amounts were written by `plain`"
    day = date.fromisoformat(row["said_day"])
    return LedgerPayment(
        row["key"], row["invoice"], amount, row["said_currency"], day, row["said_supplier"], row["ours"]
    )


def _candidates(connection: sqlite3.Connection, ledger: str, by: MatchBy) -> Sequence[MatchCandidate]:
    """A payment whose name fits several invoices is one candidate."""
    first: dict[str, sqlite3.Row] = {}
    for name in ("match_candidates", "taken_back"):
        for row in connection.execute(JOURNAL[name].format(name=_NAMES[by]), {"ledger": ledger}):
            first.setdefault(row["key"], row)
    return [_candidate(connection, row, by) for row in first.values()]


def _candidate(connection: sqlite3.Connection, row: sqlite3.Row, by: MatchBy) -> MatchCandidate:
    invoice_id = row["invoice_id"]
    others = _intents(connection, Direction.TO_PRECORO, invoice_id)
    return MatchCandidate(
        to_ledger_payment(row),
        _namesakes(connection, invoice_id, by),
        others=[Paid(intent.amount, intent.day) for intent in others if intent.state is not State.REJECTED],
        exports=_intents(connection, Direction.TO_LEDGER, invoice_id, "unrecognised"),
    )


def _namesakes(connection: sqlite3.Connection, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
    """The invoice, and every other one the ledger could mean by its name."""
    found = _invoices(connection, "records.id = :id", {"id": invoice_id})
    if not found:
        return ()
    [one] = found
    values = {"id": one.id, "idn": one.idn, "external_id": one.external_id, "number": one.number}
    return _invoices(connection, _SAME[by], values)


def _invoices(connection: sqlite3.Connection, same: str, values: Mapping[str, object]) -> Sequence[Invoice]:
    rows = connection.execute(JOURNAL["namesakes"].format(same=same), values).fetchall()
    return [_with_supplier(read_invoice(row["data"]), row["supplier_external_id"]) for row in rows]


def _with_supplier(invoice: Invoice, external_id: str | None) -> Invoice:
    return replace(invoice, supplier=replace(invoice.supplier, external_id=external_id))


def _intents(
    connection: sqlite3.Connection, direction: Direction, invoice_id: int, name: str = "intents_of_invoice"
) -> Sequence[Intent]:
    values = {"direction": direction, "invoice_id": invoice_id}
    return [to_intent(row) for row in connection.execute(JOURNAL[name], values)]
