"""the views of custom fields: values by their owners, fields, options and what options were"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from precoro_daemon.adapters.state.statements import read_named
from precoro_daemon.mirror.rules.collections import DOCUMENTS
from precoro_daemon.mirror.rules.field_references import FIELD_SETS


@dataclass(frozen=True, slots=True)
class _Values:
    """A view of values.

    keys    what names the owner: columns, and where `records` has them
    field_sets  where the owner has its values; the first that holds any counts
    """

    view: str
    collections: Sequence[str]
    keys: Mapping[str, str]
    field_sets: Sequence[str]


_DOCUMENT_KEYS = {"collection": "collection", "document_id": "id", "document_idn": "idn"}
_ITEM_FIELD_SETS = ("dataItemCustomFields", "dataProductCustomFields")

_DOCUMENT_VALUES = _Values("document_custom_values", DOCUMENTS, _DOCUMENT_KEYS, ("dataDocumentCustomFields",))
_LINE_VALUES = _Values("line_custom_values", DOCUMENTS, _DOCUMENT_KEYS | {"line_id": ""}, _ITEM_FIELD_SETS)
_ITEM_VALUES = _Values("item_custom_values", ("items",), {"item_id": "id"}, _ITEM_FIELD_SETS)
_SUPPLIER_VALUES = _Values(
    "supplier_custom_values", ("suppliers",), {"supplier_id": "id"}, ("dataSupplierCustomFields",)
)


def custom_field_views() -> Iterator[str]:
    """CREATE VIEW statements, in an order in which they can be run."""
    templates = read_named(Path(__file__).with_name("custom_field_views.sql"))
    for values in (_DOCUMENT_VALUES, _ITEM_VALUES, _SUPPLIER_VALUES):
        yield _values(templates, values, _owners(templates, values))
    yield _values(templates, _LINE_VALUES, _line_owners(templates, _LINE_VALUES))
    yield templates["custom_fields"]
    options = templates["custom_field_options"]
    yield options.format(view="custom_field_options", which="options.latest AND options.until IS NULL")
    yield options.format(view="custom_field_option_history", which="1")


def _values(templates: Mapping[str, str], values: _Values, owners: str) -> str:
    definitions, references = FIELD_SETS[values.field_sets[-1]]
    found = ", ".join(f"nullif(entry.value -> '$.{name}', 'null')" for name in references)
    return templates["values"].format(
        view=values.view,
        owners=owners,
        names=", ".join(values.keys),
        plain=", ".join(f"given.{name}" for name in values.keys),
        held=_first_held(templates, "owners.holder", values.field_sets),
        definitions=definitions,
        reference=f"coalesce({found}, NULL)",
    )


def _owners(templates: Mapping[str, str], values: _Values) -> str:
    return templates["owners"].format(
        keys=", ".join(f"records.{column} AS {name}" for name, column in values.keys.items()),
        listed=_tells("records.data", values.field_sets),
        detailed=_tells("details.data", values.field_sets),
        collections=_quoted(values.collections),
    )


def _tells(json: str, field_sets: Sequence[str]) -> str:
    return " OR ".join(f"{json} -> '$.{name}' IS NOT NULL" for name in field_sets)


def _line_owners(templates: Mapping[str, str], values: _Values) -> str:
    lines = templates["members"].format(json="lined.document", field="items")
    return templates["line_owners"].format(lines=lines, collections=_quoted(values.collections))


def _first_held(templates: Mapping[str, str], json: str, field_sets: Sequence[str]) -> str:
    """Values move from one name to another between versions of the API, and may for a while stand in both."""
    *others, last = (templates["members"].format(json=json, field=name) for name in field_sets)
    held = last
    for members in others:
        empty = f"""{members} IN ('[]', '{{}}', 'null', '""')"""
        held = f"CASE WHEN {empty} THEN {held} ELSE coalesce({members}, {held}) END"
    return held


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
