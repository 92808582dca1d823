"""Books that keep their state in memory: an honest ledger, which may be told to go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from precoro_daemon.errors import DaemonError, DoubtfulError, SeveralFound
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, Undone, UnreadableRow
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.writes.permit import Permit

DAY = date(2026, 1, 15)


@dataclass
class MemoryLedger:
    """`log` is everything that was ever written, in order: reading from a position gives what came after it.

    failures  raised by the next calls of `create`, one each; None: it works
    unready   the same, while they prepare what they record: before the permit
    undone    documents that have no longer what they had, said with every reading
    said      what the next answers of `create` say, one each, otherwise than it was recorded
    overpaid  what was recorded though less was open
    open      what is open on each bill by the invoice's idn, but for the payments that are recorded here
    kept      whether rows we make carry our key
    late      whether a create that fails as doubtful was carried out all the same
    meanwhile what happens while it is asked for the bill of an entry, or to record it
    """

    name: str = "books"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(reads=True, create="idempotent", lookup="key")
    )
    log: list[LedgerPayment] = field(default_factory=list)
    bad: list[UnreadableRow] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    failures: list[DaemonError | None] = field(default_factory=list)
    unready: list[DaemonError | None] = field(default_factory=list)
    overpaid: list[Entry] = field(default_factory=list)
    said: list[dict[str, object]] = field(default_factory=list)
    open: dict[str, Bill] = field(default_factory=dict)
    unreachable: DaemonError | None = None
    kept: bool = True
    late: bool = False
    meanwhile: Callable[[Entry], object] = repr
    undone: list[Undone] = field(default_factory=list)
    reads: int = 0
    positions: list[str | None] = field(default_factory=list)

    def record(self, key: str, invoice: str, amount: str, **more: object) -> LedgerPayment:
        given = {"currency": "EUR", "paid_on": DAY} | more
        row = LedgerPayment(key, invoice, Decimal(amount), **given)
        self.log.append(row)
        return row

    def change(self, key: str, **more: object) -> None:
        [*_, row] = [row for row in self.log if row.key == key]
        self.log.append(replace(row, **more))

    @property
    def rows(self) -> dict[str, LedgerPayment]:
        """What the ledger says now."""
        return {row.key: row for row in self.log}

    @asynccontextmanager
    async def recorded(self, position: str | None) -> AsyncIterator[AsyncIterator[LedgerBatch]]:
        self.reads += 1
        self.positions.append(position)
        if self.unreachable is not None:
            raise self.unreachable

        async def batches(rows: Sequence[LedgerPayment]) -> AsyncIterator[LedgerBatch]:
            yield LedgerBatch(rows, self.bad, str(len(self.log)), self.undone)

        yield batches(self.log[int(position or 0) :])

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        if (unready := self.unready.pop(0) if self.unready else None) is not None:
            raise unready
        await permit("")
        self.meanwhile(entry)
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, DoubtfulError) and self.late:
            self._create(entry)
        if failure is not None:
            raise failure
        return replace(self._receipt(self._create(entry)), **(self.said.pop(0) if self.said else {}))

    def _receipt(self, key: str) -> Receipt:
        if (entry := self.rows.get(key)) is None:
            return Receipt(key)
        return Receipt(key, entry.amount, entry.currency, entry.paid_on, entry.invoice)

    def _create(self, entry: Entry) -> str:
        known = [number for number, one in enumerate(self.entries) if one.key == entry.key]
        if len(known) > 1 and self.capabilities.create == "idempotent":
            raise SeveralFound(f"the books have {len(known)} payments under the key {entry.key}")
        if known and self.capabilities.create == "idempotent":
            return f"B-{known[0]}"
        self.entries.append(entry)
        key = f"B-{len(self.entries) - 1}"
        self.log.append(
            LedgerPayment(
                key,
                entry.invoice_idn,
                entry.amount,
                entry.currency,
                entry.paid_on,
                ours=entry.key if self.kept else None,
            )
        )
        if (bill := self.bill_of(entry.invoice_idn)) is not None and bill.open < 0:
            self.overpaid.append(entry)
        return key

    async def find(self, key: str) -> Receipt | None:
        there = [f"B-{number}" for number, one in enumerate(self.entries) if one.key == key]
        if len(there) > 1:
            raise SeveralFound(f"the books have {len(there)} payments under the key {key}")
        return next(map(self._receipt, there), None)

    async def bill(self, entry: Entry) -> Bill | None:
        self.meanwhile(entry)
        return self.bill_of(entry.invoice_idn)

    def bill_of(self, invoice: str) -> Bill | None:
        if (bill := self.open.get(invoice)) is None:
            return None
        return replace(bill, open=bill.open - sum(row.amount for row in self.rows.values() if row.invoice == invoice))

    async def probe(self) -> Sequence[Probe]:
        return ()
