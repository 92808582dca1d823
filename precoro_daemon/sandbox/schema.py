"""the collections and what each of them offers, as a table"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Collection:
    """One list endpoint. `key` is the field that addresses a record in a path."""

    path: str
    key: Literal["id", "idn"] = "id"
    detail: bool = False
    document: bool = False
    external: bool = False
    """Whether PATCH sets externalId."""
    meta: bool = True
    """Whether the list has `meta`. Without it, all rows are on one page."""


COLLECTIONS: dict[str, Collection] = {
    each.path: each
    for each in (
        Collection("purchaseorders", "idn", detail=True, document=True, external=True),
        Collection("invoices", "idn", detail=True, document=True, external=True),
        Collection("receipts", "idn", detail=True, document=True),
        Collection("expenses", "idn", detail=True, document=True),
        Collection("purchaserequisitions", "idn", detail=True, document=True),
        Collection("warehouserequests", "idn", detail=True, document=True),
        Collection("requestforproposals", "idn", detail=True, document=True),
        Collection("payments", "idn", external=True),
        Collection("expensePayments", "idn"),
        Collection("suppliers", detail=True, external=True),
        Collection("items", detail=True, external=True),
        Collection("contracts", detail=True),
        Collection("documentcustomfields", detail=True),
        Collection("itemcustomfields", detail=True),
        Collection("suppliercustomfields", detail=True),
        Collection("taxes", external=True),
        Collection("paymentterms", external=True),
        Collection("locations", external=True),
        Collection("legalentities", external=True, meta=False),
        Collection("users"),
        Collection("warehouses", detail=True),
        Collection("units"),
        Collection("budgets"),
        Collection("stocktransfers", detail=True),
        Collection("stock_takings", detail=True),
    )
}
DOCUMENTS = tuple(path for path, each in COLLECTIONS.items() if each.document)
CUSTOM_FIELDS = ("documentcustomfields", "itemcustomfields", "suppliercustomfields")

OPEN, PENDING, APPROVED, DENIED, PARTLY_PAID, PAID = 0, 1, 2, 3, 4, 5
AWAITING_CONFIRMATION, ON_REVISE, CANCELED, PENDING_RECEIPT, APPROVAL_REVIEW, CLOSED = 6, 7, 8, 9, 10, 11
UNKNOWN_STATUS = 17
"""A status that no published table explains. A client keeps it as it is."""

STATUS_NAMES = {
    OPEN: "open", PENDING: "pending", APPROVED: "approved", DENIED: "denied", PARTLY_PAID: "partly paid",
    PAID: "paid", AWAITING_CONFIRMATION: "awaiting confirmation", ON_REVISE: "on revise",
    CANCELED: "canceled", PENDING_RECEIPT: "pending receipt", APPROVAL_REVIEW: "approval review",
    CLOSED: "closed",
}  # fmt: skip

STANDARD, CREDIT_NOTE, FROM_ORDER, CREDIT_NOTE_TOO = 0, 1, 2, 5
"""The `logicType` of an invoice. 1 and 5 both mean a credit note."""
