"""Odoo on a real socket: JSON-RPC and JSON-2, which know the fields and methods of their version and no others."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.contracts.ledgers.accounting import TOKEN, drop
from tests.contracts.ledgers.odoo_database import CURRENCIES, OdooDatabase, Record, Refusal

__all__ = ["OdooServer", "drop"]

FIELDS = {
    "account.move": "name ref state move_type payment_state currency_id amount_residual write_date company_id"
    " partner_id commercial_partner_id payment_reference invoice_origin matched_payment_ids@18",
    "account.move.line": "move_id payment_id statement_line_id date ref name",
    "account.partial.reconcile": "debit_move_id credit_move_id credit_amount_currency",
    "account.payment": "state move_id amount currency_id date journal_id reconciled_bill_ids invoice_ids@18 memo@18"
    " ref@-17 write_date",
    "account.journal": "name code type currency_id company_id",
    "account.payment.method.line": "name journal_id payment_method_id",
    "res.company": "name currency_id",
    "account.payment.register": "amount currency_id payment_date journal_id communication group_payment"
    " payment_difference_handling payment_method_line_id can_edit_wizard",
}
"""By model; @18: from that version on, @-17: up to it."""

NAMED = {"currency_id", "company_id", "move_id", "payment_id", "journal_id", "partner_id", "commercial_partner_id",
         "debit_move_id", "credit_move_id", "statement_line_id", "payment_method_line_id"}  # fmt: skip
FITS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: (a or False) == b,
    "!=": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    ">=": lambda a, b: a >= b,
    "like": lambda a, b: b in (a or ""),
}
WORDS = {"account.payment.register": "Register Payment", "account.payment": "Payments"}


@dataclass
class OdooServer:
    """failure  raised by the next call of that method, before it does anything
    denied      operation and model that the key's user has no right to
    hidden      lines that the key's user may not read
    mishap      replaces the answer to the next payment, which is carried out before
    """

    database: OdooDatabase = field(default_factory=OdooDatabase)
    failure: dict[str, Refusal] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    mishap: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    requests: list[str] = field(default_factory=list)
    key: str = TOKEN

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = json.loads(await request.read(), parse_float=Decimal)
        if request.path.startswith("/json/2/") and self.database.version >= 19:
            return await self._json_2(request, body)
        if request.path != "/jsonrpc":
            return web.json_response({"name": "werkzeug.exceptions.NotFound", "message": "Not Found"}, status=404)
        assert (body["jsonrpc"], body["method"]) == ("2.0", "call")
        try:
            result = await self._service(request, **body["params"])
        except Refusal as refusal:
            return web.json_response({"jsonrpc": "2.0", "id": body["id"], "error": self._error(refusal)})
        if isinstance(result, web.StreamResponse):
            return result
        return web.Response(body=dumped({"jsonrpc": "2.0", "id": body["id"], "result": result}))

    async def _json_2(self, request: web.BaseRequest, body: Any) -> web.StreamResponse:
        *_, model, method = request.path.split("/")
        if request.headers.get("Authorization") != f"bearer {self.key}":
            return web.json_response(
                {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}, status=401
            )
        assert request.headers["X-Odoo-Database"] == "company"
        ids, context = body.pop("ids", []), body.pop("context", {})
        try:
            result = await self._call(request, model, method, ids, body, context)
        except Refusal as refusal:
            status = {"AccessError": 403, "MissingError": 404, "UserError": 422, "ValidationError": 422}
            kind = refusal.name.rpartition(".")[2]
            return web.json_response(self._error(refusal)["data"], status=status.get(kind, 500))
        if isinstance(result, web.StreamResponse):
            return result
        return web.Response(body=dumped([result] if method == "create" else result))

    async def _service(self, request: web.BaseRequest, service: str, method: str, args: Sequence[Any]) -> Any:
        if (service, method) == ("common", "version"):
            self.requests.append("version")
            version = self.database.version
            return {"server_version": f"{version}.0", "server_version_info": [version, 0, 0, "final", 0, ""]}
        database, user, key, *rest = args
        if database != "company":
            raise Refusal("psycopg2.OperationalError", f'FATAL:  database "{database}" does not exist')
        if (service, method) == ("common", "authenticate"):
            self.requests.append("authenticate")
            return 2 if (user, key) == ("ana", self.key) else False
        if (user, key) != (2, self.key):
            raise Refusal("odoo.exceptions.AccessDenied", "Access Denied")
        model, method, positional, *keywords = rest
        named = dict(keywords[0]) if keywords else {}
        context = named.pop("context", {})
        if method in ("create", "search_read") and positional:
            (first,) = positional
            named["vals_list" if method == "create" else "domain"] = first
            return await self._call(request, model, method, [], named, context)
        return await self._call(request, model, method, positional[0] if positional else [], named, context)

    async def _call(
        self, request: web.BaseRequest, model: str, method: str, ids: Any, named: Record, context: Record
    ) -> Any:
        self.requests.append(f"{model}.{method}")
        if failure := self.failure.pop(method, None):
            raise failure
        if model not in FIELDS:
            raise Refusal("builtins.KeyError", model)
        match method:
            case "search_read":
                self._permit("read", model)
                return self._search(model, context, **named)
            case "has_access" if self.database.version >= 18:
                return (named["operation"], model) not in self.denied
            case "check_access_rights" if self.database.version < 18:
                return (named["operation"], model) not in self.denied
            case "create" if model == "account.payment.register":
                self._permit("create", model)
                self._known(model, named["vals_list"])
                return self.database.make_wizard(context["active_ids"], named["vals_list"])
            case "read" if model == "account.payment.register":
                return [self._shown(model, self.database.wizards[one], named["fields"]) for one in ids]
            case "action_create_payments":
                return await self._pay(request, ids[0])
        raise Refusal("builtins.AttributeError", f"{model} has no public method {method}")

    def _permit(self, operation: str, model: str) -> None:
        if (operation, model) in self.denied:
            said = f"You are not allowed to {operation} '{WORDS.get(model, model)}' ({model}) records."
            raise Refusal("odoo.exceptions.AccessError", said)

    async def _pay(self, request: web.BaseRequest, wizard: int) -> Any:
        self._permit("create", "account.payment")
        made = self.database.carry_out(wizard)
        action: Record = {"name": "Payments", "type": "ir.actions.act_window", "res_model": "account.payment"}
        action |= {"res_id": made[0]} if len(made) == 1 else {"domain": [["id", "in", made]]}
        mishap, self.mishap = self.mishap, None
        return await mishap(request) if mishap else action

    def _known(self, model: str, names: Any) -> None:
        for name in names:
            if name not in {"id", *self._fields(model)}:
                raise Refusal("builtins.ValueError", f"Invalid field {name!r} on {model!r}")

    def _fields(self, model: str) -> Iterator[str]:
        for named in FIELDS[model].split():
            name, _, bound = named.partition("@")
            least, most = (0, -int(bound)) if bound.startswith("-") else (int(bound or 0), 99)
            if least <= self.database.version <= most:
                yield name

    def _search(
        self,
        model: str,
        context: Record,
        domain: Sequence[Any],
        fields: Sequence[str],
        order: str = "id",
        offset: int = 0,
        limit: int | None = None,
    ) -> Sequence[Record]:
        self._known(model, fields)
        rows = [one for one in self._records(model).values() if self._matches(model, one, domain, context)]
        names = order.split(", ")
        rows.sort(key=lambda one: [one[name] for name in names])
        return [self._shown(model, one, fields) for one in rows[offset : None if limit is None else offset + limit]]

    def _records(self, model: str) -> dict[int, Record]:
        kept = self.database
        return {
            "account.move": kept.moves,
            "account.move.line": {n: one for n, one in kept.lines.items() if n not in self.hidden},
            "account.partial.reconcile": kept.partials,
            "account.payment": kept.payments,
            "account.journal": kept.journals,
            "account.payment.method.line": kept.method_lines,
            "res.company": kept.companies,
        }[model]

    def _matches(self, model: str, record: Record, domain: Sequence[Any], context: Record) -> bool:
        allowed = context.get("allowed_company_ids")
        if allowed and record.get("company_id") and record["company_id"] not in allowed:
            return False
        for path, sign, value in domain:
            name, _, below = path.partition(".")
            self._known(model, [name])
            found = self._value(model, record, name)
            if below:
                owners = self.database.lines if name == "credit_move_id" else self.database.methods
                found = owners[found][below]
            wanted = datetime.fromisoformat(f"{value}+00:00") if isinstance(found, datetime) else value
            if not FITS[sign](found, wanted):
                return False
        return True

    def _value(self, model: str, record: Record, name: str) -> Any:
        move = self.database.moves.get(record.get("move_id") or 0, {})
        match model, name:
            case "account.move", "amount_residual":
                return record["residual"]
            case "account.move.line", "payment_id" | "statement_line_id" | "date" | "ref":
                return move[name]
            case "account.payment", "ref":
                return record["memo"]
            case "account.payment", "reconciled_bill_ids":
                return self._bills_of(record)
        return record.get(name)

    def _bills_of(self, payment: Record) -> list[int]:
        """From 18 on also those that the payment was once made for."""
        lines, kept = self.database.lines, self.database.partials.values()
        found = {lines[one["credit_move_id"]]["move_id"] for one in kept
                 if payment["move_id"] and lines[one["debit_move_id"]]["move_id"] == payment["move_id"]}  # fmt: skip
        return sorted(found | set(payment["invoice_ids"] if self.database.version >= 18 else ()))

    def _shown(self, model: str, record: Record, fields: Sequence[str]) -> Record:
        return {
            "id": record["id"],
            **{name: self._written(name, self._value(model, record, name)) for name in fields},
        }

    @staticmethod
    def _written(name: str, value: Any) -> Any:
        """Nothing is false, what is linked is its number and name, a time is cut to the second."""
        if value is None or value == "":
            return False
        if name in NAMED:
            return [value, CURRENCIES[value] if name == "currency_id" else f"{name} {value}"]
        return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value

    @staticmethod
    def _error(refusal: Refusal) -> Record:
        trace = "Traceback (most recent call last):\n" + '  File "/opt/odoo/odoo/http.py", in _transactioning\n' * 40
        data = {"name": refusal.name, "debug": trace, "message": str(refusal), "arguments": [str(refusal)]}
        return {"code": 200, "message": "Odoo Server Error", "data": data | {"context": {}}}


def dumped(value: Any) -> bytes:
    """Amounts are binary floats, as Odoo has them."""
    return json.dumps(value, default=float).encode()
