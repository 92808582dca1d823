"""the forms that create and replace an item"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from precoro_daemon.adapters.http.exchange import Pairs
from precoro_daemon.catalogue.ports.gateway import ItemReplacement, NewItem
from precoro_daemon.catalogue.rules.item_fields import CUSTOM, ITEM_FIELDS
from precoro_daemon.catalogue.rules.items import (
    CustomField,
    Value,
    Values,
    custom_value,
    raw_customs,
    read_item,
    text_of,
)
from precoro_daemon.mirror.rules.field_references import LINE_FIELD_SETS
from precoro_daemon.values.money import plain

_USUAL_HOLDER = "dataProductCustomFields"
"""Where catalogue items have their custom fields, unless the present item has them elsewhere."""


def creation_form(item: NewItem) -> Pairs:
    pairs = [("supplier[id]", str(item.supplier))]
    for name in ITEM_FIELDS:
        pairs += _pair(name, item.values.get(name))
    return (*pairs, *_custom_pairs(_USUAL_HOLDER, list(_customs_in(item.values))))


def replacement_form(item: ItemReplacement) -> Pairs:
    """Returns everything that the item has, as Precoro wrote it, with the wanted values over it."""
    given = json.loads(item.before, parse_float=Decimal)
    known = read_item(item.before, item.fields)
    assert known is not None
    pairs = [] if known.supplier is None else [("supplier[id]", str(known.supplier))]
    for name in ITEM_FIELDS:
        # Texts go back as they came: spaces and line ends are not ours to tidy.
        verbatim = given.get(name) if isinstance(given.get(name), str) and name != "price" else known.values[name]
        if name == "price" and name not in item.values and verbatim is None and isinstance(given.get(name), Decimal):
            pairs.append((name, format(given[name], "f")))  # more digits than we reckon with are none of our business
        else:
            pairs += _pair(name, item.values.get(name, verbatim))
    kept = ((name, text_of(given.get(name))) for name in item.keep)
    pairs += [(name, text) for name, text in kept if text is not None]
    return (*pairs, *_merged_customs(given, item))


def _merged_customs(given: Mapping[str, Any], item: ItemReplacement) -> Iterator[tuple[str, str]]:
    holders: dict[str, dict[int, Value]] = {
        holder: {ident: _verbatim(value, item.fields.get(ident)) for ident, value in raw_customs(given.get(holder))}
        for holder in LINE_FIELD_SETS
        if holder in given
    }
    filled = [holder for holder, values in holders.items() if values]
    holders.setdefault(next(iter(filled), _USUAL_HOLDER), {}).update(_customs_in(item.values))
    for holder, values in holders.items():
        yield from _custom_pairs(holder, list(values.items()))


def _verbatim(value: Any, known: CustomField | None) -> Value:
    """Returns a value to send back: texts unchanged, options by their ids, as forms expect them."""
    plain_text = isinstance(value, str) and value.strip() and not (known and known.chosen)
    return (value,) if plain_text else custom_value(value, known)


def _customs_in(values: Values) -> Iterator[tuple[int, Value]]:
    return ((int(name.removeprefix(CUSTOM)), value) for name, value in values.items() if name.startswith(CUSTOM))


def _custom_pairs(holder: str, values: Sequence[tuple[int, Value]]) -> Iterator[tuple[str, str]]:
    """Yields custom fields in the form in which they are read. That Precoro accepts it is an assumption, which the
    answer is
    checked against.
    """
    for number, (ident, value) in enumerate((ident, value) for ident, value in values if value):
        assert isinstance(value, tuple)
        yield f"{holder}[{number}][itemCustomField][id]", str(ident)
        ending = "[value]" if len(value) == 1 else "[value][]"
        yield from ((f"{holder}[{number}]{ending}", text) for text in value)


def _pair(name: str, value: Value) -> list[tuple[str, str]]:
    """Returns a field, or nothing for None: an absent field says nothing."""
    match value:
        case None | "":
            return []
        case bool():
            return [(name, "true" if value else "false")]
        case Decimal():
            return [(name, plain(value))]
    return [(f"{name}[id]" if name == "category" else name, str(value))]
