"""what a webhook says: the kind of record, and whether its body is readable"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

COLLECTION_BY_TYPE: Mapping[int, str] = {
    0: "warehouse_requests",
    1: "purchase_requisitions",
    2: "purchase_orders",
    3: "invoices",
    4: "requests_for_proposals",
    5: "receipts",
    6: "expenses",
    7: "suppliers",
    8: "stock_transfers",
    9: "budgets",
    10: "document_custom_fields",
    11: "item_custom_fields",
}
"""Precoro's numbers of the kinds of records it announces."""

_LARGEST = 2**63 - 1


def read_delivery(body: bytes) -> tuple[int, int, int | None]:
    """Returns type, id and idn, and ignores the rest of the body. Raises ValueError if it is no webhook."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(said, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - for the caller it is one kind of mistake
    kind, id_ = _whole(said.get("type")), _whole(said.get("id"))
    if kind is None or id_ is None:
        raise ValueError("no whole numbers as type and id")
    return kind, id_, _whole(said.get("idn"))


def _whole(value: Any) -> int | None:
    """Returns an integer, which may be given as text; true is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if type(value) is int and 0 <= value <= _LARGEST else None
