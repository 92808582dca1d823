"""the columns of attachments and custom fields, and of the data dictionary"""

from __future__ import annotations

from collections.abc import Mapping

from precoro_daemon.adapters.state.record_columns import COLLECTION, DATA, DOCUMENT_ID, DOCUMENT_IDN, LINE_ID
from precoro_daemon.adapters.state.view_columns import Columns, Kind, own

ATTACHMENTS: Columns = (
    COLLECTION,
    DOCUMENT_ID,
    DOCUMENT_IDN,
    own("attachment_id", Kind.INTEGER, "Precoro's own number of the file"),
    own("name", Kind.TEXT, "what people called it"),
    own("bytes", Kind.INTEGER, "its length; as Precoro says until it is stored"),
    own("path", Kind.TEXT, "where it is, below the directory; empty until it is there"),
    own("sha256", Kind.TEXT, "SHA-256 of its content"),
    own("uploaded_at", Kind.TEXT, "when it was uploaded, as Precoro says"),
    own("stored_at", Kind.TIMESTAMP, "when it was stored, in UTC"),
    own("vanished_at", Kind.TIMESTAMP, "when the program found that the document no longer has it, or is gone"),
)

_FIELD_ID = own("field_id", Kind.INTEGER, "the custom field: joins `custom_fields.id`")
_FIELD = own("field", Kind.TEXT, "name of the custom field")
_OPTION_ID = own("option_id", Kind.TEXT, "Precoro's own number of the option")
_OPTION = own("option", Kind.TEXT, "name of the option")

_VALUE: Columns = (
    _FIELD_ID,
    _FIELD,
    own("type", Kind.TEXT, "`text`, `number`, `date`, `option`, `options`, `user`, `file` or `boolean`"),
    own("position", Kind.INTEGER, "1, 2, … for a field with many options; one without a value has one row with none"),
    own(
        "value",
        Kind.TEXT,
        "what Precoro sent, as exact text; the name of a user, a file, or an option that came as object",
    ),
    own("value_id", Kind.TEXT, "the id of that user, file or option"),
    own("shown", Kind.TEXT, "what people see: the option's present name, a date as `2026-01-31`, else the value"),
    _OPTION_ID,
    _OPTION,
    own("option_code", Kind.TEXT, "code of the option"),
    own("option_path", Kind.TEXT, "the option and those above it: `Region / City`"),
    own("field_as_of", Kind.TIMESTAMP, "when the field's definition was read, in UTC; empty: not yet"),
    own("vanished_at", Kind.TIMESTAMP, "when the program found that its owner is gone"),
    own("data", Kind.JSON, "the JSON of the entry"),
)
_OPTIONS: Columns = (
    own("collection", Kind.TEXT, "the list of custom fields that the field is in"),
    _FIELD_ID,
    _FIELD,
    _OPTION_ID,
    _OPTION,
    own("code", Kind.TEXT, "its code"),
    own("path", Kind.TEXT, "its name and those above it: `Region / City`"),
    own("parent_id", Kind.TEXT, "the option above it"),
    own("external_id", Kind.TEXT, "what another system calls it"),
    own("enabled", Kind.BOOLEAN, "whether it can be chosen"),
    own("since", Kind.TIMESTAMP, "when it was first seen so, in UTC"),
    own("until", Kind.TIMESTAMP, "when it was first seen otherwise, in UTC; empty: it is so now"),
)

CUSTOM_FIELD_VIEWS: Mapping[str, Columns] = {
    "document_custom_values": (COLLECTION, DOCUMENT_ID, DOCUMENT_IDN, *_VALUE),
    "item_custom_values": (own("item_id", Kind.INTEGER, "joins `items.id`"), *_VALUE),
    "supplier_custom_values": (own("supplier_id", Kind.INTEGER, "joins `suppliers.id`"), *_VALUE),
    "line_custom_values": (COLLECTION, DOCUMENT_ID, DOCUMENT_IDN, LINE_ID, *_VALUE),
    "custom_fields": (
        own("collection", Kind.TEXT, "the list of custom fields that it is in"),
        own("id", Kind.INTEGER, "Precoro's own number of it"),
        own("name", Kind.TEXT, "its name"),
        own("type", Kind.TEXT, "what its values are"),
        own("referenced", Kind.BOOLEAN, "whether any record has it"),
        own("as_of", Kind.TIMESTAMP, "when it was read, in UTC"),
        own("problem", Kind.TEXT, "what prevents that"),
        DATA,
    ),
    "custom_field_options": _OPTIONS,
    "custom_field_option_history": _OPTIONS,
}

DICTIONARY: Columns = (
    own("view", Kind.TEXT, "name of the view"),
    own("column", Kind.TEXT, "name of the column"),
    own("type", Kind.TEXT, "what kind of value it holds"),
    own("meaning", Kind.TEXT, "what it says"),
)
