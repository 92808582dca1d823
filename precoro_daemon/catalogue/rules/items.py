"""one item of the catalogue: its fields as exact values, and the form that writes it"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from precoro_daemon.mirror.rules.custom_fields import Option, nested
from precoro_daemon.mirror.rules.documents import whole_number
from precoro_daemon.mirror.rules.field_references import LINE_PLACES
from precoro_daemon.mirror.rules.filters import Query
from precoro_daemon.values.money import plain, read_amount

FIELDS = (
    "externalId", "sku", "name", "description", "price", "currency", "unit", "category", "freeOfCharge",
    "hiddenInCatalog",
)  # fmt: skip
"""What can be kept in a file, as Precoro spells it; custom fields besides, as "custom.Colour"."""

TRUTHS = ("freeOfCharge", "hiddenInCatalog")
CUSTOM = "custom."

Value: TypeAlias = str | Decimal | bool | tuple[str, ...] | None
"""A field in its one normal form: None for nothing, a tuple for a custom field (options by their ids, sorted)."""

_NEW_PLACE = "dataProductCustomFields"
"""Where catalogue items have their custom fields, unless the item at hand has them elsewhere."""

_NEVER_LOST = frozenset({"id", "createDate", "updateDate", "enable", "supplier"})


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of items. `type` is one of `custom_fields.TYPES`, None where its definition is not known."""

    id: int
    name: str
    type: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def chosen(self) -> bool:
        return self.type in ("option", "options")


CustomFields: TypeAlias = Mapping[int, CustomField]


@dataclass(frozen=True, slots=True)
class Item:
    """An item as a list or a detail gave it. `values` has every one of FIELDS, and "custom.<id>" for each value."""

    id: int
    supplier: int | None
    version: bytes
    values: Mapping[str, Value]

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
    """Cheaper than the whole item, for the many that are another supplier's."""
    return _reference(_decode_supplier(raw).supplier)


@dataclass(slots=True)
class Seen:
    """What names Precoro was seen to use. `categories`: their ids by name."""

    currencies: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    categories: dict[str, int] = field(default_factory=dict)

    def see(self, raw: str | bytes) -> None:
        names = _decode_names(raw)
        if currency := _text(names.currency):
            self.currencies.add(currency)
        if unit := _text(names.unit):
            self.units.add(unit)
        if (category := _reference(names.category)) is not None:
            name = _text(names.category.get("name")) if isinstance(names.category, dict) else None
            self.categories[name or str(category)] = category


def read_item(raw: str | bytes, fields: CustomFields, version: bytes = b"") -> Item | None:
    """None if it is no item; whatever is odd in one reads as not said."""
    try:
        loose = _decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    number = whole_number(loose.id)
    if number is None:
        return None
    values: dict[str, Value] = {
        "externalId": _text(_unquoted(bytes(loose.external_id))),
        "sku": _text(loose.sku),
        "name": _text(loose.name),
        "description": _text(loose.description),
        "price": _price(_unquoted(bytes(loose.price))),
        "currency": _text(loose.currency),
        "unit": _text(loose.unit),
        "category": _text(_reference(loose.category)),
        "freeOfCharge": _truth(loose.free_of_charge),
        "hiddenInCatalog": _truth(loose.hidden_in_catalog),
    }
    for place in (loose.data_product_custom_fields, loose.data_item_custom_fields):
        if len(text := bytes(place)) > len(b'{"data":[]}'):
            for ident, value in _custom_values(json.loads(text, parse_float=Decimal), fields):
                values.setdefault(f"{CUSTOM}{ident}", value)
    return Item(number, _reference(loose.supplier), version, values)


def _custom_values(bag: Any, fields: CustomFields) -> Iterator[tuple[int, Value]]:
    for ident, value in _raw_customs(bag):
        yield ident, custom_value(value, fields.get(ident))


def _raw_customs(bag: Any) -> Iterator[tuple[int, Any]]:
    for each in nested(bag):
        if isinstance(each, dict) and (ident := _field_id(each)) is not None:
            yield ident, each.get("value")


