"""Business Central on a real socket, in the shapes of its standard API v2.0, with its books in memory.

https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from precoro_daemon.adapters.ledgers.business_central.payloads import document_number
from precoro_daemon.payments.ports.ledger import Ledger
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import TOKEN, drop, reply
from tests.contracts.ledgers.books import Books, Created, entry
from tests.contracts.ledgers.configured import ledger_in, write_secret

ROOT = "/v2.0/tenant-1/production/api/v2.0/companies(company-1)"
JOURNAL, VENDOR = (str(uuid.UUID(int=number)) for number in (11, 22))
LENGTHS = {"documentNumber": 20, "externalDocumentNumber": 35, "description": 100}
WRITABLE = {"vendorId", "postingDate", "amount", "appliesToInvoiceId", *LENGTHS}
KEYS = {document_number(key): key for key in (entry().key, "last", *(f"key-{number}" for number in range(40)))}

Record = dict[str, Any]


@dataclass
class BusinessCentral:
    """page  rows of a page; mishap: replaces the answer to the next line, which is made before"""

    invoices: dict[str, Record] = field(default_factory=dict)
    lines: list[Record] = field(default_factory=list)
    posted: list[Record] = field(default_factory=list)
    journals: tuple[str, ...] = ("CASH", "PAYMENT")
    page: int = 2
    mishap: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    refuse: web.Response | None = None
    requests: list[str] = field(default_factory=list)

    def invoice(self, total: str = "1000", currency: str = "EUR", status: str = "Open", number: str = "901") -> str:
        identity = str(uuid.UUID(int=5000 + len(self.invoices)))
        self.invoices[identity] = {
            "id": identity, "number": number, "status": status, "currencyCode": currency,
            "totalAmountIncludingTax": Decimal(total), "vendorId": VENDOR, "vendorInvoiceNumber": "A-1",
        }  # fmt: skip
        return identity

    def post(self) -> None:
        """A person posts the journal: its lines are entries from then on, and in no list of lines."""
        self.posted += self.lines
        self.lines = []

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.error(
                401, "Authentication_InvalidCredentials", "The server has rejected the client credentials."
            )
        if self.refuse:
            return self.refuse
        path = unquote(request.path)
        assert path.startswith(f"{ROOT}/"), path
        path = path.removeprefix(f"{ROOT}/")
        if request.method == "POST" and path == f"vendorPaymentJournals({JOURNAL})/vendorPayments":
            return await self.create(request, json.loads(await request.read(), parse_float=Decimal))
        if found := re.fullmatch(r"purchaseInvoices\(([0-9a-f-]{36})\)", path):
            if found[1] not in self.invoices:
                return self.error(404, "BadRequest_NotFound", "Bad Request - Error in query syntax.")
            return reply(self.invoices[found[1]])
        return self.list(request, path)

    def list(self, request: web.BaseRequest, path: str) -> web.Response:
        journals = [
            {"id": JOURNAL if code == "PAYMENT" else str(uuid.uuid4()), "code": code} for code in self.journals
        ]
        rows = {
            "companyInformation": [{"displayName": "CRONUS", "currencyCode": "EUR"}],
            "purchaseInvoices": list(self.invoices.values()),
            "vendorPaymentJournals": journals,
            f"vendorPaymentJournals({JOURNAL})/vendorPayments": self.lines,
        }[path]
        if wanted := request.query.get("$filter"):
            match = re.fullmatch(r"(\w+) eq '((?:[^']|'')*)'", wanted)
            assert match, wanted
            rows = [row for row in rows if str(row[match[1]]).upper() == match[2].replace("''", "'").upper()]
        start = int(request.query.get("$skiptoken", 0))
        shown: Record = {"@odata.context": "x", "value": rows[start : start + self.page]}
        if start + self.page < len(rows):
            query = request.rel_url.update_query({"$skiptoken": start + self.page})
            shown["@odata.nextLink"] = f"http://{request.host}{query}"
        return reply(shown)

    async def create(self, request: web.BaseRequest, body: Record) -> web.StreamResponse:
        for name, value in body.items():
            if name not in WRITABLE:
                return self.error(400, "BadRequest", f"The property '{name}' does not exist on type 'vendorPayment'.")
            if name in LENGTHS and len(value) > LENGTHS[name]:
                said = (
                    f"The length of the string is {len(value)}, but it must be less than or equal to {LENGTHS[name]}"
                )
                return self.error(400, "Application_StringExceededLength", said)
        invoice = self.invoices.get(body["appliesToInvoiceId"])
        if not invoice or invoice["vendorId"] != body["vendorId"]:
            return self.error(
                400, "Application_InvalidInvoice", "The Applies-to Invoice ID does not match an invoice."
            )
        identity = str(uuid.UUID(int=1000 + len(self.lines) + len(self.posted)))
        line = body | {"id": identity, "journalId": JOURNAL, "lineNumber": 10000 * (len(self.lines) + 1)}
        line["appliesToInvoiceNumber"] = invoice["number"]
        line |= {name: body[name].upper() for name in ("documentNumber", "externalDocumentNumber")}
        self.lines.append(line)
        mishap, self.mishap = self.mishap, None
        return await mishap(request) if mishap else reply(line, 201)

    @staticmethod
    def error(status: int, code: str, message: str) -> web.Response:
        said = {"code": code, "message": f"{message}  CorrelationId:  6c0b3e1c-0000-0000-0000-000000000000."}
        return web.json_response({"error": said}, status=status)


def central_at(origin: str, directory: Path, more: str = "") -> AbstractAsyncContextManager[Ledger]:
    token = write_secret(directory)
    return ledger_in(
        directory,
        f"""
[ledger]
kind = "business_central"
name = "books"
[ledger.business_central]
base_url = "{origin}"
tenant_id = "tenant-1"
company = "company-1"
journal = "PAYMENT"
token_file = "{token}"
timeout = "3s"
{more}
""",
    )


@dataclass
class CentralBooks:
    """Implements `Books`, one way."""

    system: BusinessCentral
    origin: str
    directory: Path
    takes = True
    reads = False

    def open(self) -> AbstractAsyncContextManager[Ledger]:
        return central_at(self.origin, self.directory, 'bill_name = "number"')

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31)) -> str:
        raise NotImplementedError

    async def change(self, key: str, amount: Decimal) -> None:
        raise NotImplementedError

    async def spoil(self) -> None:
        raise NotImplementedError

    async def created(self) -> list[Created]:
        return [
            (KEYS[line["externalDocumentNumber"]], line["amount"], date.fromisoformat(line["postingDate"]))
            for line in self.system.lines
        ]

    async def lose_next_answer(self) -> None:
        self.system.mishap = drop

    async def vanish(self) -> None:
        self.origin = "http://127.0.0.1:1"


@asynccontextmanager
async def central_books(directory: Path) -> AsyncIterator[Books]:
    system = BusinessCentral()
    system.invoice("50000000000000")
    async with serving(system.serve) as origin:
        yield CentralBooks(system, origin, directory)
