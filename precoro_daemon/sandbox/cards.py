"""list entries of payments, suppliers, catalogue items, fields and small sets"""

from collections.abc import Callable
from typing import Protocol

from precoro_daemon.sandbox.custom_fields import definition, value
from precoro_daemon.sandbox.names import words
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import Json, Shapes


class Chooser(Protocol):
    def __call__(self, collection: str, row: Row, shift: int) -> Row | None: ...


class Cards:
    """Draws the fields of every record that is not a document."""

    def __init__(self, shapes: Shapes, chosen: Chooser) -> None:
        self.shapes = shapes
        self.chosen = chosen

    def fields(self, row: Row) -> Json:
        body: Json = {"id": row.id}
        _KINDS.get(row.collection, Cards.plain)(self, row, body)
        return body

    def plain(self, row: Row, body: Json) -> None:
        """Adds the fields of small sets such as taxes, locations and units."""
        body |= {
            "name": row.name,
            "createDate": self.shapes.time(row.created, row, 8),
            "updateDate": self.shapes.time(row.updated, row, 12),
            "enable": row.enable,
            "externalId": row.external_id,
        }

    def payment(self, row: Row, body: Json) -> None:
        shapes = self.shapes
        body |= {
            "idn": shapes.ident(row.idn, row, 4),
            "createDate": shapes.time(row.created, row, 8),
            "updateDate": shapes.time(row.updated, row, 12),
            "payDate": shapes.time(row.required or row.created, row, 16),
            "sumPaid": shapes.money(row.total, row, 24),
            "status": row.status,
            "currency": row.currency,
            "creator": shapes.reference(self.chosen("users", row, 10), row, 44),
        }
        if row.origin is not None:
            name = "invoice" if row.collection == "payments" else "expense"
            body[name] = {
                "id": shapes.ident(row.origin.id, row, 28),
                "idn": shapes.ident(row.origin.idn, row, 32),
            }
        if row.collection == "payments":
            body["logicType"] = row.logic
            body["prepayment"] = row.logic == 1
            body["externalId"] = row.external_id
            body["supplier"] = shapes.reference(row.supplier, row, 50)

    def supplier(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        body |= {
            "uniqueCode": f"S-{row.pick(5, 90_000) + 10_000}",
            "approvalDate": self.shapes.time(row.approved, row, 20),
            "status": row.status,
            "currency": row.currency,
            "currencies": [row.currency] if row.pick(23, 3) else [row.currency, "CHF"],
            "country": ("DE", "UA", "US", "JP", "")[row.pick(27, 5)],
            "phone": None if row.pick(29, 3) else "+49 (0)30 1234-56",
            "minimumSum": self.shapes.money(row.pick(31, 50_000), row, 33) if row.pick(35, 2) else None,
            "taxPayer": row.pick(37, 2) == 0,
        }

    def item(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        del body["enable"]
        fields = self.chosen("itemcustomfields", row, 41)
        values = []
        if fields is not None and row.pick(43, 3) == 0:
            field = {"id": self.shapes.ident(fields.id, row, 45), "name": fields.name}
            drawn = value(fields, row, 3, self.shapes, self.chosen)
            values = [{"id": row.id * 100 + 80, "value": drawn, "itemCustomField": field}]
        body |= {
            "sku": f"{row.pick(5, 9_000_000) + 1_000_000:07d}-{row.pick(7, 90):02d}",
            "description": words("notes")[row.pick(14, len(words("notes")))],
            "price": self.shapes.money(row.total, row, 24) if row.total else None,
            "currency": row.currency,
            "freeOfCharge": row.pick(26, 40) == 0,
            "hiddenInCatalog": not row.enable,
            "category": self.shapes.nothing(row, 30),
            "supplier": self.shapes.reference(row.supplier, row, 50),
            "dataProductCustomFields": self.shapes.nested(values),
        }

    def contract(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        body |= {
            "number": row.name,
            "beginDate": self.shapes.time(row.created, row, 16),
            "endDate": self.shapes.time(row.created + 365 * 86_400, row, 20) if row.pick(24, 3) else None,
            "prolongation": row.pick(26, 2) == 0,
            "note": "",
            "supplier": self.shapes.reference(row.supplier, row, 50),
            "legalEntity": self.shapes.reference(self.chosen("legalentities", row, 18), row, 40),
        }
        del body["name"]

    def custom_field(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        body |= {
            "description": None,
            "required": row.pick(22, 4) == 0,
            "position": row.pick(24, 20),
        } | definition(row)

    def user(self, row: Row, body: Json) -> None:
        first, _, last = row.name.partition(" ")
        self.plain(row, body)
        del body["name"], body["externalId"]
        body |= {
            "email": f"user{row.id}@sandbox.example",
            "firstname": first,
            "lastname": last,
            "position": words("positions")[row.pick(20, len(words("positions")))],
            "locale": ("en", "uk", "de")[row.pick(22, 3)],
            "location": self.shapes.reference(self.chosen("locations", row, 24), row, 26),
            "roles": ["ROLE_USER"] if row.pick(28, 3) else ["ROLE_USER", "ROLE_ADMIN"],
        }

    def term(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        body["creditPeriodDays"] = (30, 14, 0, "30", 60)[row.pick(20, 5)] if self.shapes.loose else 30
        body["postpaymentPercent"] = "100.00" if row.pick(22, 2) and self.shapes.loose else 100
        body["prepaymentPercent"] = 0

    def warehouse(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        body["uniqueCode"] = None if row.pick(20, 3) else f"W{row.pick(22, 90) + 10}"
        body["type"] = "warehouse"

    def budget(self, row: Row, body: Json) -> None:
        self.plain(row, body)
        body["sum"] = self.shapes.money(row.pick(20, 50_000_000), row, 22)
        body["parentBudgetId"] = None

    def stock(self, row: Row, body: Json) -> None:
        """Adds the fields of stock transfers and stock-takings."""
        self.plain(row, body)
        del body["name"], body["externalId"], body["enable"]
        body["status"] = row.status
        body["creator"] = self.shapes.reference(self.chosen("users", row, 10), row, 44)
        body["warehouse"] = self.shapes.reference(row.origin, row, 46)
        if row.collection == "stocktransfers":
            body["fromWarehouse"] = body.pop("warehouse")
            body["toWarehouse"] = self.shapes.reference(self.chosen("warehouses", row, 30), row, 48)


_KINDS: dict[str, Callable[[Cards, Row, Json], None]] = {
    "payments": Cards.payment,
    "expensePayments": Cards.payment,
    "suppliers": Cards.supplier,
    "items": Cards.item,
    "contracts": Cards.contract,
    "documentcustomfields": Cards.custom_field,
    "itemcustomfields": Cards.custom_field,
    "suppliercustomfields": Cards.custom_field,
    "users": Cards.user,
    "paymentterms": Cards.term,
    "warehouses": Cards.warehouse,
    "budgets": Cards.budget,
    "stocktransfers": Cards.stock,
    "stock_takings": Cards.stock,
}