def _field_id(each: Mapping[str, Any]) -> int | None:
    return _reference(each.get("itemCustomField", each.get("productCustomField")))


def custom_value(value: Any, known: CustomField | None) -> tuple[str, ...] | None:
    """What Precoro has in a custom field, in one normal form whatever shape it came in."""
    several = nested(value) if isinstance(value, list) or (isinstance(value, dict) and "data" in value) else (value,)
    texts = [text for one in several if (text := _custom_text(one, known)) is not None]
    return tuple(sorted(texts)) or None


def _custom_text(value: Any, known: CustomField | None) -> str | None:
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _text(value)
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


def to_json(value: Value) -> Any:
    """For the store and for programs."""
    return format(value, "f") if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value


def from_json(name: str, value: Any) -> Value:
    if name == "price":
        return None if value is None else Decimal(value)
    return tuple(value) if isinstance(value, list) else value


def written(supplier: int, wanted: Mapping[str, Value]) -> Query:
    """The form that creates an item."""
    pairs = [("supplier[id]", str(supplier))]
    for name in FIELDS:
        pairs += _pair(name, wanted.get(name))
    customs = {name: value for name, value in wanted.items() if name.startswith(CUSTOM)}
    return (*pairs, *_custom_pairs(_NEW_PLACE, [(int(name.removeprefix(CUSTOM)), customs[name]) for name in customs]))


def merged(raw: str, wanted: Mapping[str, Value], fields: CustomFields, keep: Sequence[str] = ()) -> Query:
    """The form that replaces an item: all it has as Precoro wrote it, and over it what is wanted.

    What a PUT does not send is gone afterwards. `keep` names further fields of plain values to send back.
    """
    given = json.loads(raw, parse_float=Decimal)
    item = read_item(raw, fields)
    assert item is not None
    pairs = [] if item.supplier is None else [("supplier[id]", str(item.supplier))]
    for name in FIELDS:
        # Texts go back as they came: spaces and line ends are not ours to tidy.
        verbatim = given.get(name) if isinstance(given.get(name), str) and name != "price" else item.values[name]
        if name == "price" and name not in wanted and verbatim is None and isinstance(given.get(name), Decimal):
            pairs.append((name, format(given[name], "f")))  # more digits than we reckon with are none of our business
        else:
            pairs += _pair(name, wanted.get(name, verbatim))
    for name in keep:
        if (text := _text(given.get(name))) is not None:
            pairs.append((name, text))
    return (*pairs, *_merged_customs(given, wanted, fields))


def unsayable(raw: str, wanted: Mapping[str, Value], fields: CustomFields) -> list[str]:
    """Names of what an item has, is to keep, and could not be sent back as it is: a form without it would take it
    away."""
    given, item = json.loads(raw, parse_float=Decimal), read_item(raw, fields)
    assert item is not None
    names = [
        name
        for name in FIELDS
        if name not in wanted
        and name not in TRUTHS
        and item.values[name] is None
        and _says(name, given.get(name))
        and not (name == "price" and isinstance(given[name], Decimal))
    ]
    customs = (pair for place in LINE_PLACES for pair in _raw_customs(given.get(place)))
    odd = [
        f"{CUSTOM}{ident}"
        for ident, value in customs
        if custom_value(value, fields.get(ident)) is None and _means(value)
    ]
    return names + [name for name in odd if name not in wanted]


def _says(name: str, value: Any) -> bool:
    """Zero is no price, and a text of spaces no text."""
    if name == "price" and isinstance(value, int | Decimal | str) and read_amount(value) == 0:
        return False
    return bool(value.strip()) if isinstance(value, str) else not _empty(value)


def _means(value: Any) -> bool:
    """An empty choice and a text of spaces say nothing."""
    if isinstance(value, list) or (isinstance(value, dict) and "data" in value):
        return any(_means(one) for one in nested(value))
    return _says("", value)


