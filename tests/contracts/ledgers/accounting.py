"""Accounting systems on real sockets, in the shapes that their vendors document, with their books in memory."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

TOKEN = "the-p4ssword-of-the-b00ks"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass
class Payment:
    id: int
    bill: str
    amount: Decimal
    currency: str
    day: str
    note: str | None
    updated: datetime
    status: str = "AUTHORISED"
    doc: str = ""


@dataclass
class Accounting:
    """What they have in common. `mishap` replaces the answer to the next create, which is carried out before."""

    payments: dict[int, Payment] = field(default_factory=dict)
    mishap: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    requests: list[str] = field(default_factory=list)
    refuse: web.Response | None = None

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def tick(self) -> datetime:
        self._now += timedelta(minutes=10)
        return self._now

    def add(self, bill: str, amount: Decimal, currency: str, day: date | str, note: str | None = None) -> Payment:
        payment = Payment(next(self._ids), bill, amount, currency, str(day), note, self.tick())
        self.payments[payment.id] = payment
        return payment

    def change(self, number: int, amount: Decimal) -> None:
        self.payments[number].amount = amount
        self.payments[number].updated = self.tick()

    def sorted(self) -> list[Payment]:
        return sorted(self.payments.values(), key=lambda payment: (payment.updated, payment.id))

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        if request.headers.get("Authorization", f"Bearer {TOKEN}") != f"Bearer {TOKEN}":
            return web.json_response({"error": "token"}, status=401)
        if self.refuse:
            return self.refuse
        return await self.answer(request)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        raise NotImplementedError

    async def created(self, request: web.BaseRequest, answer: Any) -> web.StreamResponse:
        mishap, self.mishap = self.mishap, None
        return await mishap(request) if mishap else reply(answer)


async def drop(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


def reply(answer: Any, status: int = 200) -> web.Response:
    return web.Response(body=_ENCODER.encode(answer), status=status, content_type="application/json")


async def read_body(request: web.BaseRequest) -> Any:
    return json.loads(await request.read(), parse_float=Decimal)


def epoch(moment: datetime) -> str:
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


class Rpc(Accounting):
    """https://www.odoo.com/documentation/18.0/developer/reference/external_api.html, over /jsonrpc: every error comes
    with status 200, and everything is rolled back."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.wizards: dict[int, dict[str, Any]] = {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await read_body(request)
        database, user, key, model, method, positional, *keywords = body["params"]["args"]
        if (request.path, database, user) != ("/jsonrpc", "books", 2) or key != TOKEN:
            return self.error("odoo.exceptions.AccessDenied", "Access Denied")
        named = keywords[0] if keywords else {}
        match model, method:
            case "account.payment", "search_read":
                return reply({"jsonrpc": "2.0", "id": 1, "result": self.search(positional[0], named)})
            case "account.payment.register", "create":
                return self.make_wizard(positional[0], named["context"])
            case "account.payment.register", "action_create_payments":
                return await self.pay(request, positional[0][0])
        return self.error("builtins.AttributeError", f"{model}.{method}")

    def make_wizard(self, fields: dict[str, Any], context: dict[str, Any]) -> web.Response:
        (bill,) = context["active_ids"]
        assert isinstance(bill, int)
        assert (context["active_model"], fields["journal_id"]) == ("account.move", 7)
        if bill == 404:
            return self.error(
                "odoo.exceptions.UserError", "You can only register payments for posted journal entries."
            )
        self.wizards[len(self.wizards) + 1] = fields | {"bill": bill}
        return reply({"jsonrpc": "2.0", "id": 1, "result": len(self.wizards)})

    async def pay(self, request: web.BaseRequest, wizard: int) -> web.StreamResponse:
        fields = self.wizards[wizard]
        payment = self.add(
            str(fields["bill"]), Decimal(fields["amount"]), "EUR", fields["payment_date"], fields["communication"]
        )
        action = {"type": "ir.actions.act_window", "res_model": "account.payment", "res_id": payment.id}
        return await self.created(request, {"jsonrpc": "2.0", "id": 1, "result": action})

    def search(self, domain: Sequence[Any], named: dict[str, Any]) -> list[dict[str, Any]]:
        found = self.sorted()
        for name, sign, value in domain:
            if (name, sign) == ("memo", "="):
                found = [one for one in found if one.note == value]
            elif (name, sign) == ("write_date", ">="):
                found = [one for one in found if f"{one.updated:%Y-%m-%d %H:%M:%S}" >= value]
        start = named.get("offset", 0)
        return [self.shape(one) for one in found[start : start + named.get("limit", len(found))]]

    @staticmethod
    def shape(payment: Payment) -> dict[str, Any]:
        return {
            "id": payment.id,
            "amount": payment.amount,
            "currency_id": [1, payment.currency],
            "date": payment.day,
            "memo": payment.note or False,
            "state": "paid" if payment.status == "AUTHORISED" else "canceled",
            "partner_id": [9, "Büro"],
            "payment_type": "outbound",
            "write_date": f"{payment.updated:%Y-%m-%d %H:%M:%S}",
            "reconciled_bill_ids": [int(payment.bill)],
        }

    @staticmethod
    def error(name: str, message: str) -> web.Response:
        data = {"name": name, "message": message, "arguments": [message], "debug": "Traceback ..."}
        error = {"code": 200, "message": "Odoo Server Error", "data": data}
        return reply({"jsonrpc": "2.0", "id": 1, "error": error})


class Keyed(Accounting):
    """A made-up system that knows an idempotency key for good, takes forms, and lists with a cursor."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keys: dict[str, int] = {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            form = {name: values[0] for name, values in parse_qs((await request.read()).decode()).items()}
            key = request.headers["X-Key"]
            if key not in self.keys:
                amount = Decimal(form["payment[amount]"])
                self.keys[key] = self.add(form["bill"], amount, form["currency"], form["day"], key).id
            return await self.created(request, {"payment": {"number": self.keys[key]}})
        changed = [one for one in self.sorted() if one.updated.isoformat() >= request.query["since"]]
        start, size = int(request.query.get("cursor") or 0), int(request.query["limit"])
        rows = [self.shape(one) for one in changed[start : start + size]]
        after = start + size if start + size < len(changed) else None
        return reply({"data": rows, "page": {"after": after}})

    @staticmethod
    def shape(payment: Payment) -> dict[str, Any]:
        return {
            "number": payment.id,
            "bill": payment.bill,
            "amount": f"{payment.amount:f}",
            "currency": payment.currency,
            "day": payment.day,
            "note": payment.note,
            "at": payment.updated.isoformat(),
        }
