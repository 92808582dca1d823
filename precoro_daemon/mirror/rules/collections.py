"""the collections that Precoro offers: path, key, detail, lines; data, not code"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Key = Literal["id", "idn"]


class Collection(Struct, frozen=True):
    """One list endpoint of the Precoro REST API.

    name     our name for it: in the configuration, the log, the views
    path     below the API's origin, with the leading slash
    key      which of a record's two names addresses its detail
    detail   whether GET {path}/{key} returns more than the list
    small    few rows in any company: always listed whole, because one page holds them all
    files    whether its details may name attached files
    lines    the field of the detail that holds its lines, "" if it has none
    filters  which of the user's filters the endpoint supports
    """

    name: str
    path: str
    key: Key = "id"
    detail: bool = False
    small: bool = False
    files: bool = False
    lines: str = ""
    filters: frozenset[str] = frozenset({"modified_since"})

    @property
    def is_document(self) -> bool:
        """Documents have a per-company number (idn) and a detail; they get details by default."""
        return self.key == "idn" and self.detail


_DOCUMENT_FILTERS = frozenset(
    {"modified_since", "status", "approved_from", "approved_to", "supplier", "attached_files_only"}
)


def _document(name: str, path: str, lines: str = "items") -> Collection:
    return Collection(name, path, key="idn", detail=True, files=True, lines=lines, filters=_DOCUMENT_FILTERS)


def _small(name: str, path: str) -> Collection:
    return Collection(name, path, small=True)


_EVERY_COLLECTION = (
    _document("purchase_orders", "/purchaseorders"),
    _document("invoices", "/invoices"),
    _document("receipts", "/receipts"),
    _document("expenses", "/expenses"),
    _document("purchase_requisitions", "/purchaserequisitions"),
    _document("warehouse_requests", "/warehouserequests"),
    _document("requests_for_proposals", "/requestforproposals"),
    Collection("payments", "/payments", key="idn"),
    Collection("expense_payments", "/expensePayments", key="idn"),
    Collection("suppliers", "/suppliers", detail=True, files=True),
    Collection("items", "/items", detail=True, filters=frozenset({"modified_since", "supplier"})),
    Collection("contracts", "/contracts", detail=True, files=True),
    Collection("document_custom_fields", "/documentcustomfields", detail=True),
    Collection("item_custom_fields", "/itemcustomfields", detail=True),
    Collection("supplier_custom_fields", "/suppliercustomfields", detail=True),
    _small("taxes", "/taxes"),
    _small("payment_terms", "/paymentterms"),
    _small("locations", "/locations"),
    _small("legal_entities", "/legalentities"),
    _small("users", "/users"),
    _small("warehouses", "/warehouses"),
    _small("units", "/units"),
    _small("budgets", "/budgets"),
    _small("stock_transfers", "/stocktransfers"),
    _small("stock_takings", "/stock_takings"),
)

COLLECTIONS: dict[str, Collection] = {collection.name: collection for collection in _EVERY_COLLECTION}
DOCUMENTS: tuple[str, ...] = tuple(c.name for c in _EVERY_COLLECTION if c.is_document)
WITH_FILES: tuple[str, ...] = tuple(c.name for c in _EVERY_COLLECTION if c.files)
WITH_DETAIL: tuple[str, ...] = tuple(c.name for c in _EVERY_COLLECTION if c.detail)

_USUAL_CHANGES = {"payments": 5.0, "expense_payments": 1.0, "suppliers": 2.0, "items": 2.0, "contracts": 0.2}


def usual_changes(collection: Collection) -> float:
    """Returns the changes a day that are assumed for a company about which nothing is known."""
    if collection.is_document:
        return 5.0
    return _USUAL_CHANGES.get(collection.name, 0.1)


PAGE_SIZES = (10, 20, 50, 100, 200)
"""The only values of `per_page` that Precoro accepts."""

STATUSES = {
    "open": 0,
    "pending": 1,
    "approved": 2,
    "denied": 3,
    "partly_paid": 4,
    "paid": 5,
    "awaiting_confirmation": 6,
    "on_revise": 7,
    "canceled": 8,
    "pending_receipt": 9,
    "approval_review": 10,
    "closed": 11,
}
"""Precoro's document statuses by name. An unlisted number is kept unchanged: Precoro adds some."""
