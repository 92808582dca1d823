"""the columns of collections and of document lines"""

from __future__ import annotations

from collections.abc import Mapping

from precoro_daemon.adapters.state.view_columns import (
    Column,
    Columns,
    Kind,
    base_money,
    date,
    decimal,
    money,
    own,
    person,
    reference,
    text,
)

_ITS_NAME = text("name", "name", "its name")
_CURRENCY = text("currency", "currency", "ISO 4217 code of its amounts")
_CREATED = Column("created_at", Kind.TIMESTAMP, "when it was created, in UTC", "createDate")
_APPROVED = Column("approved_at", Kind.TIMESTAMP, "when it was approved, in UTC", "approvalDate")
_REQUIRED = date("required_date", "requiredDate", "when it is wanted")
_DUE = date("due_date", "requiredDate", "when it is due")
_ISSUED = date("issue_date", "issueDate", "when it was issued")
_ENABLED = Column("enabled", Kind.BOOLEAN, "whether it is in use", "enable")
_SUPPLIER = reference("supplier", "supplier", "suppliers")
_LEGAL_ENTITY = reference("legal_entity", "legalEntity", "legal_entities")
_LOCATION = reference("location", "location", "locations")
_ORDER_ID = Column("purchase_order_id", Kind.INTEGER, "joins `purchase_orders.id`", "purchaseOrder.id")
_SUM = money("sum", "sum", "its amount, taxes included")
_NET_SUM = money("net_sum", "netSum", "its amount without taxes")
_STATUS_NAME = Column("status_name", Kind.TEXT, "the status as people call it", how="status")

DOCUMENT_FIELDS: Columns = (
    Column("kind", Kind.TEXT, "`invoice`, `credit note`, `purchase order`, …", how="kind"),
    _STATUS_NAME,
    *_SUPPLIER,
    _CREATED,
    _APPROVED,
    *person("requester", "creator", "who made it, by name"),
    *person("approver", "lastApprover", "who approved it last, by name", source="detail_"),
    *_LEGAL_ENTITY,
    *_LOCATION,
    *reference("budget", "budget", "budgets"),
    _CURRENCY,
    *_SUM,
    *_NET_SUM,
    *base_money("base_sum", "sumInCompanyCurrency", "`sum` in the company's own currency"),
    decimal(
        "exchange_rate", "exchangeRate", "the rate between `currency` and the company's own, as Precoro gives it"
    ),
)
"""The columns of all documents; some kinds leave some of them empty."""

_PAID: Columns = (
    *money("sum_paid", "sumPaid", "what was paid of it"),
    *base_money("base_sum_paid", "sumPaidInCompanyCurrency", "`sum_paid` in the company's own currency"),
    Column(
        "open_sum",
        Kind.DECIMAL,
        "what is left to pay (`sum` less `sum_paid`) while approved or partly paid; empty otherwise",
        how="open_sum",
    ),
    Column("open_minor", Kind.INTEGER, "`open_sum` in whole minor units of `currency`", how="open_minor"),
    Column(
        "last_paid_date",
        Kind.DATE,
        "day of the latest payment that was not canceled, by the document's detail",
        how="last_paid_date",
    ),
)
_OF_PAYMENT: Columns = (
    _STATUS_NAME,
    _CREATED,
    date("pay_date", "payDate", "when it was paid"),
    *money("sum_paid", "sumPaid", "what was paid"),
    Column(
        "currency",
        Kind.TEXT,
        "ISO 4217 code; its document's where the payment has none",
        "currency",
        owner="currency",
    ),
    *person("requester", "creator", "who made it, by name"),
)
_PAYS_EXPENSE: Columns = (
    Column("expense_id", Kind.INTEGER, "joins `expenses.id`", "expense.id"),
    Column("expense_idn", Kind.INTEGER, "number of the expense, as people see it", "expense.idn"),
)
_PAYS_INVOICE: Columns = (
    Column("invoice_id", Kind.INTEGER, "joins `invoices_and_credit_notes.id`", "invoice.id"),
    Column("invoice_idn", Kind.INTEGER, "number of the invoice, as people see it", "invoice.idn"),
    *reference("supplier", "supplier", "suppliers", owner=True),
    Column("is_prepayment", Kind.BOOLEAN, "whether it was paid in advance", "prepayment"),
)
_SMALL_SET: Columns = (_ITS_NAME, _CREATED, _ENABLED)

