"""two years of consistent documents and payments, drawn from a seed"""

from collections.abc import Callable

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.founding import DAY, Founding, RowsByCollection, number_ids
from precoro_daemon.sandbox.options import SandboxOptions
from precoro_daemon.sandbox.rows import Row

_ORDER_STATUSES = (
    (schema.APPROVED, schema.PENDING, schema.CLOSED, schema.OPEN, schema.DENIED, schema.ON_REVISE,
     schema.CANCELED, schema.AWAITING_CONFIRMATION, schema.PENDING_RECEIPT, schema.APPROVAL_REVIEW,
     schema.UNKNOWN_STATUS),
    (46, 13, 13, 6, 5, 4, 5, 3, 2, 2, 1),
)  # fmt: skip
_INVOICE_STATUSES = (
    (schema.APPROVED, schema.PAID, schema.PARTLY_PAID, schema.PENDING, schema.DENIED, schema.ON_REVISE,
     schema.CANCELED),
    (30, 38, 10, 12, 4, 3, 3),
)  # fmt: skip
_SIMPLE_STATUSES = ((schema.APPROVED, schema.PENDING, schema.DENIED, schema.CLOSED), (64, 18, 6, 12))

PAYABLE = (schema.APPROVED, schema.PARTLY_PAID)
UNLIMITED = 10**9


