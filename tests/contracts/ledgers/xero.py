"""An organisation in Xero on a real socket, in the shapes of Xero's OpenAPI document, which judges what it is sent.

https://developer.xero.com/documentation/api/accounting/payments
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.contracts.ledgers.accounting import TOKEN, epoch, read_body, reply

TENANT = "7be0f5c3-3a0c-4c39-9d1c-2f2b8f6a4c11"
NOTHING = "00000000-0000-0000-0000-000000000000"
ENDLESS = Decimal(10) ** 30


@dataclass
class XeroBill:
    id: str
    total: Decimal = ENDLESS
    currency: str = "EUR"
    status: str = "AUTHORISED"
    type: str = "ACCPAY"
    contact: str = "c-1"


@dataclass
class XeroPayment:
    id: str
    bill: str
    amount: Decimal
    day: str
    reference: str | None
    updated: datetime
    status: str = "AUTHORISED"
    type: str = "ACCPAYPAYMENT"
    batch: str | None = None
    currency: str = ""


@dataclass
class Xero:
    """One organisation.

    mishap         replaces the answer to the next payment, which is carried out before
    summarizes     whether refusals are heard as asked for; else they come with 200 and an id of zeros
    locked_until   days up to this one take no payments any more
    largest_page   what it gives at most, whatever is asked for
    refuse         answers the next requests instead, one each; None lets one pass
    """

    bills: dict[str, XeroBill] = field(default_factory=dict)
    payments: dict[str, XeroPayment] = field(default_factory=dict)
    accounts: dict[str, dict[str, str]] = field(default_factory=dict)
    mishap: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    summarizes: bool = True
    pages_are_told: bool = True
    largest_page: int = 1000
    locked_until: str = ""
    token: str = TOKEN
    refuse: deque[web.Response | None] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        for currency in ("EUR", "USD"):
            id_ = f"bank-{currency.lower()}"
            self.accounts[id_] = {"AccountID": id_, "Name": f"Bank {currency}", "Type": "BANK", "Status": "ACTIVE",
                                  "CurrencyCode": currency, "Code": "090"}  # fmt: skip

    def tick(self) -> datetime:
        self._now += timedelta(minutes=10)
        return self._now

    def bill(self, id_: str, **facts: Any) -> XeroBill:
        return self.bills.setdefault(id_, XeroBill(id_, **facts))

    def pay(self, bill: str, amount: Decimal, day: str, reference: str | None = None, **facts: Any) -> XeroPayment:
        """Somebody pays in Xero. `currency` is the bill's where it is not known yet."""
        self.bill(bill, **{name: facts.pop(name) for name in ("currency",) if name in facts})
        payment = XeroPayment(f"{next(self._ids):08x}-0000-4000-8000-0000000000aa", bill, amount, day, reference,
                              self.tick(), **facts)  # fmt: skip
        self.payments[payment.id] = payment
        return payment

    def change(self, id_: str, **facts: Any) -> None:
        for name, value in facts.items():
            setattr(self.payments[id_], name, value)
        self.payments[id_].updated = self.tick()

    def due(self, bill: XeroBill) -> Decimal:
        paid = (one.amount for one in self.payments.values() if one.bill == bill.id and one.status != "DELETED")
        return bill.total - sum(paid, Decimal(0))

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        if self.refuse and (refusal := self.refuse.popleft()) is not None:
            return refusal
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return reply({"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"}, 401)
        if request.headers.get("Xero-Tenant-Id") != TENANT:
            return reply({"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}, 403)
        return await self.answer(request)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        kind, _, id_ = request.path.removeprefix("/api.xro/2.0/").partition("/")
        match request.method, kind:
            case "PUT", "Payments":
                return await self.put(request)
            case "GET", "Payments":
                return self.list_payments(request)
            case "GET", "Invoices":
                found = self.bills.get(id_) or self.bills.get(id_.lower())
                return self.said("Invoices", [self.invoice(found)] if found else None)
            case "GET", "Accounts":
                return self.said("Accounts", [self.accounts[id_]] if id_ in self.accounts else None)
            case "GET", "Organisation":
                return self.said("Organisations", [{"Name": "Demo Company", "BaseCurrency": "EUR"}])
        return web.Response(text="The resource you're looking for cannot be found", status=404)

    def said(self, name: str, rows: list[Any] | None, **more: Any) -> web.Response:
        if rows is None:
            return web.Response(text="The resource you're looking for cannot be found", status=404)
        answer = {
            "Id": "0f1c",
            "Status": "OK",
            "ProviderName": "test",
            "DateTimeUTC": epoch(self._now),
            **more,
            name: rows,
        }
        self.answers.append(answer)
        return reply(answer)

    def list_payments(self, request: web.BaseRequest) -> web.Response:
        since = datetime.fromisoformat(request.headers.get("If-Modified-Since", "1970-01-01T00:00:00"))
        found = sorted(self.payments.values(), key=lambda one: (one.updated, one.id))
        found = [one for one in found if one.updated.replace(tzinfo=None) >= since]
        where = request.query.get("where", "")
        if reference := re.fullmatch(r'Reference=="([^"]*)"', where):
            found = [one for one in found if one.reference == reference[1]]
        elif where == 'PaymentType=="ACCPAYPAYMENT"' and request.query.get("order") == "UpdatedDateUTC ASC":
            found = [one for one in found if one.type == "ACCPAYPAYMENT"]
        else:
            return reply({"ErrorNumber": 16, "Type": "QueryParseException", "Message": "No property or field"}, 400)
        size = min(int(request.query.get("pageSize", 100)), self.largest_page)
        page = int(request.query.get("page", 1))
        told = {"page": page, "pageSize": size, "pageCount": -(-len(found) // size), "itemCount": len(found)}
        more = {"pagination": told} if self.pages_are_told and "page" in request.query else {}
        rows = found[(page - 1) * size : page * size]
        return self.said("Payments", [self.shape(one) for one in rows], **more)

    async def put(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await read_body(request)
        self.bodies.append(body)
        assert request.query["summarizeErrors"] == "true"
        assert 0 < len(request.headers["Idempotency-Key"]) <= 128
        (sent,) = body["Payments"]
        if words := self.judge(sent):
            return self.refused(sent, words)
        payment = self.pay(sent["Invoice"]["InvoiceID"], Decimal(sent["Amount"]), sent["Date"], sent["Reference"])
        answer = self.said("Payments", [self.shape(payment)])
        mishap, self.mishap = self.mishap, None
        return await mishap(request) if mishap else answer

    def judge(self, sent: Mapping[str, Any]) -> str:
        """Why Xero refuses it, "" if it does not."""
        bill = self.bills.get(sent["Invoice"]["InvoiceID"])
        account = self.accounts.get(sent["Account"]["AccountID"])
        if bill is None or bill.type != "ACCPAY":
            return "Invoice could not be found"
        if account is None or account["Status"] != "ACTIVE":
            return "Account could not be found"
        if sent["Date"] <= self.locked_until:
            return "The document date cannot be before the period lock date"
        if bill.status != "AUTHORISED":
            return "Payments can only be made against Authorised documents"
        if Decimal(sent["Amount"]) > self.due(bill):
            return "Payment amount exceeds the amount outstanding on this document"
        return ""

    def refused(self, sent: Mapping[str, Any], words: str) -> web.Response:
        element = {**sent, "PaymentID": NOTHING, "HasValidationErrors": True, "StatusAttributeString": "ERROR",
                   "ValidationErrors": [{"Message": words}]}  # fmt: skip
        if not self.summarizes:
            return self.said("Payments", [element])
        failure = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
        return reply(failure | {"Elements": [element]}, 400)

    def shape(self, payment: XeroPayment) -> dict[str, Any]:
        bill = self.bills[payment.bill]
        shape: dict[str, Any] = {
            "PaymentID": payment.id,
            "Date": epoch(datetime.fromisoformat(payment.day).replace(tzinfo=UTC)),
            "BankAmount": payment.amount,
            "Amount": payment.amount,
            "CurrencyRate": Decimal("1.0"),
            "Status": payment.status,
            "PaymentType": payment.type,
            "UpdatedDateUTC": epoch(payment.updated),
            "HasAccount": True,
            "IsReconciled": False,
            "Account": {"AccountID": "bank-eur", "Code": "090"},
            "Invoice": {
                "InvoiceID": bill.id,
                "Type": bill.type,
                "CurrencyCode": payment.currency or bill.currency,
                "Contact": {"ContactID": bill.contact, "Name": "Büro"},
                "HasErrors": False,
            },
            "HasValidationErrors": False,
        }
        shape |= {"Reference": payment.reference} if payment.reference else {}
        return shape | ({"BatchPaymentID": payment.batch} if payment.batch else {})

    def invoice(self, bill: XeroBill) -> dict[str, Any]:
        due = self.due(bill)
        return {
            "InvoiceID": bill.id,
            "Type": bill.type,
            "Status": "PAID" if bill.status == "AUTHORISED" and not due else bill.status,
            "CurrencyCode": bill.currency,
            "Contact": {"ContactID": bill.contact, "Name": "Büro"},
            "Total": bill.total,
            "AmountDue": due,
            "AmountPaid": bill.total - due,
        }


def too_often(seconds: int | None, problem: str = "minute") -> web.Response:
    headers = {"X-Rate-Limit-Problem": problem} | ({} if seconds is None else {"Retry-After": str(seconds)})
    return web.Response(status=429, headers=headers)
