"""the xero ledger: bills of one organisation and their payments, by the Accounting API"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.accounts import Accounts, probed
from precoro_daemon.adapters.ledgers.answers import rows_at
from precoro_daemon.adapters.ledgers.change_scan import FIRST_MOMENT, ChangeScan
from precoro_daemon.adapters.ledgers.client import HttpLedger, LedgerClient, Manners
from precoro_daemon.adapters.ledgers.rows import ROWS_A_BATCH
from precoro_daemon.adapters.ledgers.xero.payloads import (
    XeroAccount,
    batch_of,
    bill_in,
    is_full,
    moment_text,
    moments_of,
    read_account,
    read_moment,
    receipt_in,
    receipt_of,
    reference_of,
)
from precoro_daemon.adapters.ledgers.xero.scopes import show_scopes
from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, SeveralFound
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.writes.permit import Permit

_API = "/api.xro/2.0"
_PAGE_ROWS = 1000
_CALLS_A_MINUTE = 60
_CALLS_AT_ONCE = 5
_UNSAID_WAIT_S = 60.0
_LATE_PAYMENTS = timedelta(minutes=2)
"""The time to reach back: a change that is committed late shows the start of its transaction."""

_MESSAGES = ("Elements.0.ValidationErrors.0.Message", "Detail", "Message", "Title")
_EXACT = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation in Xero, and how to reach it.

    name      the ledger's name in the journal
    accounts  ids of bank accounts by currency
    timeout   seconds of one call
    """

    name: str
    origin: str
    tenant_id: str
    accounts: Mapping[str, str]
    timeout: float