_OF_COLLECTION: Mapping[str, Columns] = {
    "purchase_orders": (_ITS_NAME, _REQUIRED, *money("invoiced_sum", "invoicedSum", "what was invoiced of it")),
    "invoices": (
        text("invoice_number", "invoiceNumber", "the supplier's number"),
        _ISSUED,
        _DUE,
        *_PAID,
        text("payment_term", "paymentTerm.name", "name of the payment term"),
        _ORDER_ID,
        Column(
            "split_of_id", Kind.INTEGER, "the invoice of which it is a part: joins `invoices.id`", "parentData.id"
        ),
    ),
    "receipts": (text("receipt_number", "receiptNumber", "its own number"), _REQUIRED, _ORDER_ID),
    "expenses": (text("expense_number", "expenseNumber", "its own number"), _ISSUED, _DUE, *_PAID),
    "purchase_requisitions": (_ITS_NAME, _REQUIRED),
    "warehouse_requests": (_REQUIRED,),
    "requests_for_proposals": (_ITS_NAME, _REQUIRED, date("delivery_date", "deliveryDate", "when it is delivered")),
    "payments": (*_PAYS_INVOICE, *_OF_PAYMENT),
    "expense_payments": (*_PAYS_EXPENSE, *_OF_PAYMENT),
    "suppliers": (
        *_SMALL_SET,
        text("unique_code", "uniqueCode", "the company's own code of it"),
        _APPROVED,
        _CURRENCY,
        *money("minimum_sum", "minimumSum", "the least that may be ordered"),
        text("country", "country", "its country"),
        text("tax_number", "taxPayerNumber", "its number with the tax office"),
    ),
    "items": (
        text("sku", "sku", "the supplier's number of it"),
        _ITS_NAME,
        _CREATED,
        *money("price", "price", "what one of it costs"),
        _CURRENCY,
        text("unit", "unit", "what is counted"),
        *_SUPPLIER,
        text("category", "category.name", "name of the category"),
        Column("hidden", Kind.BOOLEAN, "whether the catalogue hides it", "hiddenInCatalog"),
    ),
    "contracts": (
        text("number", "number", "its number"),
        _CREATED,
        date("begin_date", "beginDate", "when it begins"),
        date("end_date", "endDate", "when it ends"),
        *_SUPPLIER,
        *_LEGAL_ENTITY,
        _ENABLED,
    ),
    "users": (
        Column("name", Kind.TEXT, "first and last name", "", how="own_person"),
        text("email", "email", "the address they log in with"),
        text("first_name", "firstname", "first name"),
        text("last_name", "lastname", "last name"),
        text("position", "position", "what they are in the company"),
        *_LOCATION,
        _CREATED,
        _ENABLED,
    ),
    "taxes": (*_SMALL_SET, decimal("percent", "percent", "the rate in per cent")),
    "payment_terms": (
        *_SMALL_SET,
        Column("credit_days", Kind.INTEGER, "days after which it is due", "creditPeriodDays"),
        decimal("prepayment_percent", "prepaymentPercent", "what is paid in advance, in per cent"),
    ),
    "budgets": (
        *_SMALL_SET,
        decimal("sum", "sum", "what may be spent"),
        decimal("available_sum", "availableSum", "what is left of it"),
        date("start_date", "startDate", "when it begins"),
        date("end_date", "endDate", "when it ends"),
    ),
    "stock_transfers": (
        _CREATED,
        *person("requester", "creator", "who made it, by name"),
        *reference("from_warehouse", "fromWarehouse", "warehouses"),
        *reference("to_warehouse", "toWarehouse", "warehouses"),
    ),
    "stock_takings": (
        _CREATED,
        *person("requester", "creator", "who made it, by name"),
        *reference("warehouse", "warehouse", "warehouses"),
    ),
}


def fields_of(collection: str) -> Columns:
    """Returns the columns from the JSON of its records, without those that all documents have."""
    return _OF_COLLECTION.get(collection, _SMALL_SET)


LINE_FIELDS: Columns = (
    Column("item_id", Kind.INTEGER, "the catalogue's item: joins `items.id`", "product.id"),
    text("sku", "sku", "the supplier's number of what was ordered"),
    _ITS_NAME,
    decimal("quantity", "quantity", "how many"),
    decimal("price", "price", "what one costs"),
    *money("sum", "sum", "its amount without taxes"),
)
"""The columns from a line's own JSON."""

VANISHED = own(
    "vanished_at", Kind.TIMESTAMP, "when the program found that Precoro no longer has it; empty while it does"
)
DATA = own("data", Kind.JSON, "the JSON as Precoro gave it, with every digit and every unknown field")
COLLECTION = own("collection", Kind.TEXT, "the collection that it is of")
DOCUMENT_ID = own("document_id", Kind.INTEGER, "the document: joins `id` of its view")
LINE_ID = own("line_id", Kind.INTEGER, "Precoro's own number of the line")
DOCUMENT_IDN = own("document_idn", Kind.INTEGER, "number of the document, as people see it")

RECORD_HEAD: Columns = (
    own("id", Kind.INTEGER, "Precoro's own number of it, the same for ever"),
    own("idn", Kind.INTEGER, "the number that people see (text where it is no plain number)"),
    own("status", Kind.INTEGER, "Precoro's number of its status"),
    own("updated_at", Kind.TIMESTAMP, "when Precoro last changed it, in UTC"),
    own("external_id", Kind.TEXT, "what another system calls it (Precoro's `externalId`)"),
    VANISHED,
)
RECORD_TAIL: Columns = (
    DATA,
    own(
        "detail",
        Kind.JSON,
        "the JSON of the document itself, with lines, payments and attachments; empty until fetched",
    ),
    own("fetched_at", Kind.TIMESTAMP, "when `detail` was fetched, in UTC"),
    own("changed_at", Kind.TIMESTAMP, "when the program last saw it change, in UTC"),
)
LINE_HEAD: Columns = (
    DOCUMENT_ID,
    DOCUMENT_IDN,
    own("position", Kind.INTEGER, "1, 2, … within the document"),
    LINE_ID,
)
LINE_TAIL: Columns = (own("currency", Kind.TEXT, "ISO 4217 code of the document's amounts"), VANISHED, DATA)
