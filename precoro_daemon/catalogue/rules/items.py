"""one item of the catalogue: its fields as exact values"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias
from unicodedata import normalize

import msgspec

from precoro_daemon.catalogue.rules.item_fields import CUSTOM
from precoro_daemon.mirror.rules.custom_fields import Option
from precoro_daemon.values.json_reading import nested, reference, whole_number
from precoro_daemon.values.money import read_amount

UNWRITABLE_TYPES = ("file", "user")
"""Types of custom fields that this program cannot write."""

Value: TypeAlias = str | Decimal | bool | tuple[str, ...] | None
"""A field in its normal form: None for nothing, a tuple for a custom field (options by their ids, sorted)."""

Values: TypeAlias = Mapping[str, Value]
"""Fields by their names; custom ones as "custom.<id>"."""


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of items. `type` is one of `custom_fields.FIELD_TYPES`, None where no definition is known."""

    id: int
    name: str
    type: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def chosen(self) -> bool:
        return self.type in ("option", "options")


Fields: TypeAlias = Mapping[int, CustomField]
"""Custom fields of items by their ids."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as a list or a detail gave it. `values` has all of ITEM_FIELDS, and "custom.<id>" for each value."""

    id: int
    supplier: int | None
    version: bytes
    values: Values

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return value if isinstance(value, str) else None


class _Loose(msgspec.Struct, rename="camel"):
    id: Any = None
    supplier: Any = None
    sku: Any = None
    name: Any = None
    description: Any = None
    currency: Any = None
    unit: Any = None
    category: Any = None
    free_of_charge: Any = None
    hidden_in_catalog: Any = None
    external_id: msgspec.Raw = msgspec.Raw(b"null")
    price: msgspec.Raw = msgspec.Raw(b"null")
    data_item_custom_fields: msgspec.Raw = msgspec.Raw(b"null")
    data_product_custom_fields: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder(_Loose).decode


class _OnlySupplier(msgspec.Struct):
    supplier: Any = None


class _Names(msgspec.Struct):
    currency: Any = None
    unit: Any = None
    category: Any = None


_decode_supplier = msgspec.json.Decoder(_OnlySupplier).decode
_decode_names = msgspec.json.Decoder(_Names).decode


def supplier_of(raw: str | bytes) -> int | None:
    """Returns the supplier's id. Cheaper than reading the whole item, for the many of other suppliers."""
    return reference(_decode_supplier(raw).supplier)


@dataclass(slots=True)
class Seen:
    """The names that Precoro was seen to use.

    categories  their ids by name
    """

    currencies: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    categories: dict[str, int] = field(default_factory=dict)

    def see(self, raw: str | bytes) -> None:
        names = _decode_names(raw)
        if currency := text_of(names.currency):
            self.currencies.add(currency)
        if unit := text_of(names.unit):
            self.units.add(unit)
        if (category := reference(names.category)) is not None:
            name = text_of(names.category.get("name")) if isinstance(names.category, dict) else None
            self.categories[name or str(category)] = category


def read_item(raw: str | bytes, fields: Fields, version: bytes = b"") -> Item | None:
    """Returns the item, None if it is none. Odd values in it are treated as missing."""
    try:
        loose = _decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    number = whole_number(loose.id)
    if number is None:
        return None
    values: dict[str, Value] = {
        "externalId": text_of(_unquoted(bytes(loose.external_id))),
        "sku": text_of(loose.sku),
        "name": text_of(loose.name),
        "description": text_of(loose.description),
        "price": _price(_unquoted(bytes(loose.price))),
        "currency": text_of(loose.currency),
        "unit": text_of(loose.unit),
        "category": text_of(reference(loose.category)),
        "freeOfCharge": _truth(loose.free_of_charge),
        "hiddenInCatalog": _truth(loose.hidden_in_catalog),
    }
    for place in (loose.data_product_custom_fields, loose.data_item_custom_fields):
        if len(text := bytes(place)) > len(b'{"data":[]}'):
            for ident, value in _custom_values(json.loads(text, parse_float=Decimal), fields):
                values.setdefault(f"{CUSTOM}{ident}", value)
    return Item(number, reference(loose.supplier), version, values)


def _custom_values(bag: Any, fields: Fields) -> Iterator[tuple[int, Value]]:
    for ident, value in raw_customs(bag):
        yield ident, custom_value(value, fields.get(ident))


def raw_customs(bag: Any) -> Iterator[tuple[int, Any]]:
    for each in nested(bag):
        if isinstance(each, dict) and (ident := _field_id(each)) is not None:
            yield ident, each.get("value")


def _field_id(each: Mapping[str, Any]) -> int | None:
    return reference(each.get("itemCustomField", each.get("productCustomField")))


def custom_value(value: Any, known: CustomField | None) -> tuple[str, ...] | None:
    """Returns a custom field's value in its normal form, whatever shape it has."""
    several = nested(value) if isinstance(value, list) or (isinstance(value, dict) and "data" in value) else (value,)
    texts = [text for one in several if (text := _custom_text(one, known)) is not None]
    return tuple(sorted(texts)) or None


def _custom_text(value: Any, known: CustomField | None) -> str | None:
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = text_of(value)
    if text is None or known is None:
        return text
    if known.chosen and text not in known.options:
        named = [option.id for option in known.options.values() if text in (option.name, option.path)]
        return named[0] if len(named) == 1 else text
    if known.type == "number" and (amount := read_amount(text)) is not None:
        return shortest(amount)
    return text[:10] if known.type == "date" else text


def shortest(amount: Decimal) -> str:
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_same(one: Value, other: Value) -> bool:
    """Returns whether the values are equal. None, False and "" are equal, and so are all encodings of an accent."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other or normalize("NFC", one) == normalize("NFC", other)
    return (one or None) == (other or None)


def to_json(value: Value) -> Any:
    """Returns the value for the store and for programs."""
    return format(value, "f") if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value


def from_json(name: str, value: Any) -> Value:
    if name == "price":
        return None if value is None else Decimal(value)
    return tuple(value) if isinstance(value, list) else value


def text_of(value: Any) -> str | None:
    """Returns a stripped text, or a number as it was written."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return str(value).replace("\r\n", "\n").strip() or None


def _truth(value: Any) -> bool:
    return str(value).lower() in ("true", "1")


def _unquoted(raw: bytes) -> Any:
    return json.loads(raw, parse_float=Decimal) if raw[:1] in b'"-0123456789' and raw else None


def _price(value: Any) -> Decimal | None:
    """Returns the price. Free and unpriced are the same here: Precoro returns 0.00 as nothing."""
    return read_amount(value) or None