class XeroLedger(HttpLedger):
    """Implements `Ledger`. https://developer.xero.com/documentation/api/accounting/payments

    Xero recognises a repeated Idempotency-Key only for minutes, and a doubt is resolved later than that. So a
    second create makes a second payment (`plain`), and only the lookup by Reference counts, which contains the
    key.
    """

    def __init__(self, organisation: Organisation, bearer: Bearer) -> None:
        self._given = organisation
        manners = Manners(
            organisation.timeout,
            calls_a_minute=_CALLS_A_MINUTE,
            at_once=_CALLS_AT_ONCE,
            unsaid_wait=_UNSAID_WAIT_S,
            messages=_MESSAGES,
        )
        super().__init__(LedgerClient(organisation.name, organisation.origin, bearer, manners))
        self._accounts = Accounts("accounts in [ledger.xero]", organisation.accounts, self._account)
        self._bill: tuple[str, Bill | None] | None = None

    @property
    def capabilities(self) -> Capabilities:
        takes = bool(self._given.accounts)
        return Capabilities(reads=True, create="plain" if takes else "none", lookup="key", bills=True)

    async def _batches(self, position: str | None) -> AsyncGenerator[LedgerBatch, None]:
        scan = ChangeScan(FIRST_MOMENT if position is None else read_moment(position) - _LATE_PAYMENTS)
        while True:
            query = {
                "where": 'PaymentType=="ACCPAYPAYMENT"',
                "order": "UpdatedDateUTC ASC",
                "page": scan.page + 1,
                "pageSize": _PAGE_ROWS,
            }
            changed = {"If-Modified-Since": moment_text(scan.since)}
            tree = await self._ask("read", f"/Payments?{urlencode(query, quote_via=quote)}", headers=changed)
            rows = rows_at(tree, "Payments", may_be_absent=False)
            for start in range(0, len(rows), ROWS_A_BATCH):
                piece = rows[start : start + ROWS_A_BATCH]
                scan.follow([*moments_of(piece)])
                yield batch_of(piece, moment_text(scan.safe))
            if not is_full(tree, len(rows), scan.page + 1, _PAGE_ROWS):
                return
            scan.turn()

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        bill = await self._known_bill(entry)
        if bill is None:
            raise PermanentError(f"{self._said('create')}: it has no bill {entry.invoice_external_id!r}")
        if bill.currency != entry.currency:
            raise PermanentError(
                f"{self._said('create')}: the bill is in {bill.currency}, the payment in {entry.currency}"
            )
        account = await self._account_for(entry.currency)
        payment = {
            "Invoice": {"InvoiceID": bill.key},
            "Account": {"AccountID": account.id},
            "Date": entry.paid_on.isoformat(),
            "Amount": entry.amount,
            "Reference": reference_of(entry.key),
        }
        headers = {"Idempotency-Key": entry.key, "Content-Type": "application/json"}
        body = _EXACT.encode({"Payments": [payment]})
        outgoing = Outgoing("PUT", f"{_API}/Payments?summarizeErrors=true", {**self._headers, **headers}, body)
        tree = await self._client.send_payment("create", outgoing, permit)
        receipt = receipt_in(tree)
        if isinstance(receipt, Receipt):
            # Ids that differ only in case are equal; the receipt keeps Precoro's spelling.
            same = (receipt.invoice or "").casefold() == entry.invoice_external_id.casefold()
            return replace(receipt, invoice=entry.invoice_external_id) if same else receipt
        if receipt.refused:
            raise PermanentError(f"{self._said('create')}: Xero refused it: {receipt.words}")
        raise DoubtfulError(f"{self._said('create')}: it is not clear what became of the payment: {receipt.words}")

    async def _account_for(self, currency: str) -> XeroAccount:
        try:
            return await self._accounts.of(currency)
        except PermanentError as error:
            raise PermanentError(f"{self._said('create')}: {error}") from None

    async def find(self, key: str) -> Receipt | None:
        reference = reference_of(key)
        query = urlencode({"where": f'Reference=="{reference}"'}, quote_via=quote)
        rows = rows_at(await self._ask("find", f"/Payments?{query}"), "Payments", may_be_absent=False)
        found = {receipt.key: receipt for row in rows if (receipt := receipt_of(row, reference)) is not None}
        if any(not isinstance(row, Mapping) or row.get("Reference") != reference for row in rows):
            raise LedgerMisfit(f"{self._said('find')}: was asked for one reference and got others too")
        if len(found) > 1:
            raise SeveralFound(f"{self._said('find')}: it has {len(found)} payments under the key {key}")
        return next(iter(found.values()), None)

    async def bill(self, entry: Entry) -> Bill | None:
        bill = await self._read_bill(entry.invoice_external_id)
        self._bill = (entry.key, bill)
        return bill

    async def _known_bill(self, entry: Entry) -> Bill | None:
        """Returns the bill that was just read for this payment, or reads it. Each reading is used once. It saves one
        of sixty calls a minute.
        """
        known, self._bill = self._bill, None
        if known is not None and known[0] == entry.key:
            return known[1]
        return await self._read_bill(entry.invoice_external_id)

    async def _read_bill(self, id_: str) -> Bill | None:
        if not id_:
            return None
        tree = await self._ask("bill", f"/Invoices/{quote(id_, safe='')}", of_one=True, not_found_is_none=True)
        return None if tree is None else bill_in(tree, id_)

    async def _account(self, id_: str) -> XeroAccount | None:
        tree = await self._ask("account", f"/Accounts/{quote(id_, safe='')}", of_one=True, not_found_is_none=True)
        return None if tree is None else read_account(tree)

    async def probe(self) -> Sequence[Probe]:
        found = [await probed("organisation", self._show_organisation)]
        found += [await probed("rights", self._show_rights)]
        return [*found, *[probe async for probe in self._accounts.probes()]]

    async def _show_organisation(self) -> str:
        tree = await self._ask("organisation", "/Organisation")
        (organisation,) = rows_at(tree, "Organisations", may_be_absent=False)[:1] or ({},)
        return f"organisation {organisation.get('Name')}, in {organisation.get('BaseCurrency')}"

    async def _show_rights(self) -> str:
        return show_scopes(await self._client.token(), pays=bool(self._given.accounts))

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Xero-Tenant-Id": self._given.tenant_id}

    async def _ask(self, what: str, target: str, headers: Mapping[str, str] | None = None, **about: bool) -> Any:
        return await self._client.ask(
            what, Outgoing("GET", f"{_API}{target}", {**self._headers, **(headers or {})}), **about
        )
