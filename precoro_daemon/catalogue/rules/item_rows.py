"""items as rows of a file that can be read back"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from precoro_daemon.catalogue.rules.item_fields import CUSTOM, ITEM_FIELDS
from precoro_daemon.catalogue.rules.items import UNWRITABLE_TYPES, CustomField, Fields, Item
from precoro_daemon.catalogue.rules.sheets import Reading, Writing
from precoro_daemon.values.money import plain


def item_columns(items: Sequence[Item], reading: Reading, fields: Fields) -> Mapping[str, str]:
    """Returns the fields of these items that a file has, each with the title of its column."""
    if reading.columns:
        return reading.columns
    used = {name for item in items for name in item.values if name.startswith(CUSTOM)}
    known = (fields.get(int(name.removeprefix(CUSTOM))) for name in used)
    customs = sorted({f"{CUSTOM}{one.name}" for one in known if one and one.type not in UNWRITABLE_TYPES})
    return {name: name for name in (*ITEM_FIELDS, *customs)}


def item_cells(item: Item, names: Sequence[str], reading: Reading, fields: Fields, supplier: str) -> Sequence[str]:
    """Returns an item as a row that reads back as the same item."""
    by_name = {f"{CUSTOM}{one.name}": one for one in fields.values()}
    return [supplier if name == "supplier" else _cell(item, name, reading.writing, by_name) for name in names]


def _cell(item: Item, name: str, writing: Writing, by_name: Mapping[str, CustomField]) -> str:
    known = by_name.get(name)
    value = item.values.get(f"{CUSTOM}{known.id}" if known else name)
    if isinstance(value, Decimal):
        return plain(value).replace(".", writing.decimal_mark)
    if isinstance(value, tuple):
        return shown_custom(value, known)
    return ("true" if value else "false") if isinstance(value, bool) else str(value or "")


def shown_custom(value: Sequence[str], known: CustomField | None) -> str:
    """Returns the names of options, as long as each name is unique."""
    names = {option.id: option.path or option.name for option in known.options.values()} if known else {}
    sole = Counter(names.values())
    return "; ".join(names[one] if sole[names.get(one, "")] == 1 else one for one in value)
