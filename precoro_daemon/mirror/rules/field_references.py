"""which custom fields a record refers to: in itself and in its lines, in every shape"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from precoro_daemon.mirror.rules.change_log import Change
from precoro_daemon.mirror.rules.collections import DOCUMENTS
from precoro_daemon.mirror.rules.custom_fields import Definition, read_definition
from precoro_daemon.values.json_reading import nested, whole_number

Reference: TypeAlias = tuple[str, int]
"""The collection of a definition, and its id."""

FIELD_SETS = {
    "dataDocumentCustomFields": ("document_custom_fields", ("documentCustomField",)),
    "dataItemCustomFields": ("item_custom_fields", ("itemCustomField", "productCustomField")),
    "dataProductCustomFields": ("item_custom_fields", ("itemCustomField", "productCustomField")),
    "dataSupplierCustomFields": ("supplier_custom_fields", ("supplierCustomField",)),
}
"""Where a record or a line has its values, which collection defines them, and which keys may name the field."""

LINE_FIELD_SETS = ("dataItemCustomFields", "dataProductCustomFields")

DEFINITIONS = tuple(dict.fromkeys(collection for collection, _ in FIELD_SETS.values()))


HOLDERS = (*DOCUMENTS, "items", "suppliers", *DEFINITIONS)
"""Collections whose records refer to fields, or define them."""


class DefinitionRead(Struct, frozen=True):
    """What a list row (`at` is None) or a detail (requested at `at`) says about a field."""

    field: Reference
    definition: Definition
    at: float | None = None


class FieldReadings(Struct, frozen=True):
    """What changes of the mirror say about custom fields: references to them, and their definitions, in order."""

    references: Collection[Reference]
    definitions: Sequence[DefinitionRead]


def read_fields(changes: Iterable[Change]) -> FieldReadings:
    """Reads references to fields from records, and fields from definitions, which are records too."""
    found = References()
    definitions: list[DefinitionRead] = []
    for change in changes:
        if change.data is None:
            continue
        if change.collection not in DEFINITIONS:
            found.add(change.data)
        else:
            said = read_definition(change.data.decode())
            definitions.append(DefinitionRead((change.collection, change.id), said, change.at))
    return FieldReadings(found.found(), definitions)


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


class References:
    """Collects the references of records one by one.

    On the hot path: usual shapes are read directly, all others slowly; an id is read once, however many records
    have it.
    """

    def __init__(self) -> None:
        self._written: dict[str, set[int | str | None]] = {collection: set() for collection in DEFINITIONS}
        self._patient: set[Reference] = set()

    def add(self, raw: bytes) -> None:
        """Adds a record's references. Never raises, whatever the record is."""
        try:
            record = _decode_usual(raw)
        except (msgspec.MsgspecError, RecursionError):
            self._patient |= patient_references(raw)
            return
        documents, items, suppliers = self._written.values()
        for value in _members(record.data_document_custom_fields):
            documents.add(_id(value.document_custom_field))
        for value in _members(record.data_supplier_custom_fields):
            suppliers.add(_id(value.supplier_custom_field))
        for holder in (record, *_members(record.items)):
            for bag in (holder.data_item_custom_fields, holder.data_product_custom_fields):
                for value in _members(bag):
                    items.add(_id(value.item_custom_field))
                    items.add(_id(value.product_custom_field))

    def found(self) -> set[Reference]:
        numbers = (
            (collection, whole_number(written)) for collection, ids in self._written.items() for written in ids
        )
        return self._patient | {(collection, number) for collection, number in numbers if number is not None}


def patient_references(raw: bytes) -> set[Reference]:
    """Does the same with plain objects, and ignores whatever is not where it should be."""
    try:
        record = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return set()
    if not isinstance(record, dict):
        return set()
    found = set(_patient(record, FIELD_SETS))
    for line in nested(record.get("items")):
        if isinstance(line, dict):
            found.update(_patient(line, LINE_FIELD_SETS))
    return found


def _patient(holder: dict[str, Any], sets: Iterable[str]) -> Iterator[Reference]:
    for name_of_set in sets:
        collection, names = FIELD_SETS[name_of_set]
        for value in nested(holder.get(name_of_set)):
            for field in (value.get(name) for name in names) if isinstance(value, dict) else ():
                number = whole_number(field.get("id") if isinstance(field, dict) else field)
                if number is not None:
                    yield collection, number


def _id(field: _Field | int | str | None) -> int | str | None:
    return field.id if isinstance(field, _Field) else field


def _members(bag: Any) -> Iterable[Any]:
    if bag is None:
        return ()
    inner = bag if isinstance(bag, list) else bag.data
    return inner.values() if isinstance(inner, dict) else inner
