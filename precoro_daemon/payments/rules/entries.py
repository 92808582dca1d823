"""the parts of a payment that the configuration can name, and how each is written"""

from __future__ import annotations

import re
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
"""The fields of a payment that the configuration can name."""

SHORT_KEY = "short_key"
"""The key in 20 letters and digits, for fields that cannot hold 36. It has 80 bits: among a million keys, the chance
that two are equal is 4 in 10^13.
"""

ENTRY_NAMES = (*ENTRY_FIELDS, SHORT_KEY)

OUR_UUID = re.compile(
    r"(?<![0-9a-z-])[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![0-9a-z-])"
)
"""A UUID of version 5, as ours are; other programs mostly write version 4 into a memo."""

OUR_SHORT_KEY = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{20}(?![0-9a-z])")
"""Our short key in a text. It has at least one letter and one digit, because twenty digits alone may be a bank's
reference.
"""


def short_key(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:20]


def named(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of an entry, with those derived from them."""
    return {**{name: fields[name] for name in ENTRY_FIELDS}, SHORT_KEY: short_key(fields["key"])}


def key_in(text: str) -> str | None:
    """Returns our key, or its short form, from a text of the ledger; None if there is none.

    Only the key is a proof: people also write memos that begin with our name.
    """
    found = OUR_UUID.search(text.lower()) or OUR_SHORT_KEY.search(text.lower())
    return found[0] if found else None