class History:
    """Draws documents in the order a company makes them: requisition, order, receipt, invoice, payment."""

    def __init__(self, founding: Founding) -> None:
        self.founding = founding
        self.random = founding.random
        self.rows_by_collection = founding.rows_by_collection

    def documents(self) -> RowsByCollection:
        rows = self.founding.options.rows
        for collection, complete in _COMPLETE.items():
            moments = self.founding.days(rows(collection))
            self.rows_by_collection[collection] = [self._document(collection, moment) for moment in moments]
            for row in self.rows_by_collection[collection]:
                complete(self, row)
        self._split_some_invoices()
        self._pay("invoices", "payments")
        self._pay("expenses", "expensePayments")
        self._number()
        return self.rows_by_collection

    def _document(self, collection: str, created: int) -> Row:
        row = self.founding.new_row(collection, created)
        row.required = created // DAY * DAY + (7 + row.pick(5, 40)) * DAY
        row.lines = 1 + row.pick(11, 6)
        row.total = int(10 ** (self.random.random() * 4 + 3)) + row.pick(17, 100)
        row.currency = self.founding.currency()
        if self.random.random() < 0.22:
            row.files = 1 + row.pick(23, 3)
        if self.random.random() < 0.15:
            row.external_id = f"{collection[:3].upper()}-{row.pick(2, 900_000) + 100_000}"
        if self.random.random() < 0.05:
            row.log = "Supplier is not mapped in the ledger"
        return row

    def settle(self, row: Row, statuses: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        """Sets a status, and whether and when the document was approved."""
        row.status = self.random.choices(*statuses)[0]
        if row.status not in (schema.OPEN, schema.PENDING, schema.DENIED, schema.ON_REVISE):
            row.approved = min(row.created + 3_600 + row.pick(9, 5 * DAY), self.founding.today)
            row.updated = max(row.updated, row.approved)

    def _order_before(self, row: Row) -> Row | None:
        """Returns a purchase order that is older than the row, or None. The lists are sorted by age."""
        orders = self.rows_by_collection["purchaseorders"]
        low, high = 0, len(orders)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if orders[middle].created < row.created else (low, middle)
        return orders[int(self.random.random() * low)] if low else None

    def requisition(self, row: Row) -> None:
        self.settle(row, _SIMPLE_STATUSES)

    def order(self, row: Row) -> None:
        self.settle(row, _ORDER_STATUSES)
        row.supplier = self.founding.choose("suppliers")

    def receipt(self, row: Row) -> None:
        self.settle(row, _SIMPLE_STATUSES)
        row.origin = self._order_before(row)
        if row.origin:
            row.origin.link(row)
            row.origin.updated = max(row.origin.updated, row.created)
            row.supplier, row.currency = row.origin.supplier, row.origin.currency

    def invoice(self, row: Row) -> None:
        self.settle(row, _INVOICE_STATUSES)
        row.supplier = self.founding.choose("suppliers")
        kind = self.random.random()
        if kind < 0.06:
            row.logic = schema.CREDIT_NOTE if kind < 0.04 else schema.CREDIT_NOTE_TOO
            row.status = schema.APPROVED if row.status in (schema.PAID, schema.PARTLY_PAID) else row.status
        elif kind < 0.66:
            self._invoice_of(row, self._order_before(row))

    def _invoice_of(self, row: Row, order: Row | None) -> None:
        if order is None:
            return
        row.logic, row.origin = schema.FROM_ORDER, order
        row.supplier, row.currency = order.supplier, order.currency
        order.link(row)

    def expense(self, row: Row) -> None:
        self.settle(row, _INVOICE_STATUSES)

    def simple(self, row: Row) -> None:
        self.settle(row, _SIMPLE_STATUSES)
        if row.collection == "requestforproposals":
            row.supplier = self.founding.choose("suppliers")

    def _split_some_invoices(self) -> None:
        """Makes the one or two invoices after every 19th invoice the parts into which it was split."""
        invoices = self.rows_by_collection["invoices"]
        for index in range(9, len(invoices) - 2, 19):
            parent = invoices[index]
            if parent.logic in (schema.CREDIT_NOTE, schema.CREDIT_NOTE_TOO):
                continue
            for child in invoices[index + 1 : index + 2 + parent.pick(31, 2)]:
                if child.origin and child.origin.linked:
                    child.origin.linked.remove(child)
                child.split_of, child.origin = parent, None
                child.logic, child.supplier, child.currency = 0, parent.supplier, parent.currency
                child.status = schema.APPROVED
                parent.link(child)
        for row in invoices:
            if row.split_of and row.approved == 0:
                row.approved = min(row.created + 3_600, self.founding.today)
                row.updated = max(row.updated, row.approved)

    def _pay(self, collection: str, payments: str) -> None:
        """Creates payments that add up to what their documents state as paid, up to the allowed number of rows."""
        made = self.rows_by_collection.setdefault(payments, [])
        allowed = self.founding.options.counts.get(payments, UNLIMITED)
        for row in self.rows_by_collection[collection]:
            if row.status not in (schema.PAID, schema.PARTLY_PAID):
                continue
            amounts = self._amounts(row)
            if len(made) + len(amounts) > allowed:
                row.status = schema.APPROVED
                continue
            row.paid = sum(amounts)
            made += [self._payment(payments, row, amount) for amount in amounts]
            if row.pick(41, 9) == 0 and len(made) < allowed:
                made.append(self._payment(payments, row, row.total, schema.CANCELED))
        made.sort(key=lambda payment: payment.created)

    def _amounts(self, row: Row) -> list[int]:
        parts = [row.total] if row.pick(37, 3) else [row.total * 2 // 5, row.total - row.total * 2 // 5]
        return parts if row.status == schema.PAID else [max(1, row.total // 3)]

    def _payment(self, payments: str, row: Row, amount: int, status: int = schema.PAID) -> Row:
        span = max(1, self.founding.today - row.created - 60)
        payment = self.founding.new_row(payments, row.created + 30 + int(self.random.random() * span))
        payment.status, payment.total, payment.origin = status, amount, row
        payment.supplier, payment.currency = row.supplier, row.currency
        payment.logic = 1 if payment.pick(13, 11) == 0 else 0
        row.link(payment)
        row.updated = max(row.updated, payment.updated)
        return payment

    def _number(self) -> None:
        """Assigns an idn to each row. Half of the splits share the parent's."""
        for collection, rows in self.rows_by_collection.items():
            if schema.COLLECTIONS[collection].key != "idn":
                continue
            free = 1
            for row in rows:
                shared = row.split_of is not None and row.split_of.pick(3, 2) == 0
                row.idn = row.split_of.idn if row.split_of and shared else free
                free += 0 if shared else 1 + (row.pick(29, 12) == 0)


_COMPLETE: dict[str, Callable[[History, Row], None]] = {
    "purchaserequisitions": History.requisition,
    "purchaseorders": History.order,
    "receipts": History.receipt,
    "invoices": History.invoice,
    "expenses": History.expense,
    "warehouserequests": History.simple,
    "requestforproposals": History.simple,
}


def found(options: SandboxOptions, start: float) -> tuple[RowsByCollection, int]:
    """Returns the whole company with its ids, and the next free id."""
    founding = Founding(options, start)
    founding.reference_data()
    rows_by_collection = History(founding).documents()
    return rows_by_collection, number_ids(rows_by_collection, founding.random)
