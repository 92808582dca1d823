"""the ledger's payments in SQL, read together with the mirror's invoices"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache, partial

from precoro_daemon.adapters.state.intent_rows import ledger_payment_cells, to_intent, to_ledger_payment
from precoro_daemon.adapters.state.journal import write_line
from precoro_daemon.adapters.state.session import Row, Session, Transactions
from precoro_daemon.payments.ports.ledger_payments import Changed, LinkedPayment, MatchCandidate
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import IMPORTED_BY, Invoice, Linked, Payment, read_mirrored, read_payment
from precoro_daemon.payments.rules.ledger_payments import (
    LedgerBatch,
    LedgerPayment,
    UnreadableRow,
    invoice_in,
)
from precoro_daemon.payments.rules.matching import MatchBy, Paid
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.values.money import read_amount

_PAYMENT_ID = re.compile(r"[0-9]{1,18}")
"""An id of Precoro that fits a column of 64 bits."""

_WHOLE_NUMBER = re.compile("0|[1-9][0-9]{0,17}")

_CANDIDATES_AT_ONCE = 500
"""Candidates read in one step. Ten thousand with their invoices would take tens of megabytes, and the garbage
collector a tenth of the time.
"""

_INDEXED_ON_DEMAND = frozenset({"number_and_supplier", *IMPORTED_BY})


class SqlLedgerPayments:
    """Implements payments.ports.LedgerPayments, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._indexed = False

    async def position(self, ledger: str) -> str | None:
        row = await self._transactions.row("positions.read", (_position(ledger),))
        return None if row is None else str(row["value"])

    async def reading(self, ledger: str) -> str | None:
        row = await self._transactions.row("positions.read", (_reading(ledger),))
        return None if row is None else str(row["value"])

    async def note_reading(self, ledger: str, settings: str) -> None:
        await self._transactions.run("positions.save", (_reading(ledger), settings))

    async def reread(self, ledger: str, settings: str, at: float, reason: str) -> None:
        def work(session: Session) -> None:
            session.run("positions.forget", (_position(ledger),))
            session.run("positions.save", (_reading(ledger), settings))
            write_line(session, at=at, event="reread", reason=f"ledger {ledger}: {reason}")

        await self._transactions.write(work)

    async def forget_gone(self, ledger: str, since: float) -> int:
        return await self._transactions.run("ledger_payments.forget_gone", (ledger, since))

    async def new_unreadable(self, ledger: str, rows: Sequence[UnreadableRow]) -> Sequence[UnreadableRow]:
        def work(session: Session) -> Sequence[UnreadableRow]:
            keys = [_first_key(session, ledger, row.key) or row.key for row in rows]
            known = "ledger_payments.is_known_unreadable"
            return [
                row
                for row, key in zip(rows, keys, strict=True)
                if not session.row(known, (ledger, key, row.reason, row.raw))
            ]

        return await self._transactions.read(work)

    async def dismiss(self, ledger: str, key: str, at: float, reason: str) -> bool:
        def work(session: Session) -> bool:
            if not session.run("ledger_payments.dismiss_unreadable", (ledger, key)):
                return False
            write_line(session, at=at, event="dismiss", reason=f"ledger {ledger}: {reason}")
            return True

        return await self._transactions.write(work)

    async def unmatched(self, ledger: str, by: MatchBy, limit: int) -> Sequence[MatchCandidate]:
        def work(session: Session) -> Sequence[MatchCandidate]:
            rows = session.rows("ledger_payments.unmatched", {"ledger": ledger, "limit": limit})
            return [_unmatched(session, row, by) for row in rows]

        return await self._transactions.read(work)

    async def take_unmentioned(self, ledger: str, by: MatchBy, limit: int) -> tuple[int, Sequence[MatchCandidate]]:
        def work(session: Session) -> tuple[int, Sequence[MatchCandidate]]:
            rows = session.rows("ledger_payments.unmentioned", {"ledger": ledger, "limit": limit})
            some = [_unmatched(session, row, by) for row in rows]
            return session.run("ledger_payments.mention", (ledger,)) if some else 0, some

        if not await self._transactions.rows("ledger_payments.unmentioned", {"ledger": ledger, "limit": 1}):
            return 0, ()  # as nearly always
        return await self._transactions.write(work)

    async def take_in(self, ledger: str, batch: LedgerBatch, at: float) -> int:
        def work(session: Session) -> int:
            about = {"ledger": ledger, "at": at}
            payments = _as_known(session, ledger, batch.payments)
            if session.row("ledger_payments.has_unreadable", (ledger,)):  # as hardly ever
                session.run_many("ledger_payments.forget_unreadable", [(ledger, one.key) for one in payments])
            changed = _take_in(session, payments, about)
            changed += _take_in(session, list(_undone(session, ledger, batch)), about)
            for row in batch.unreadable:
                key = _first_key(session, ledger, row.key) or row.key
                cells = {"key": key, "reason": row.reason, "raw": row.raw}
                session.run("ledger_payments.take_in_unreadable", cells | about)
            session.run("positions.save", (_position(ledger), batch.position))
            return changed

        return await self._transactions.write(work)

    async def match_candidates(self, ledger: str, by: MatchBy) -> AsyncIterator[Sequence[MatchCandidate]]:
        if by in _INDEXED_ON_DEMAND and not self._indexed:
            # Only who matches by such names pays for their index.
            await self._transactions.run(f"ledger_payments.index_names[{by}]", ())
            self._indexed = True
        rows = await self._transactions.read(partial(_candidates, ledger=ledger, by=by))
        for start in range(0, len(rows), _CANDIDATES_AT_ONCE):
            some = rows[start : start + _CANDIDATES_AT_ONCE]
            yield await self._transactions.read(partial(_candidates_of, rows=some, by=by))

    async def recognise(self, ledger: str, key: str) -> None:
        await self._transactions.run("ledger_payments.recognise_payment", {"ledger": ledger, "key": key})

    async def changed(self, ledger: str) -> Sequence[Changed]:
        return await self._changed("ledger_payments.changed_payments", ledger)

    async def changed_entries(self, ledger: str) -> Sequence[Changed]:
        return await self._changed("ledger_payments.changed_entries", ledger)

    async def _changed(self, statement: str, ledger: str) -> Sequence[Changed]:
        def work(session: Session) -> Sequence[Changed]:
            rows = session.rows(statement, {"ledger": ledger})
            return [Changed(to_intent(row), _said(row), bool(row["dropped"]), _moved(row)) for row in rows]

        return await self._transactions.read(work)

    async def linked(self, ledger: str, key: str) -> LinkedPayment | None:
        def work(session: Session) -> LinkedPayment | None:
            row = session.row("ledger_payments.linked_payment", (ledger, key))
            if row is None:
                return None
            return LinkedPayment(
                to_ledger_payment(row), row["intent"], bool(row["changed"]), row["unreadable"], _moved(row)
            )

        return await self._transactions.read(work)

    async def candidates(self, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
        work = partial(_namesakes, invoice_id=invoice_id, by=by)
        return await self._transactions.read(work)

    async def invoices_named(self, by: MatchBy, name: str) -> Sequence[Invoice]:
        return await self._transactions.read(lambda session: _invoices(session, by, {_field(by): name}))

    async def accept(self, ledger: str, payment: LedgerPayment) -> None:
        await self._transactions.run("ledger_payments.accept_payment", (payment.facts, ledger, payment.key))

    async def free(self, ledger: str, key: str) -> None:
        await self._transactions.run("ledger_payments.free_payment", (ledger, key))

    async def named(self, ledger: str, name: str) -> Sequence[LedgerPayment]:
        def work(session: Session) -> Sequence[LedgerPayment]:
            return [to_ledger_payment(row) for row in session.rows("ledger_payments.payments_named", (ledger, name))]

        return await self._transactions.read(work)

    async def enriched(self, invoice: Invoice) -> Invoice:
        row = await self._transactions.row("ledger_payments.supplier_name", (invoice.supplier.id,))
        named = invoice if row is None else _with_supplier(invoice, row["external_id"])
        if all(payment.is_whole for payment in named.payments or ()):
            return named
        return replace(named, payments=[await self._completed(payment) for payment in named.payments or ()])

    async def _completed(self, payment: Payment) -> Payment:
        listed = None if payment.is_whole else await self.mirrored_payment(str(payment.id))
        return payment if listed is None else payment.completed(listed)

    async def mirrored_payment(self, remote_id: str) -> Payment | None:
        if not _PAYMENT_ID.fullmatch(remote_id):
            return None  # a person may have typed anything
        row = await self._transactions.row("ledger_payments.mirrored_payment", {"id": int(remote_id)})
        return None if row is None else read_payment(row["data"])

    async def detailed_invoice(self, invoice_id: int) -> Invoice | None:
        row = await self._transactions.row("ledger_payments.detailed_invoice", {"id": invoice_id})
        return None if row is None else read_mirrored(row["data"])

    async def payments_called(self, idn: str) -> Sequence[Payment]:
        rows = await self._transactions.rows("ledger_payments.payments_called", {"number": idn})
        return [read_payment(row["data"]) for row in rows]

    async def imported(self) -> Mapping[str, int]:
        row = await self._transactions.row("ledger_payments.count_imported", ())
        return {} if row is None else {name: row[name] for name in row.keys() if row[name]}  # noqa: SIM118 - a row

    async def waiting(self, ledger: str) -> int:
        return int(await self._transactions.value("ledger_payments.count_waiting", (ledger,)))

    async def unreadable(self, ledger: str) -> Sequence[UnreadableRow]:
        rows = await self._transactions.rows("ledger_payments.unreadable_rows", (ledger,))
        return [UnreadableRow(**row) for row in rows]


def _take_in(session: Session, payments: Sequence[LedgerPayment], about: Mapping[str, object]) -> int:
    """Stores payments and returns how many are new or changed. Possible payments of ours are recognised in order: a
    copy comes second.
    """
    if not payments:
        return 0
    if len({payment.key for payment in payments}) < len(payments):
        # What we made and what became of it, read together: only what is recognised as ours can be seen to change.
        return sum(_take_in(session, [payment], about) for payment in payments)
    cells = [{**ledger_payment_cells(payment), **about} for payment in payments]
    changed = session.run_many("ledger_payments.take_in_payment", cells)
    keys = json.dumps([payment.key for payment in payments])
    entries = {row["remote_id"] for row in session.rows("ledger_payments.entries_called", {"keys": keys})}
    perhaps_ours = [one for one in payments if one.ours is not None or one.key in entries]
    values = [{"ledger": about["ledger"], "key": one.key} for one in perhaps_ours]
    session.run_many("ledger_payments.recognise_payment", values)
    return changed


def _as_known(session: Session, ledger: str, payments: Sequence[LedgerPayment]) -> Sequence[LedgerPayment]:
    """Returns the payments with the key that each row had when it was first read, perhaps with other settings; else
    with its own.
    """
    names = [name for one in payments if one.row is not None for name in (one.row, one.key)]
    if not names:
        return payments
    rows = session.rows("ledger_payments.keys_of_rows", {"ledger": ledger, "rows": json.dumps(names)})
    known = {row["row"]: row["key"] for row in rows}
    first = dict(known)
    taken = []
    for payment in payments:
        key = payment.key
        if payment.row is not None:
            key = first.get(payment.row) or first.get(key) or key
            first.setdefault(payment.row, key)
            first.setdefault(payment.key, key)
        taken.append(payment if key == payment.key else replace(payment, key=key))
    notes = [(ledger, name, key) for name, key in first.items() if name not in known]
    session.run_many("ledger_payments.note_row", notes)
    return taken


def _first_key(session: Session, ledger: object, name: str) -> str | None:
    """Returns the first key of a row, None if it was in no file that was read."""
    row = session.row("ledger_payments.key_of_row", (ledger, name))
    return None if row is None else str(row["key"])


def _undone(session: Session, ledger: str, batch: LedgerBatch) -> Iterator[LedgerPayment]:
    """Yields what the ledger took back without details, as payments of zero."""
    unreadable = [row.key for row in batch.unreadable]
    still = [_first_key(session, ledger, key) or key for key in unreadable]
    for document in batch.undone:
        about = {"ledger": ledger, "key": _first_key(session, ledger, document.key) or document.key}
        if not document.alone:
            session.run("ledger_payments.forget_unreadable_parts", about | {"still": json.dumps(still)})
        elif about["key"] not in still:
            session.run("ledger_payments.forget_unreadable", (ledger, about["key"]))
        values = about | {"kept": json.dumps(list(document.kept))}
        for row in session.rows("ledger_payments.payments_of_document", values):
            if not document.alone or row["key"] == about["key"]:
                yield replace(to_ledger_payment(row), amount=Decimal(0))
        for row in session.rows("ledger_payments.entries_of_document", values):
            if document.alone and row["remote_id"] != about["key"]:
                continue
            day = date.fromisoformat(row["day"])
            yield LedgerPayment(row["remote_id"], "", Decimal(0), row["currency"], day, ours=row["id"])


def _reading(ledger: str) -> str:
    return f"settings by which payments of {ledger} are read"


def _position(ledger: str) -> str:
    return f"payments of {ledger}"


def _moved(row: Row) -> bool:
    return bool(row["carried"]) and invoice_in(row["facts"]) != invoice_in(row["carried"])


def _said(row: Row) -> LedgerPayment:
    amount = read_amount(row["said"])
    assert amount is not None, "amounts were written by `plain`"
    day = date.fromisoformat(row["said_day"])
    supplier, supplier_id = row["said_supplier"], row["said_supplier_id"]
    return LedgerPayment(
        row["key"], row["invoice"], amount, row["said_currency"], day, supplier, row["ours"], supplier_id
    )


def _candidates(session: Session, ledger: str, by: MatchBy) -> Sequence[Row]:
    """Returns the candidates. A payment whose name fits several invoices is one candidate."""
    first: dict[str, Row] = {}
    for statement in (f"ledger_payments.match_candidates[{by}]", f"ledger_payments.taken_back[{by}]"):
        for row in session.rows(statement, {"ledger": ledger}):
            first.setdefault(row["key"], row)
    return list(first.values())


def _candidates_of(session: Session, rows: Sequence[Row], by: MatchBy) -> Sequence[MatchCandidate]:
    linked = cache(partial(_supplier_external_id, session))
    return [_candidate(session, row, by, linked) for row in rows]


def _candidate(session: Session, row: Row, by: MatchBy, linked: Linked) -> MatchCandidate:
    payment = to_ledger_payment(row)
    candidates = _invoices(session, by, _called(by, payment.invoice), linked)
    if not row["has_intents"]:
        return MatchCandidate(payment, candidates)
    return _beside(session, payment, row["invoice_id"], candidates)


def _beside(
    session: Session, payment: LedgerPayment, invoice_id: int, candidates: Sequence[Invoice]
) -> MatchCandidate:
    """Returns the candidate with what we already created for that invoice, on either side."""
    others = _intents(session, Direction.TO_PRECORO, invoice_id)
    return MatchCandidate(
        payment,
        candidates,
        others=[Paid(intent.amount, intent.day) for intent in others if intent.state is not State.REJECTED],
        exports=_intents(session, Direction.TO_LEDGER, invoice_id, "ledger_payments.unrecognised"),
    )


def _unmatched(session: Session, row: Row, by: MatchBy) -> MatchCandidate:
    """Returns the candidate with all invoices of that name, including those that cannot be paid."""
    payment = to_ledger_payment(row)
    named = _invoices(session, by, _called(by, payment.invoice))
    if len(named) != 1:
        return MatchCandidate(payment, named)
    return _beside(session, payment, named[0].id, named)


def _called(by: MatchBy, invoice: str) -> Mapping[str, object]:
    """Returns the ledger's name for an invoice, as a parameter of the matching kind."""
    if by not in ("id", "idn"):
        return {_field(by): invoice}
    number = int(invoice) if _WHOLE_NUMBER.fullmatch(invoice) else None
    return {by: invoice if by == "idn" and number is None else number}


def _field(by: MatchBy) -> str:
    return "number" if by == "number_and_supplier" else by


def _namesakes(session: Session, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
    """Returns the invoice, and every other one that the ledger could mean by its name."""
    found = _invoices(session, "id", {"id": invoice_id})
    if not found:
        return ()
    [one] = found
    values: dict[str, object] = {"id": one.id, "idn": one.idn, "external_id": one.external_id, "number": one.number}
    values |= dict.fromkeys(IMPORTED_BY) | dict(one.imported)
    return _invoices(session, by, values)


def _invoices(
    session: Session, by: MatchBy, values: Mapping[str, object], linked: Linked | None = None
) -> Sequence[Invoice]:
    """Returns invoices. `linked` returns a supplier's external id, if many invoices share suppliers."""
    rows = session.rows(f"ledger_payments.namesakes[{by}]", values)
    return [read_mirrored(row["data"], linked or partial(_supplier_external_id, session)) for row in rows]


def _supplier_external_id(session: Session, supplier: int) -> str | None:
    row = session.row("ledger_payments.supplier_name", (supplier,))
    return None if row is None else row["external_id"]


def _with_supplier(invoice: Invoice, external_id: str | None) -> Invoice:
    return replace(invoice, supplier=replace(invoice.supplier, external_id=external_id))


def _intents(
    session: Session, direction: Direction, invoice_id: int, statement: str = "journal.intents_of_invoice"
) -> Sequence[Intent]:
    values = {"direction": direction, "invoice_id": invoice_id}
    return [to_intent(row) for row in session.rows(statement, values)]
