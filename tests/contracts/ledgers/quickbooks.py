"""A company in QuickBooks Online on a real socket, in the shapes that Intuit documents, which judges what it is sent.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/billpayment
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.contracts.ledgers.accounting import TOKEN, read_body, reply

REALM = "4620816365"
ENDLESS = Decimal(10) ** 30
_LIST = re.compile(
    r"select \* from BillPayment where (?:MetaData\.LastUpdatedTime >= '(?P<since>[^']+)' orderby"
    r" MetaData\.LastUpdatedTime startposition (?P<start>\d+) maxresults (?P<most>\d+)|DocNumber = '(?P<doc>\w+)')"
)
_ONE = re.compile(r"select \* from (?P<kind>Bill|Account) where Id = '(?P<id>\d+)'")


@dataclass
class QuickBooksBill:
    id: str
    total: Decimal = ENDLESS
    currency: str = "EUR"
    vendor: str = "56"
    payables: str = ""


@dataclass
class QuickBooksPayment:
    """lines  amount, kind and id of what each settles; None: no word of lines, as after some are voided"""

    id: str
    lines: list[tuple[Decimal, str, str]] | None
    day: str
    updated: datetime
    currency: str = "EUR"
    note: str | None = None
    doc: str | None = None
    total: Decimal | None = None
    rate: Decimal | None = None


@dataclass
class QuickBooks:
    """One company. `mishap` replaces the answer to the next payment, which is carried out before; `refuse` answers
    the next requests instead, one each; None lets one pass."""

    home: str = "EUR"
    bills: dict[str, QuickBooksBill] = field(default_factory=dict)
    payments: dict[str, QuickBooksPayment] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    names_currencies: bool = True
    mishap: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    closed_until: str = ""
    token: str = TOKEN
    refuse: deque[web.Response | None] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    most_captured: int = 1000

    def __post_init__(self) -> None:
        self._ids = itertools.count(100)
        self.now = datetime.now(UTC).replace(microsecond=0)
        for id_, currency, kind in (("35", "EUR", "Bank"), ("36", "USD", "Bank"), ("41", "GBP", "Credit Card")):
            self.accounts[id_] = {"Id": id_, "Name": f"{kind} {currency}", "AccountType": kind, "Active": True,
                                  "CurrencyRef": {"value": currency}}  # fmt: skip

    def tick(self) -> datetime:
        self.now += timedelta(minutes=10)
        return self.now

    def bill(self, id_: str, **facts: Any) -> QuickBooksBill:
        return self.bills.setdefault(id_, QuickBooksBill(id_, **facts))

    def pay(
        self, bills: str | Sequence[tuple[str, Decimal]], amount: Decimal, day: str, **facts: Any
    ) -> QuickBooksPayment:
        """Somebody pays a bill, or several with their shares."""
        shares = [(bills, amount)] if isinstance(bills, str) else bills
        for bill, _ in shares:
            self.bill(bill, **{name: facts[name] for name in ("currency",) if name in facts})
        lines = [(share, "Bill", bill) for bill, share in shares]
        payment = QuickBooksPayment(str(next(self._ids)), lines, day, self.tick(), **facts)
        self.payments[payment.id] = payment
        return payment

    def change(self, id_: str, **facts: Any) -> None:
        for name, value in facts.items():
            setattr(self.payments[id_], name, value)
        self.payments[id_].updated = self.tick()

    def void(self, id_: str) -> None:
        """Amounts become zero, and the memo says so; no word of lines comes any more."""
        self.change(id_, lines=None, total=Decimal(0), note="Voided")

    def delete(self, id_: str) -> None:
        del self.payments[id_]
        self.deleted[id_] = self.tick()

    def balance(self, bill: QuickBooksBill) -> Decimal:
        lines = [line for one in self.payments.values() for line in one.lines or ()]
        return bill.total - sum(
            (amount for amount, kind, id_ in lines if (kind, id_) == ("Bill", bill.id)), Decimal(0)
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        if self.refuse and (refusal := self.refuse.popleft()) is not None:
            return refusal
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return fault(
                "message=AuthenticationFailed; errorCode=003200; statusCode=401", "Token expired", 401, "fault"
            )
        base = f"/v3/company/{REALM}/"
        if not request.path.startswith(base) or request.query.get("minorversion") != "75":
            return fault("message=ApplicationAuthorizationFailed; errorCode=003100", "not this company", 403)
        return await self.answer(request, request.path.removeprefix(base))

    async def answer(self, request: web.BaseRequest, kind: str) -> web.StreamResponse:
        match request.method, kind:
            case "GET", "query":
                return self.query(request.query["query"])
            case "GET", "cdc":
                return self.captured(request.query["entities"], request.query["changedSince"])
            case "GET", "exchangerate":
                return self.rate(request.query["sourcecurrencycode"], request.query["asofdate"])
            case "POST", "billpayment":
                return await self.post(request)
        return fault("Unsupported Operation", kind, 400)

    def said(self, **answer: Any) -> web.Response:
        return reply(answer | {"time": self.now.isoformat(timespec="milliseconds")})

    def query(self, text: str) -> web.Response:
        if text == "select * from Preferences":
            prefs = {"CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": self.home}}}
            return self.said(QueryResponse={"Preferences": [prefs]})
        if one := _ONE.fullmatch(text):
            rows = (
                self.accounts
                if one["kind"] == "Account"
                else {id_: self.document(bill) for id_, bill in self.bills.items()}
            )
            found = [rows[one["id"]]] if one["id"] in rows else []
            return self.said(QueryResponse={one["kind"]: found} if found else {})
        match = _LIST.fullmatch(text)
        if not match:
            return fault("Error parsing query", f"QueryParserError: {text}", 400)
        found = [self.shape(one) for one in self.listed(match)]
        return self.said(QueryResponse={"BillPayment": found, "maxResults": len(found)} if found else {})

    def listed(self, match: re.Match[str]) -> Sequence[QuickBooksPayment]:
        if match["doc"]:
            return [one for one in self.sorted() if one.doc == match["doc"]]
        since, start = datetime.fromisoformat(match["since"]), int(match["start"]) - 1
        assert int(match["most"]) <= 1000
        return [one for one in self.sorted() if one.updated >= since][start : start + int(match["most"])]

    def sorted(self) -> Sequence[QuickBooksPayment]:
        return sorted(self.payments.values(), key=lambda one: (one.updated, int(one.id)))

    def captured(self, entities: str, since: str) -> web.Response:
        assert entities == "BillPayment"
        begin = datetime.fromisoformat(since)
        if begin < self.now - timedelta(days=30):
            return fault("Invalid changedSince", "The changedSince date is more than 30 days ago", 400)
        rows = [self.shape(one) for one in self.sorted() if one.updated >= begin]
        rows += [
            {"Id": id_, "status": "Deleted", "domain": "QBO", "MetaData": {"LastUpdatedTime": at.isoformat()}}
            for id_, at in self.deleted.items()
            if at >= begin
        ]
        rows = rows[: self.most_captured]
        response = {"BillPayment": rows, "startPosition": 1, "maxResults": len(rows)} if rows else {}
        return self.said(CDCResponse=[{"QueryResponse": [response]}])

    def rate(self, currency: str, day: str) -> web.Response:
        rate = {
            "SourceCurrencyCode": currency,
            "TargetCurrencyCode": self.home,
            "AsOfDate": day,
            "Rate": Decimal("0.92"),
        }
        return self.said(ExchangeRate=rate)

    async def post(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await read_body(request)
        self.bodies.append(body)
        assert 0 < len(request.query["requestid"]) <= 50
        if words := self.judge(body):
            return fault("A business validation error has occurred while processing your request", words, 400)
        (line,) = body["Line"]
        (linked,) = line["LinkedTxn"]
        assert (line["Amount"], linked["TxnType"]) == (body["TotalAmt"], "Bill")
        payment = self.pay(
            linked["TxnId"], Decimal(line["Amount"]), body["TxnDate"], currency=body["CurrencyRef"]["value"],
            note=body["PrivateNote"], doc=body["DocNumber"], rate=body.get("ExchangeRate"),
        )  # fmt: skip
        mishap, self.mishap = self.mishap, None
        return await mishap(request) if mishap else self.said(BillPayment=self.shape(payment))

    def judge(self, body: Mapping[str, Any]) -> str:
        """Why QuickBooks refuses it, "" if it does not."""
        bill = self.bills.get(body["Line"][0]["LinkedTxn"][0]["TxnId"])
        detail = body.get("CheckPayment", {}).get("BankAccountRef") or body["CreditCardPayment"]["CCAccountRef"]
        account = self.accounts.get(detail["value"])
        currency = body.get("CurrencyRef", {}).get("value", self.home)
        if bill is None:
            return "Business Validation Error: Unable to find the bill"
        if account is None or (account["AccountType"] == "Bank") != (body["PayType"] == "Check"):
            return "Invalid account type used"
        if {bill.currency, account["CurrencyRef"]["value"]} != {currency}:
            return "Business Validation Error: The currency of the payment is not that of the bill and the account"
        if (body["VendorRef"]["value"], body.get("APAccountRef", {}).get("value", "")) != (
            bill.vendor,
            bill.payables,
        ):
            return "Business Validation Error: vendor or accounts payable account differ from the bill"
        if body["TxnDate"] <= self.closed_until:
            return "Business Validation Error: The account period has closed"
        if len(body["DocNumber"]) > 21:
            return "String length is too long: DocNumber, max 21"
        if Decimal(body["TotalAmt"]) > self.balance(bill):
            return "Business Validation Error: The amount is more than what is open on the bill"
        return ""

    def document(self, bill: QuickBooksBill) -> dict[str, Any]:
        document = {"Id": bill.id, "SyncToken": "0", "VendorRef": {"value": bill.vendor, "name": "Büro"},
                    "TotalAmt": bill.total, "Balance": self.balance(bill)}  # fmt: skip
        document |= {"CurrencyRef": {"value": bill.currency}} if self.names_currencies else {}
        return document | ({"APAccountRef": {"value": bill.payables}} if bill.payables else {})

    def shape(self, payment: QuickBooksPayment) -> dict[str, Any]:
        signed = [amount if kind == "Bill" else -amount for amount, kind, _ in payment.lines or ()]
        shape: dict[str, Any] = {
            "Id": payment.id,
            "SyncToken": "0",
            "VendorRef": {"value": "56", "name": "Büro"},
            "PayType": "Check",
            "TotalAmt": sum(signed, Decimal(0)) if payment.total is None else payment.total,
            "TxnDate": payment.day,
            "MetaData": {"LastUpdatedTime": payment.updated.isoformat()},
        }
        shape |= {"CurrencyRef": {"value": payment.currency, "name": "Euro"}} if self.names_currencies else {}
        shape |= {"DocNumber": payment.doc} if payment.doc else {}
        shape |= {"PrivateNote": payment.note} if payment.note else {}
        if payment.lines is not None:
            shape["Line"] = [
                {"Amount": amount, "LinkedTxn": [{"TxnId": id_, "TxnType": kind}]}
                for amount, kind, id_ in payment.lines
            ]
        return shape


def fault(message: str, detail: str, status: int, name: str = "Fault", code: str = "6000") -> web.Response:
    low = name == "fault"
    error = {"message" if low else "Message": message, "detail" if low else "Detail": detail, "code": code}
    return reply({name: {"error" if low else "Error": [error], "type": "ValidationFault"}}, status)
