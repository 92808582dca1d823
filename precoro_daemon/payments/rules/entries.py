"""what the configuration may call the parts of a payment, and how each is written"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

ENTRY_FIELDS = (
    "key",
    "amount",
    "currency",
    "paid_on",
    "payment_id",
    "invoice_id",
    "invoice_idn",
    "invoice_number",
    "invoice_external_id",
    "supplier_id",
    "supplier_name",
)
"""The fields of a payment that the configuration may name."""

SHORT_KEY = "short_key"
"""The key in 20 letters and digits, for fields that hold no 36. It has 80 bits: two of a million alike are a chance
of 4 in 10^13."""

ENTRY_NAMES = (*ENTRY_FIELDS, SHORT_KEY)


def short_key(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:20]


def named(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an entry with those made of them."""
    return {**{name: fields[name] for name in ENTRY_FIELDS}, SHORT_KEY: short_key(fields["key"])}
