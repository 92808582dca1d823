"""the views people query: one per collection, one per kind of document lines"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.custom_field_views import custom_field_views
from precoro_daemon.adapters.state.statements import read_named
from precoro_daemon.mirror.rules.collections import COLLECTIONS, STATUSES, Collection

_VIEW_FIELDS = {
    "purchase_orders": ("sum", "netSum", "invoicedSum", "currency", "name"),
    "invoices": ("sum", "netSum", "sumPaid", "currency", "invoiceNumber", "issueDate"),
    "receipts": ("sum", "netSum", "currency"),
    "expenses": ("sum", "netSum", "sumPaid", "currency"),
    "purchase_requisitions": ("sum", "netSum", "currency", "name"),
    "warehouse_requests": ("sum", "netSum", "currency"),
    "requests_for_proposals": ("sum", "netSum", "currency", "name"),
    "payments": ("sumPaid", "currency", "payDate"),
    "expense_payments": ("sumPaid", "currency", "payDate"),
    "suppliers": ("name", "currency", "minimumSum"),
    "items": ("sku", "name", "price", "currency"),
    "contracts": ("number",),
    "users": ("email",),
    "budgets": ("name", "sum", "availableSum"),
    "stock_transfers": (),
    "stock_takings": (),
}
"""Fields shown as columns, as the API spells them; every collection that is not here shows its `name`."""

_LINE_FIELDS = ("sku", "name", "quantity", "price", "sum")


def view_definitions() -> list[str]:
    """CREATE VIEW statements, in an order in which they can be run."""
    templates = read_named(Path(__file__).with_name("views.sql"))
    singles = (templates["credit_notes"], templates["attachments"])
    return [*_record_views(templates), *_line_views(templates), *singles, *custom_field_views()]


def _record_views(templates: dict[str, str]) -> Iterator[str]:
    for name in COLLECTIONS:
        columns = _columns(templates["exact"], "records.data", _VIEW_FIELDS.get(name, ("name",)))
        if COLLECTIONS[name].is_document:
            columns = templates["document"].format(names=_status_names()) + columns
        yield templates["records"].format(view=name, collection=name, columns=columns)


def _status_names() -> str:
    return " ".join(f"WHEN {number} THEN '{name.replace('_', ' ')}'" for name, number in STATUSES.items())


def _line_views(templates: dict[str, str]) -> Iterator[str]:
    columns = _columns(templates["exact"], "line.value", _LINE_FIELDS)
    for name, collection in COLLECTIONS.items():
        if collection.lines:
            view = f"{_singular(collection)}_lines"
            yield templates["lines"].format(view=view, collection=name, lines=collection.lines, columns=columns)


def _columns(exact: str, json: str, fields: Iterable[str]) -> str:
    return "".join(f"    {exact.format(json=json, field=field)} AS {_snake(field)},\n" for field in fields)


def _snake(field: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)


def _singular(collection: Collection) -> str:
    """requests_for_proposals → request_for_proposal"""
    return "_".join(word.removesuffix("s") for word in collection.name.split("_"))
