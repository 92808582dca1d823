"""endpoints that write catalogue, suppliers, payments, small sets and external ids"""

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from precoro_daemon.sandbox import paying, schema
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.custom_fields import written_values
from precoro_daemon.sandbox.forms import Form, amount, boolean, form, identifier, required
from precoro_daemon.sandbox.options import Tuning
from precoro_daemon.sandbox.procedures import Procedures
from precoro_daemon.sandbox.reads import Reads
from precoro_daemon.sandbox.refusals import MissingError, RefusedError
from precoro_daemon.sandbox.replies import json, ready_json
from precoro_daemon.sandbox.rows import Row

SETS = ("taxes", "paymentterms", "locations")
"""Small sets that can be written."""
ITEM_FIELDS = frozenset(
    {"sku", "name", "description", "price", "currency", "unit", "supplier", "category", "freeOfCharge",
     "hiddenInCatalog", "externalId", "link", "dataProductCustomFields"}
)  # fmt: skip
CREATED = 201


class Writes:
    """Executes POST, PUT and PATCH on the data of one company."""

    def __init__(self, company: Company, tuning: Tuning, reads: Reads) -> None:
        self.company = company
        self.tuning = tuning
        self.procedures = Procedures(company, reads)

    def routes(self) -> list[web.RouteDef]:
        makers = {"items": self._item, "suppliers": self._supplier} | dict.fromkeys(SETS, self._set)
        routes = [
            web.post("/payments", self.pay_invoice),
            web.post("/expensePayments", self.pay_expense),
            web.post("/payments/{key}/cancel", self.cancel_payment),
            *self.procedures.routes(),
        ]
        for path, read in makers.items():
            routes.append(web.post(f"/{path}", self._post(path, read)))
            routes.append(web.put(f"/{path}/{{key}}", self._put(path, read)))
        for path, offered in schema.COLLECTIONS.items():
            if offered.external:
                routes.append(web.patch(f"/{path}/{{key}}", self._patch(path)))
        return routes

    def _post(self, path: str, read: Any) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            facts = read(await form(request))
            row = self.company.create(path, **facts)
            return self._record(row, CREATED)

        return answer

    def _put(self, path: str, read: Any) -> Handler:
        """Returns a handler that replaces a record. Fields that the request lacks are removed."""

        async def answer(request: web.Request) -> web.Response:
            row = self.company.find(path, request.match_info["key"])
            fields = await form(request)
            if "id" in fields:
                raise RefusedError("id", "This form should not contain extra fields.")
            self.company.edit(row, **read(fields))
            return self._record(row)

        return answer

    def _patch(self, path: str) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            row = self.company.find(path, request.match_info["key"])
            paying.rename(self.company, self.tuning, row, await form(request))
            return self._record(row)

        return answer

    def _record(self, row: Row, status: int = 200) -> web.Response:
        drawn = self.company.details if schema.COLLECTIONS[row.collection].detail else self.company.entries
        return ready_json(drawn.raw(row), status)

    def _item(self, fields: Form) -> dict[str, Any]:
        if strange := sorted(fields.keys() - ITEM_FIELDS):
            raise RefusedError(strange[0], "This form should not contain extra fields.")
        # Strict about booleans, since clients that write items are known to send true and false.
        category = identifier(fields, "category")
        return {
            "name": required(fields, "name"),
            "sku": required(fields, "sku"),
            "description": fields.get("description"),
            "total": self._price(fields),
            "currency": fields.get("currency", "EUR"),
            "unit": fields.get("unit"),
            "supplier": self._row(fields, "supplier", "suppliers"),
            "category": {"id": category} if category else None,
            "freeOfCharge": boolean(fields, "freeOfCharge", strict=True),
            "hiddenInCatalog": (hidden := boolean(fields, "hiddenInCatalog", strict=True)),
            "enable": not hidden,
            "external_id": fields.get("externalId") or None,
            "link": fields.get("link"),
            "dataProductCustomFields": self.company.shapes.nested(written_values(self.company, fields)),
        }

    def _price(self, fields: Form) -> int:
        price = amount(fields, "price")
        if price is not None and price < 0:
            raise RefusedError("price", "This value should be positive.")
        return price or 0

    def _supplier(self, fields: Form) -> dict[str, Any]:
        known = {"currencies", "name", "enable", "externalId", "status"}
        facts: dict[str, Any] = {key: value for key, value in fields.items() if key not in known}
        currencies = fields.get("currencies", [])
        return facts | {
            "name": required(fields, "name"),
            "currencies": currencies,
            "currency": currencies[0] if currencies else "EUR",
            "enable": "enable" not in fields or boolean(fields, "enable", strict=True),
            "external_id": fields.get("externalId") or None,
        }

    def _set(self, fields: Form) -> dict[str, Any]:
        known = {"name", "enable", "externalId", "isWithholdingTax"}
        facts: dict[str, Any] = {key: value for key, value in fields.items() if key not in known}
        if "isWithholdingTax" in fields:
            facts["isWithholdingTax"] = boolean(fields, "isWithholdingTax", strict=False)
        return facts | {
            "name": required(fields, "name"),
            "enable": "enable" not in fields or boolean(fields, "enable", strict=False),
            "external_id": fields.get("externalId") or None,
        }

    def _row(self, fields: Form, name: str, collection: str) -> Row | None:
        ident = identifier(fields, name)
        if ident is None:
            return None
        try:
            return self.company.row(collection, ident)
        except MissingError:
            raise RefusedError(name, "This value is not valid.") from None

    async def pay_invoice(self, request: web.Request) -> web.Response:
        return await self._pay(request, "payments")

    async def pay_expense(self, request: web.Request) -> web.Response:
        return await self._pay(request, "expensePayments")

    async def _pay(self, request: web.Request, collection: str) -> web.Response:
        fields = await form(request)
        return self._record(paying.order(self.company, self.tuning, collection, fields), CREATED)

    async def cancel_payment(self, request: web.Request) -> web.Response:
        payment = self.company.find("payments", request.match_info["key"])
        paying.cancel(self.company, payment)
        return json(self.company.entries.fields(payment))
