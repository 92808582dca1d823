"""the quickbooks ledger: bills of one company and their payments, by QuickBooks Online's API v3"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec

from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.accounts import Accounts, probed
from precoro_daemon.adapters.ledgers.client import HttpLedger, LedgerClient
from precoro_daemon.adapters.ledgers.quickbooks.changes import START, Changes
from precoro_daemon.adapters.ledgers.quickbooks.company import Company, CompanyClient, manners
from precoro_daemon.adapters.ledgers.quickbooks.payloads import (
    OpenBill,
    QuickbooksAccount,
    read_account,
    read_bill,
    read_documents,
    receipts_in,
)
from precoro_daemon.adapters.ledgers.rows import ROWS_A_BATCH
from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, SeveralFound
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.entries import short_key
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.writes.permit import Permit

_EXACT = msgspec.json.Encoder(decimal_format="number")


def _now() -> datetime:
    return datetime.now(UTC)


class QuickbooksLedger(HttpLedger):
    """Implements `Ledger`.
    https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/billpayment

    QuickBooks does not document how long it recognises a repeated requestid. So a second create may make a second
    payment (`plain`), and only the lookup by DocNumber counts. That field holds the short key, because people edit
    the memo.
    """

    def __init__(self, company: Company, bearer: Bearer, now: Callable[[], datetime] = _now) -> None:
        self._given = company
        super().__init__(LedgerClient(company.name, company.origin, bearer, manners(company.timeout)))
        self._company = CompanyClient(self._client, company.realm_id)
        self._changes = Changes(self._company, now)
        self._accounts = Accounts("accounts in [ledger.quickbooks]", company.accounts, self._account)
        self._bill: tuple[str, OpenBill | None] | None = None

    @property
    def capabilities(self) -> Capabilities:
        takes = bool(self._given.accounts)
        return Capabilities(reads=True, create="plain" if takes else "none", lookup="key", bills=True)

    async def _batches(self, position: str | None) -> AsyncGenerator[LedgerBatch, None]:
        before = position or START
        async with aclosing(self._changes.since(position)) as pieces:
            async for piece in pieces:
                for start in range(0, max(len(piece.rows), 1), ROWS_A_BATCH):
                    rows = piece.rows[start : start + ROWS_A_BATCH]
                    read = read_documents(rows, await self._home_of(rows))
                    is_last = start + ROWS_A_BATCH >= len(piece.rows)
                    reached = piece.position if is_last else before
                    yield LedgerBatch(read.payments, read.unreadable, reached, read.undone)
                before = piece.position

    async def _home_of(self, rows: Sequence[Any]) -> str:
        """Returns the home currency, or "" without a call if every document names its own."""
        named = all(isinstance(row, Mapping) and (row.get("CurrencyRef") or not row.get("Line")) for row in rows)
        return "" if named else await self._company.home_currency()

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        open_bill = await self._known_bill(entry)
        if open_bill is None:
            raise PermanentError(f"{self._said('create')}: it has no bill {entry.invoice_external_id!r}")
        if open_bill.bill.currency != entry.currency:
            raise PermanentError(
                f"{self._said('create')}: the bill is in {open_bill.bill.currency}, the payment in {entry.currency}"
            )
        account = await self._account_for(entry.currency)
        body = _EXACT.encode(await self._payment(entry, open_bill, account))
        target = self._company.target("billpayment", requestid=entry.key)
        outgoing = Outgoing("POST", target, {"Content-Type": "application/json"}, body)
        tree = await self._client.send_payment("create", outgoing, permit)
        document = tree.get("BillPayment") if isinstance(tree, Mapping) else None
        if isinstance(document, Mapping) and isinstance(document.get("Id"), str):
            receipts = [*receipts_in(document)]
            if receipts:
                return next((one for one in receipts if one.invoice == open_bill.bill.key), receipts[0])
        raise DoubtfulError(f"{self._said('create')}: the payment was taken, but its id is unknown")

    async def _payment(self, entry: Entry, open_bill: OpenBill, account: QuickbooksAccount) -> dict[str, Any]:
        day = entry.paid_on.isoformat()
        payment: dict[str, Any] = {
            "VendorRef": {"value": open_bill.vendor},
            "TxnDate": day,
            "TotalAmt": entry.amount,
            "CurrencyRef": {"value": entry.currency},
            **account.pays(),
            "DocNumber": short_key(entry.key),
            "PrivateNote": f"Precoro {entry.key}",
            "Line": [
                {"Amount": entry.amount, "LinkedTxn": [{"TxnId": open_bill.bill.key, "TxnType": "Bill"}]},
            ],
        }
        if open_bill.payables:
            payment["APAccountRef"] = {"value": open_bill.payables}
        if entry.currency != await self._company.home_currency():
            # Without it, QuickBooks takes 1.
            payment["ExchangeRate"] = await self._company.rate(entry.currency, day)
        return payment

    async def _account_for(self, currency: str) -> QuickbooksAccount:
        try:
            return await self._accounts.of(currency)
        except PermanentError as error:
            raise PermanentError(f"{self._said('create')}: {error}") from None

    async def find(self, key: str) -> Receipt | None:
        number = short_key(key)
        rows, _ = await self._company.query("find", "BillPayment", f"where DocNumber = '{number}'")
        if any(not isinstance(row, Mapping) or row.get("DocNumber") != number for row in rows):
            raise LedgerMisfit(f"{self._said('find')}: was asked for one number and got others too")
        found = {receipt.key: receipt for row in rows for receipt in receipts_in(row)}
        if len(found) > 1:
            raise SeveralFound(f"{self._said('find')}: it has {len(found)} payments under the key {key}")
        return next(iter(found.values()), None)

    async def bill(self, entry: Entry) -> Bill | None:
        open_bill = await self._read_bill(entry.invoice_external_id)
        self._bill = (entry.key, open_bill)
        return None if open_bill is None else open_bill.bill

    async def _known_bill(self, entry: Entry) -> OpenBill | None:
        """Returns the bill that was just read for this payment, or reads it. Each reading is used once."""
        known, self._bill = self._bill, None
        if known is not None and known[0] == entry.key:
            return known[1]
        return await self._read_bill(entry.invoice_external_id)

    async def _read_bill(self, id_: str) -> OpenBill | None:
        row = await self._company.by_id("bill", "Bill", id_)
        return None if row is None else read_bill(row, await self._company.home_currency())

    async def _account(self, id_: str) -> QuickbooksAccount | None:
        row = await self._company.by_id("account", "Account", id_)
        return None if row is None else read_account(row, await self._company.home_currency())

    async def probe(self) -> Sequence[Probe]:
        found = [await probed("company", self._show_company)]
        return [*found, *[probe async for probe in self._accounts.probes()]]

    async def _show_company(self) -> str:
        return f"company {self._given.realm_id}, in {await self._company.home_currency()}"
