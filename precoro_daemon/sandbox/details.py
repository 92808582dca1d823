"""what a detail has beyond the list entry: lines, payments, files, options"""

from collections.abc import Callable
from typing import Any

from precoro_daemon.sandbox.custom_fields import LINE_IDS, options, value
from precoro_daemon.sandbox.entries import Entries, net
from precoro_daemon.sandbox.files import attachments
from precoro_daemon.sandbox.names import words
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.schema import COLLECTIONS
from precoro_daemon.sandbox.shapes import Json, dumps

PROPOSITION = 60


class Details:
    """Draws details: the fields of the list entry, and those that only a detail has."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.shapes = entries.shapes
        self.sizes_in = 1
        """The unit of file sizes in bytes; 1,000 for a Precoro that counts in kilobytes."""

    def raw(self, row: Row) -> bytes:
        return dumps(self.fields(row))

    def fields(self, row: Row) -> Json:
        body = self.entries.fields(row)
        if COLLECTIONS[row.collection].document:
            self._document(row, body)
        else:
            _CARDS.get(row.collection, Details.nothing_more)(self, row, body)
        return body

    def _document(self, row: Row, body: Json) -> None:
        shapes = self.shapes
        # Lists and details need not agree on how they write a number.
        body["idn"] = shapes.ident(row.idn, row, 5)
        body["items"] = shapes.lines(self.lines(row), row)
        body["attachments"] = self._files(row)
        body["followers"] = shapes.nested([])
        approver = self.entries.chosen("users", row, 49) if row.approved else None
        body["lastApprover"] = shapes.reference(approver, row, 51)
        if row.collection in ("invoices", "expenses"):
            made = row.made("payments" if row.collection == "invoices" else "expensePayments")
            body["payments"] = shapes.nested([self._payment(each) for each in made])
            body["taxes"] = shapes.nested(self._taxes(row))
        if row.collection == "requestforproposals":
            body["propositions"] = shapes.nested([self.proposition(row, 0)] if row.supplier else [])

    def _files(self, row: Row) -> object:
        return self.shapes.nested([each.metadata(self.shapes, row, self.sizes_in) for each in attachments(row)])

    def _payment(self, payment: Row) -> Json:
        fields = self.entries.fields(payment)
        return {key: value for key, value in fields.items() if key not in ("invoice", "expense", "supplier")}

    def _taxes(self, row: Row) -> list[Json]:
        amount = row.total - net(row)
        tax = self.entries.chosen("taxes", row, 38)
        if amount == 0 or tax is None:
            return []
        value = self.shapes.money(amount, row, 39)
        return [{"id": self.shapes.ident(tax.id, row, 40), "name": tax.name, "taxAmount": value}]

    def lines(self, row: Row) -> list[Json]:
        """Returns document lines whose sums add up to the document's net sum."""
        given: list[Json] | None = (row.extra or {}).get("_lines")
        if given is not None:
            return given
        count = max(1, row.lines)
        share = net(row) // count
        parts = [share] * (count - 1) + [net(row) - share * (count - 1)]
        return [self._line(row, index, part) for index, part in enumerate(parts)]

    def _line(self, row: Row, index: int, amount: int) -> Json:
        shapes, shift = self.shapes, 20 + index * 3
        product = self.entries.chosen("items", row, shift)
        wanted = 1 + row.pick(shift, 12)
        quantity = wanted if amount % wanted == 0 else 1
        name = product.name if product else str(words("products")[row.pick(shift, 20)][0])
        return {
            "id": row.id * LINE_IDS + index,
            "name": name,
            "quantity": shapes.ident(quantity, row, shift),
            "price": shapes.money(amount // quantity, row, shift + 1),
            "sum": shapes.money(amount, row, shift + 2),
            "product": shapes.reference(product, row, shift),
            "sku": f"{row.pick(shift, 9_000_000) + 1_000_000:07d}",
            "dataItemCustomFields": self._line_fields(row, index),
        }

    def _line_fields(self, row: Row, index: int) -> object:
        field = self.entries.chosen("itemcustomfields", row, 30 + index)
        if field is None or row.pick(33 + index, 2):
            return self.shapes.nested([])
        reference = {"id": self.shapes.ident(field.id, row, 35), "name": field.name}
        ident = row.id * LINE_IDS + 40 + index
        drawn = value(field, row, index, self.shapes, self.entries.chosen)
        return {"data": [{"id": ident, "value": drawn, "itemCustomField": reference}]}

    def proposition(self, row: Row, index: int) -> Json:
        """Returns a supplier's answer to a request for proposals."""
        approved: list[Any] = (row.extra or {}).get("_approved", [])
        items = [{"id": line["id"], "approved": line["id"] in approved} for line in self.lines(row)]
        return {
            "id": row.id * LINE_IDS + PROPOSITION + index,
            "sum": self.shapes.money(row.total, row, 24),
            "status": row.status,
            "requestForProposal": {"id": row.id},
            "supplier": self.shapes.reference(row.supplier, row, 50),
            "items": self.shapes.nested(items),
        }

    def nothing_more(self, row: Row, body: Json) -> None:
        """Adds nothing, because the lists of this collection have all fields."""

    def supplier(self, row: Row, body: Json) -> None:
        people = words("people")[row.pick(13, len(words("people")))]
        contact = {
            "id": row.id * LINE_IDS,
            "name": " ".join(people),
            "email": f"sales{row.id}@supplier.example",
        }
        body["contacts"] = self.shapes.nested([contact] if row.pick(17, 4) else [])
        body["attachments"] = self._files(row)
        drawn = self.entries.custom_values(row, "suppliercustomfields", "supplierCustomField")
        body.setdefault("dataSupplierCustomFields", drawn)

    def contract(self, row: Row, body: Json) -> None:
        body["attachments"] = self._files(row)

    def custom_field(self, row: Row, body: Json) -> None:
        body["options"] = self.shapes.nested(options(row))

    def warehouse(self, row: Row, body: Json) -> None:
        place = self.entries.chosen("locations", row, 30)
        body["locations"] = self.shapes.nested([{"id": place.id, "name": place.name}] if place else [])

    def stock(self, row: Row, body: Json) -> None:
        product = self.entries.chosen("items", row, 32)
        line = {
            "id": row.id * LINE_IDS,
            "quantity": "3.0000",
            "product": self.shapes.reference(product, row, 34),
        }
        body["items"] = self.shapes.nested([line] if product else [])


_CARDS: dict[str, Callable[[Details, Row, Json], None]] = {
    "suppliers": Details.supplier,
    "contracts": Details.contract,
    "documentcustomfields": Details.custom_field,
    "itemcustomfields": Details.custom_field,
    "suppliercustomfields": Details.custom_field,
    "warehouses": Details.warehouse,
    "stocktransfers": Details.stock,
    "stock_takings": Details.stock,
}