def _verbatim(value: Any, known: CustomField | None) -> Value:
    """Texts go back as they came; options by their ids, as forms take them."""
    plain_text = isinstance(value, str) and value.strip() and not (known and known.chosen)
    return (value,) if plain_text else custom_value(value, known)


def _merged_customs(given: Mapping[str, Any], wanted: Mapping[str, Value], fields: CustomFields) -> Iterator[Any]:
    places: dict[str, dict[int, Value]] = {
        place: {ident: _verbatim(value, fields.get(ident)) for ident, value in _raw_customs(given.get(place))}
        for place in LINE_PLACES
        if place in given
    }
    filled = [place for place, values in places.items() if values]
    place = next(iter(filled), _NEW_PLACE)
    target = places.setdefault(place, {})
    for name, value in wanted.items():
        if name.startswith(CUSTOM):
            target[int(name.removeprefix(CUSTOM))] = value
    for name, values in places.items():
        yield from _custom_pairs(name, list(values.items()))


def _custom_pairs(place: str, values: Sequence[tuple[int, Value]]) -> Iterator[tuple[str, str]]:
    """Written as they are read; that Precoro takes them so is an assumption, which the answer is held against."""
    for number, (ident, value) in enumerate((ident, value) for ident, value in values if value):
        assert isinstance(value, tuple)
        yield f"{place}[{number}][itemCustomField][id]", str(ident)
        ending = "[value]" if len(value) == 1 else "[value][]"
        yield from ((f"{place}[{number}]{ending}", text) for text in value)


def _pair(name: str, value: Value) -> list[tuple[str, str]]:
    """Nothing is said by leaving a field out."""
    match value:
        case None | "":
            return []
        case bool():
            return [(name, "true" if value else "false")]
        case Decimal():
            return [(name, plain(value))]
    return [(f"{name}[id]" if name == "category" else name, str(value))]


def falls_short(item: Item, wanted: Mapping[str, Value]) -> list[str]:
    """Names of what is wanted and is not so."""
    return [name for name, value in wanted.items() if (item.values.get(name) or None) != (value or None)]


def lost(before: str, after: str, wanted: Collection[str], fields: CustomFields) -> list[str]:
    """Names of what a write took away or changed without being asked to."""
    old, new = read_item(before, fields), read_item(after, fields)
    assert old is not None
    if new is None:
        return ["everything"]
    names = [name for name in old.values if name not in wanted and not _same(old.values[name], new.values.get(name))]
    if old.supplier != new.supplier:
        names.append("supplier")
    had, has = json.loads(before, parse_float=Decimal), json.loads(after, parse_float=Decimal)
    kept = (name for name in FIELDS if name not in wanted and name not in TRUTHS and name not in names)
    names += [name for name in kept if _says(name, had.get(name)) and not _says(name, has.get(name))]
    others = (name for name in had if name not in {*FIELDS, *LINE_PLACES, *_NEVER_LOST})
    return names + [name for name in others if not _empty(had[name]) and _empty(has.get(name))]


def says_more(row: str, detail: str) -> bool:
    """Whether a detail holds what the list does not show, so that a write by the list alone would take it away."""
    listed, told = json.loads(row), json.loads(detail)
    return any(_empty(listed.get(name)) and not _empty(value) for name, value in told.items())


def absent(before: str, answer: str) -> bool:
    """Whether an answer leaves out what was there before: it then proves nothing about it."""
    has = json.loads(answer)
    return any(name not in has and not _empty(value) for name, value in json.loads(before).items())


def _same(old: Value, new: Value) -> bool:
    return (old or None) == (new or None)


def _empty(value: Any) -> bool:
    return not value or (isinstance(value, dict) and not any(True for _ in nested(value)))


def _reference(value: Any) -> int | None:
    return whole_number(value.get("id") if isinstance(value, dict) else value)


def _text(value: Any) -> str | None:
    """A text without the spaces around it; a number as it was written."""
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
    """Free of charge and without a price are one and the same here: Precoro shows 0.00 as nothing."""
    return read_amount(value) or None
