"""what a write would remove from an item, what it removed, and what it failed to change"""

from __future__ import annotations

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from precoro_daemon.catalogue.rules.item_fields import CUSTOM, ITEM_FIELDS, TRUTHS
from precoro_daemon.catalogue.rules.items import Fields, Item, Values, custom_value, is_same, raw_customs, read_item
from precoro_daemon.mirror.rules.field_references import LINE_FIELD_SETS
from precoro_daemon.values.json_reading import nested
from precoro_daemon.values.money import read_amount

_NEVER_LOST = frozenset({"id", "createDate", "updateDate", "enable", "supplier"})


def unsayable(raw: str, wanted: Values, fields: Fields) -> list[str]:
    """Returns the names of fields that should stay but cannot be sent back: a form without them would clear them."""
    given, item = json.loads(raw, parse_float=Decimal), read_item(raw, fields)
    assert item is not None
    names = [
        name
        for name in ITEM_FIELDS
        if name not in wanted
        and name not in TRUTHS
        and item.values[name] is None
        and _says(name, given.get(name))
        and not (name == "price" and isinstance(given[name], Decimal))
    ]
    customs = (pair for place in LINE_FIELD_SETS for pair in raw_customs(given.get(place)))
    odd = [
        f"{CUSTOM}{ident}"
        for ident, value in customs
        if custom_value(value, fields.get(ident)) is None and _means(value)
    ]
    return names + [name for name in odd if name not in wanted]


def _says(name: str, value: Any) -> bool:
    """Returns whether the value says anything. Zero is no price, and blank text is no text."""
    if name == "price" and isinstance(value, int | Decimal | str) and read_amount(value) == 0:
        return False
    return bool(value.strip()) if isinstance(value, str) else not _empty(value)


def _means(value: Any) -> bool:
    """Returns whether the value says anything. An empty choice and blank text do not."""
    if isinstance(value, list) or (isinstance(value, dict) and "data" in value):
        return any(_means(one) for one in nested(value))
    return _says("", value)


def falls_short(item: Item, wanted: Values) -> list[str]:
    """Returns the names of wanted values that the item lacks."""
    return [name for name, value in wanted.items() if not is_same(item.values.get(name), value)]


def lost(before: str, after: str, wanted: Collection[str], fields: Fields) -> list[str]:
    """Returns the names of fields that a write cleared or changed unasked."""
    old, new = read_item(before, fields), read_item(after, fields)
    assert old is not None
    if new is None:
        return ["everything"]
    names = [
        name for name in old.values if name not in wanted and not is_same(old.values[name], new.values.get(name))
    ]
    if old.supplier != new.supplier:
        names.append("supplier")
    had, has = json.loads(before, parse_float=Decimal), json.loads(after, parse_float=Decimal)
    kept = (name for name in ITEM_FIELDS if name not in wanted and name not in TRUTHS and name not in names)
    names += [name for name in kept if _says(name, had.get(name)) and not _says(name, has.get(name))]
    others = (name for name in had if name not in {*ITEM_FIELDS, *LINE_FIELD_SETS, *_NEVER_LOST})
    return names + [name for name in others if not _empty(had[name]) and _empty(has.get(name))]


def says_more(row: str, detail: str) -> bool:
    """Returns whether a detail has values that the list lacks: a write based on the list alone would clear them."""
    listed, detailed = json.loads(row), json.loads(detail)
    return any(_empty(listed.get(name)) and not _empty(value) for name, value in detailed.items())


def absent(before: str, answer: str) -> bool:
    """Returns whether an answer leaves out fields of the former item: it then proves nothing about them."""
    has = json.loads(answer)
    return any(name not in has and not _empty(value) for name, value in json.loads(before).items())


def _empty(value: Any) -> bool:
    return not value or (isinstance(value, dict) and not any(True for _ in nested(value)))
