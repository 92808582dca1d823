"""which custom fields a record refers to: in itself and in its lines, in every shape"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from precoro_daemon.domain.custom_fields import nested
from precoro_daemon.domain.documents import whole_number

Reference: TypeAlias = tuple[str, int]
"""The collection of the definition, and its id."""

PLACES = {
    "dataDocumentCustomFields": ("document_custom_fields", ("documentCustomField",)),
    "dataItemCustomFields": ("item_custom_fields", ("itemCustomField", "productCustomField")),
    "dataProductCustomFields": ("item_custom_fields", ("itemCustomField", "productCustomField")),
    "dataSupplierCustomFields": ("supplier_custom_fields", ("supplierCustomField",)),
}
"""Where a record or a line has its values, which collection defines them, and what may name the field in each."""

DEFINITIONS = tuple(dict.fromkeys(collection for collection, _ in PLACES.values()))


class _Field(msgspec.Struct):
    id: int | str | None = None


class _Value(msgspec.Struct, rename="camel"):
    document_custom_field: _Field | int | str | None = None
    item_custom_field: _Field | int | str | None = None
    product_custom_field: _Field | int | str | None = None
    supplier_custom_field: _Field | int | str | None = None


class _Values(msgspec.Struct):
    data: list[_Value]


class _Line(msgspec.Struct, rename="camel"):
    data_item_custom_fields: _Values | list[_Value] | None = None
    data_product_custom_fields: _Values | list[_Value] | None = None


class _Lines(msgspec.Struct):
    data: list[_Line] | dict[str, _Line]


class _Record(msgspec.Struct, rename="camel"):
    data_document_custom_fields: _Values | list[_Value] | None = None
    data_item_custom_fields: _Values | list[_Value] | None = None
    data_product_custom_fields: _Values | list[_Value] | None = None
    data_supplier_custom_fields: _Values | list[_Value] | None = None
    items: _Lines | list[_Line] | None = None


_decode_usual = msgspec.json.Decoder(_Record).decode


def references(raw: bytes) -> set[Reference]:
    """Read on the hot path: the usual shapes at once, all others with patience. Raises nothing."""
    try:
        record = _decode_usual(raw)
    except (msgspec.MsgspecError, RecursionError):
        return patient_references(raw)
    found = set(_usual(record))
    found.update(each for line in _members(record.items) for each in _usual_line(line))
    return found


def patient_references(raw: bytes) -> set[Reference]:
    """The same by way of plain objects: whatever is not where it should be is passed over."""
    try:
        record = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return set()
    if not isinstance(record, dict):
        return set()
    holders = [record, *(line for line in nested(record.get("items")) if isinstance(line, dict))]
    return {each for holder in holders for each in _patient(holder, PLACES if holder is record else _LINE_PLACES)}


_LINE_PLACES = ("dataItemCustomFields", "dataProductCustomFields")


def _patient(holder: dict[str, Any], places: Iterable[str]) -> Iterator[Reference]:
    for place in places:
        collection, names = PLACES[place]
        for value in nested(holder.get(place)):
            named = (value.get(name) for name in names) if isinstance(value, dict) else ()
            yield from _first(collection, (each.get("id") if isinstance(each, dict) else each for each in named))


def _usual(record: _Record) -> Iterator[Reference]:
    for value in _members(record.data_document_custom_fields):
        yield from _first("document_custom_fields", (_id(value.document_custom_field),))
    for value in _members(record.data_supplier_custom_fields):
        yield from _first("supplier_custom_fields", (_id(value.supplier_custom_field),))
    yield from _usual_line(record)


def _usual_line(line: _Line | _Record) -> Iterator[Reference]:
    for bag in (line.data_item_custom_fields, line.data_product_custom_fields):
        for value in _members(bag):
            yield from _first("item_custom_fields", (_id(value.item_custom_field), _id(value.product_custom_field)))


def _id(field: _Field | int | str | None) -> int | str | None:
    return field.id if isinstance(field, _Field) else field


def _first(collection: str, ids: Iterable[Any]) -> Iterator[Reference]:
    """The first that is an id at all."""
    for id_ in map(whole_number, ids):
        if id_ is not None:
            yield collection, id_
            return


def _members(bag: Any) -> Iterable[Any]:
    inner = bag if isinstance(bag, list | None) else bag.data
    return inner.values() if isinstance(inner, dict) else inner or ()
