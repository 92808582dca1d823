"""the fields of an item that can be written, as Precoro spells them

A module of its own, because the settings need nothing else of items.
"""

from __future__ import annotations

ITEM_FIELDS = (
    "externalId", "sku", "name", "description", "price", "currency", "unit", "category", "freeOfCharge",
    "hiddenInCatalog",
)  # fmt: skip
"""The fields that a file may contain, as Precoro spells them; custom fields are added as "custom.Colour"."""

NAMING = ("externalId", "sku")
"""The fields that identify an item."""

TRUTHS = ("freeOfCharge", "hiddenInCatalog")
CUSTOM = "custom."
