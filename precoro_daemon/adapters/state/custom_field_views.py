"""the views of custom fields: values by owner, fields, options, and former options"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from precoro_daemon.mirror.rules.collections import DOCUMENTS
from precoro_daemon.mirror.rules.field_references import FIELD_SETS


class ValueView(Struct, frozen=True):
    """A view of values.

    keys        what identifies the owner: columns, and their expressions on `records`
    field_sets  where the owner has its values; the first non-empty one counts
    """

    view: str
    collections: tuple[str, ...]
    keys: Mapping[str, str]
    field_sets: Sequence[str]

    @property
    def owner(self) -> str:
        """The column with the record's id."""
        return next(name for name, column in self.keys.items() if column == "id")

    @property
    def definitions(self) -> str:
        """The collection of the fields."""
        return FIELD_SETS[self.field_sets[-1]][0]


_DOCUMENT_KEYS = {"collection": "collection", "document_id": "id", "document_idn": "idn"}
_ITEM_FIELD_SETS = ("dataItemCustomFields", "dataProductCustomFields")

_DOCUMENT_VALUES = ValueView("document_custom_values", DOCUMENTS, _DOCUMENT_KEYS, ("dataDocumentCustomFields",))
_LINE_VALUES = ValueView("line_custom_values", DOCUMENTS, _DOCUMENT_KEYS | {"line_id": ""}, _ITEM_FIELD_SETS)
_ITEM_VALUES = ValueView("item_custom_values", ("items",), {"item_id": "id"}, _ITEM_FIELD_SETS)
_SUPPLIER_VALUES = ValueView(
    "supplier_custom_values", ("suppliers",), {"supplier_id": "id"}, ("dataSupplierCustomFields",)
)

VALUE_VIEWS = {one.view: one for one in (_DOCUMENT_VALUES, _LINE_VALUES, _ITEM_VALUES, _SUPPLIER_VALUES)}


def custom_field_views(words: Mapping[str, str]) -> Iterator[str]:
    """Yields CREATE VIEW statements in the engine's dialect, in an order in which they can run."""
    for values in (_DOCUMENT_VALUES, _ITEM_VALUES, _SUPPLIER_VALUES):
        yield _values(words, values, _owners(words, values))
    yield _values(words, _LINE_VALUES, _line_owners(words, _LINE_VALUES))
    yield words["custom_fields"]
    options = words["custom_field_options"]
    yield options.format(view="custom_field_options", which="options.latest AND options.until IS NULL")
    yield options.format(view="custom_field_option_history", which="TRUE")


def _values(words: Mapping[str, str], values: ValueView, owners: str) -> str:
    definitions, references = FIELD_SETS[values.field_sets[-1]]
    found = ", ".join(words["reference"].format(name=name) for name in references)
    return words["values"].format(
        view=values.view,
        owners=owners,
        names=", ".join(values.keys),
        plain=", ".join(f"given.{name}" for name in values.keys),
        held=_first_held(words, "owners.holder", values.field_sets),
        definitions=definitions,
        reference=f"coalesce({found}, NULL)",
    )


def _owners(words: Mapping[str, str], values: ValueView) -> str:
    return words["owners"].format(
        keys=", ".join(f"{words.get(column, f'records.{column}')} AS {name}" for name, column in values.keys.items()),
        listed=_tells(words, words["listed"], values.field_sets),
        detailed=_tells(words, words["detailed"], values.field_sets),
        collections=_quoted(values.collections),
    )


def _tells(words: Mapping[str, str], json: str, field_sets: Sequence[str]) -> str:
    return " OR ".join(words["tells"].format(json=json, name=name) for name in field_sets)


def _line_owners(words: Mapping[str, str], values: ValueView) -> str:
    lines = words["members"].format(json="lined.document", field="items")
    return words["line_owners"].format(lines=lines, collections=_quoted(values.collections))


def _first_held(words: Mapping[str, str], json: str, field_sets: Sequence[str]) -> str:
    """Returns the expression for the values. They move from one name to another between versions of the API, and may
    be under both for a while.
    """
    *others, last = (words["members"].format(json=json, field=name) for name in field_sets)
    held = last
    for members in others:
        empty = words["empty"].format(members=members)
        held = f"CASE WHEN {empty} THEN {held} ELSE coalesce({members}, {held}) END"
    return held


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
