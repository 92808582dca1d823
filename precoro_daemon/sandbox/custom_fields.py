"""custom fields: their types, their nested options, and values that fit them"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from precoro_daemon.sandbox.clock import stamp
from precoro_daemon.sandbox.names import words
from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import Json, Shapes

TYPES = {
    "documentcustomfields": ("select", "number", "multiselect", "user", "text", "date", "select", "file"),
    "itemcustomfields": ("select", "text", "date", "multiselect", "number"),
    "suppliercustomfields": ("select", "date", "number", "text"),
}
"""The types of the fields that a company has at the start, assigned in turn."""

LINE_IDS = 100
"""Ids of things inside a record are the record's id multiplied by this, plus a number."""

_NUMBERS = {"text": 0, "date": 1, "select": 2, "multiselect": 3, "number": 4, "user": 5, "file": 6}
_WITHIN = {3: 0, 4: 0, 5: 1, 6: 4}
"""The parent of each nested option that a field has at the start, by number. All other options are outermost."""

Chooser = Callable[[str, Row, int], Row | None]


def kind(field: Row) -> str:
    return str((field.extra or {}).get("_type", "text"))


def definition(field: Row) -> Json:
    return {"type": _NUMBERS[kind(field)], "typeString": kind(field)}


def options(field: Row) -> list[Json]:
    """Returns a field's options as users and writes have changed them, or its initial options."""
    given: list[Json] | None = (field.extra or {}).get("_options")
    return born_options(field) if given is None else given


def born_options(field: Row) -> list[Json]:
    """Returns a field's initial options: a tree with parents before children, in the order that an import of options
    needs.
    """
    if kind(field) not in ("select", "multiselect"):
        return []
    return [_option(field, number, name) for number, name in enumerate(words("options")[: 4 + field.pick(26, 4)])]


def _option(field: Row, number: int, name: str) -> Json:
    option: Json = {
        "id": field.id * LINE_IDS + number,
        "name": name,
        "code": f"{field.pick(5, 900) + 100}{number:02d}" if field.pick(11, 4) else None,
        "enable": (field.salt >> number) % 5 > 0,
        "externalId": None,
        "parent": None,
    }
    if number in _WITHIN:
        parent = field.id * LINE_IDS + _WITHIN[number]
        option["parent"] = {"id": parent, "name": words("options")[_WITHIN[number]]}
        if field.pick(13, 2):
            del option["parent"]
            option["parentId"] = str(parent)
    return option


def value(field: Row, row: Row, shift: int, shapes: Shapes, chosen: Chooser) -> object:
    """Returns a record's value of a field. It stays the same for this record, whatever happens to the field."""
    match kind(field):
        case "select" | "multiselect":
            return _choice(field, row, shift, shapes)
        case "number":
            return shapes.money(row.pick(shift, 5_000_000), row, shift)
        case "date":
            return stamp(row.created + row.pick(shift, 90) * 86_400)[: 10 if row.pick(shift, 2) else None]
        case "user":
            return shapes.reference(chosen("users", row, shift), row, shift)
        case "file":
            names, size = words("files"), row.pick(shift, 90_000)
            name = names[row.pick(shift, len(names))]
            return {"id": row.id * LINE_IDS + 70, "name": name, "size": size, "formatType": "pdf"}
    return words("notes")[row.pick(shift, len(words("notes")))]


def _choice(field: Row, row: Row, shift: int, shapes: Shapes) -> object:
    born = born_options(field)
    if kind(field) == "select":
        return _reference(born[row.pick(shift, len(born))], row, shift, shapes)
    several = [each for number, each in enumerate(born) if (row.salt >> (shift + number)) % 3 == 0]
    if shapes.loose and row.pick(shift + 2, 4) == 0:
        return shapes.nested([{"id": each["id"], "name": each["name"]} for each in several])
    return [_reference(each, row, shift + 1, shapes) for each in several]


def _reference(option: Json, row: Row, shift: int, shapes: Shapes) -> object:
    """Returns a reference to an option: its id as text, as the vendor's help shows it.

    In the loose shapes it may also be the id as a number, the name, or an object.
    """
    if shapes.loose and row.pick(shift, 5) == 0:
        return option["name"]
    if shapes.loose and row.pick(shift, 5) == 1:
        return {"id": option["id"], "name": option["name"]}
    return option["id"] if shapes.loose and row.pick(shift, 5) == 2 else str(option["id"])


def with_one_renamed(field: Row, number: int, name: str) -> list[Json]:
    """Returns the field's options after a user has renamed one of them."""
    known = options(field)
    return [each | {"name": name} if place == number % len(known) else each for place, each in enumerate(known)]


def written_values(company: Any, form: Mapping[str, Any]) -> list[Json]:
    """Returns the values of an item's custom fields from a form, without those that the form lacks.

    Raises RefusedError for a value that does not fit its field.
    """
    sent = form.get("dataProductCustomFields")
    found = []
    for number, each in sorted(sent.items()) if isinstance(sent, dict) else ():
        ident = str((each.get("itemCustomField") or {}).get("id", ""))
        field = company["itemcustomfields"].by_id.get(int(ident)) if ident.isdecimal() else None
        if field is None:
            raise RefusedError("dataProductCustomFields", f"Row {number}: this value is not valid.")
        reference = {"id": field.id, "name": field.name}
        value = _checked(field, each.get("value"))
        found.append({"id": company.new_id(), "value": value, "itemCustomField": reference})
    return found


def _checked(field: Row, value: Any) -> object:
    texts = value if isinstance(value, list) else [value]
    known = {str(each["id"]) for each in options(field)}
    if kind(field) in ("select", "multiselect") and not known.issuperset(texts):
        raise RefusedError("dataProductCustomFields", "The selected choice is invalid.")
    if kind(field) == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        raise RefusedError("dataProductCustomFields", "This value is not valid.")
    return texts if kind(field) == "multiselect" else value
