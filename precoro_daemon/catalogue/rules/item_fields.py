"""what can be kept of an item, as Precoro spells it

Apart, as the settings need nothing else of items.
"""

from __future__ import annotations

ITEM_FIELDS = (
    "externalId", "sku", "name", "description", "price", "currency", "unit", "category", "freeOfCharge",
    "hiddenInCatalog",
)  # fmt: skip
"""What can be kept in a file, as Precoro spells it; custom fields besides, as "custom.Colour"."""

NAMING = ("externalId", "sku")
"""What an item is known by."""

TRUTHS = ("freeOfCharge", "hiddenInCatalog")
CUSTOM = "custom."
