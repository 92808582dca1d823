"""list entries of documents, drawn from a row's facts"""

from collections.abc import Callable, Mapping, Sequence

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.cards import Cards
from precoro_daemon.sandbox.custom_fields import LINE_IDS, value
from precoro_daemon.sandbox.names import words
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import Json, Shapes, dumps

_STEP = (
    b'{"id":1%06d,"position":1%02d,"user":{"id":1%06d,"name":"Olena Koval"},"action":"approve",'
    b'"date":"2026-01-15T09:%02d:00","comment":null}'
)
_STEP_BYTES = len(_STEP % (0, 0, 0, 0)) + 1


def _steps(number: int, room: int) -> bytes:
    """Returns approval steps of about `room` bytes. Real records are long because of many fields, not of one long
    text.
    """
    return b",".join(_STEP % (number, step, step, step % 60) for step in range(1 + room // _STEP_BYTES))


class Entries:
    """Draws and caches the JSON of list entries.

    founders  the rows that exist at the start
    """

    def __init__(self, shapes: Shapes, founders: Mapping[str, Sequence[Row]], record_bytes: int = 0) -> None:
        self.shapes = shapes
        self.founders = founders
        self.cards = Cards(shapes, self.chosen)
        self._record_bytes = record_bytes
        self._notes = words("notes")

    def chosen(self, collection: str, row: Row, shift: int) -> Row | None:
        """Returns a record of `collection` from the start. The same row always gets the same one."""
        known = self.founders.get(collection)
        return known[row.pick(shift, len(known))] if known else None

    def raw(self, row: Row) -> bytes:
        """Returns the list entry as JSON. It is drawn at first use and cached until the row changes."""
        if row.raw is None:
            raw = dumps(self.fields(row))
            missing = self._record_bytes - len(raw)
            if missing > 0 and schema.COLLECTIONS[row.collection].document:
                raw = b'%b,"approvalHistory":[%b]}' % (raw[:-1], _steps(row.id, missing))
            row.raw = raw
        return row.raw

    def fields(self, row: Row) -> Json:
        """Returns all fields of the list entry."""
        build = _DOCUMENTS.get(row.collection)
        body = self._document(row) if build else self.cards.fields(row)
        if build:
            build(self, row, body)
        if row.extra:
            body.update((key, value) for key, value in row.extra.items() if not key.startswith("_"))
        return body

    def _document(self, row: Row) -> Json:
        shapes = self.shapes
        place, person = self.chosen("locations", row, 6), self.chosen("users", row, 10)
        body: Json = {
            "id": row.id,
            "idn": shapes.ident(row.idn, row, 4),
            "customName": f"{schema.COLLECTIONS[row.collection].path}#{row.idn}",
            "createDate": shapes.time(row.created, row, 8),
            "updateDate": shapes.time(row.updated, row, 12),
            "requiredDate": shapes.time(row.required, row, 16),
            "approvalDate": shapes.time(row.approved, row, 20),
            "status": row.status,
            "currency": row.currency,
            "sum": shapes.money(row.total, row, 24),
            "netSum": shapes.money(net(row), row, 28),
            "sumInCompanyCurrency": shapes.money(row.total, row, 32),
            "exchangeRate": 1,
            "note": self._notes[row.pick(14, len(self._notes))],
            "externalId": row.external_id,
            "externalIntegrationLog": row.log,
            "approvingWay": "default",
            "location": shapes.reference(place, row, 36),
            "legalEntity": shapes.reference(self.chosen("legalentities", row, 18), row, 40),
            "creator": shapes.reference(person, row, 44),
            "lastEditor": shapes.reference(person if row.updated > row.created else None, row, 46),
            "dataDocumentCustomFields": self.custom_values(row, "documentcustomfields", "documentCustomField"),
        }
        if shapes.loose:
            _drift(row, body)
        return body

    def custom_values(self, row: Row, collection: str, name: str) -> object:
        """Returns the values of a record's custom fields, each of its field's type."""
        known = self.founders.get(collection) or ()
        values = [
            {
                "id": row.id * LINE_IDS + 80 + index,
                "value": value(field, row, 9 + index, self.shapes, self.chosen),
                name: self.shapes.reference(field, row, 26 + index),
            }
            for index, field in enumerate(known)
            if (row.salt >> (30 + index)) % 3 == 0
        ]
        return self.shapes.nested(values)

    def order(self, row: Row, body: Json) -> None:
        body |= {
            "logicType": row.pick(48, 3),
            "supplier": self.shapes.reference(row.supplier, row, 50),
            "invoicedSum": self.shapes.money(sum(each.total for each in row.made("invoices")), row, 52),
            "statusReceiving": int(bool(row.made("receipts"))),
            "isServiceOrder": row.pick(54, 5) == 0,
            "deliverToName": None,
            "relatedReceipts": [
                {"id": each.id, "idn": self.shapes.ident(each.idn, each, 4)} for each in row.made("receipts")
            ],
        }

    def invoice(self, row: Row, body: Json) -> None:
        shapes = self.shapes
        body |= {
            "logicType": row.logic,
            "supplier": shapes.reference(row.supplier, row, 50),
            "sumPaid": shapes.money(row.paid, row, 52),
            "sumPaidInCompanyCurrency": shapes.money(row.paid, row, 55),
            "invoiceNumber": f"INV/{row.pick(21, 90_000) + 10_000}",
            "issueDate": shapes.time(row.created // 86_400 * 86_400, row, 16),
            "integrationStatus": 8 if row.pick(57, 15) == 0 else row.pick(57, 4),
            "purchaseOrder": shapes.reference(row.origin, row, 22),
            "fromSupplier": row.pick(33, 6) == 0,
            "deliveryNote": "",
            "qboId": None,
        }
        if row.split_of is not None:
            parent = row.split_of
            body["parentData"] = {"id": parent.id, "idn": shapes.ident(parent.idn, row, 27)}
        elif shapes.loose and row.pick(59, 2):
            body["parentData"] = shapes.nothing(row, 35)

    def receipt(self, row: Row, body: Json) -> None:
        body["receiptNumber"] = None if row.pick(51, 3) else f"R-{row.idn}"
        # Absent rather than loosely empty: SDKs test this one for None alone.
        if row.origin is not None:
            body["purchaseOrder"] = {"id": row.origin.id, "idn": self.shapes.ident(row.origin.idn, row, 22)}
        body["warehouse"] = self.shapes.reference(self.chosen("warehouses", row, 53), row, 56)

    def expense(self, row: Row, body: Json) -> None:
        body["sumPaid"] = self.shapes.money(row.paid, row, 52)
        body["expenseNumber"] = f"E{row.idn:05d}" if row.pick(51, 4) else None
        body["isBudgetOverLimit"] = row.pick(58, 9) == 0

    def requisition(self, row: Row, body: Json) -> None:
        body["punchoutType"] = None
        body["budget"] = self.shapes.reference(self.chosen("budgets", row, 51), row, 56)

    def warehouse_request(self, row: Row, body: Json) -> None:
        body["statusTransferred"] = row.pick(51, 3)
        body["warehouse"] = self.shapes.reference(self.chosen("warehouses", row, 53), row, 56)

    def proposal(self, row: Row, body: Json) -> None:
        body["supplier"] = self.shapes.reference(row.supplier, row, 50)
        body["deliveryDate"] = self.shapes.time(row.required, row, 53)


def net(row: Row) -> int:
    """Returns the amount without tax. Every fourth document is untaxed."""
    return row.total if row.pick(34, 4) == 0 else row.total * 5 // 6


def _drift(row: Row, body: Json) -> None:
    """Adds and removes fields, as the API does without notice between versions."""
    if row.pick(42, 11) == 0:
        del body["approvingWay"], body["note"]
    if row.pick(43, 7) == 0:
        body["aiSummary"] = {"score": row.pick(3, 100), "labels": [], "model": None}
    if row.pick(47, 5) == 0:
        body["allDocumentCustomFieldOptionsIds"] = [row.pick(2, 9_000), str(row.pick(3, 9_000))]


_DOCUMENTS: dict[str, Callable[[Entries, Row, Json], None]] = {
    "purchaseorders": Entries.order,
    "invoices": Entries.invoice,
    "receipts": Entries.receipt,
    "expenses": Entries.expense,
    "purchaserequisitions": Entries.requisition,
    "warehouserequests": Entries.warehouse_request,
    "requestforproposals": Entries.proposal,
}
