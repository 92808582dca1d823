"""the views for people's queries, and their definitions in an engine's dialect

An engine brings the shape of each view, and its way to read each kind of column, as fragments of its `views.sql`. All
engines use the same names, so the views have the same names, columns and rows everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from precoro_daemon.adapters.state.other_columns import ATTACHMENTS, CUSTOM_FIELD_VIEWS, DICTIONARY
from precoro_daemon.adapters.state.record_columns import (
    COLLECTION,
    DOCUMENT_FIELDS,
    LINE_FIELDS,
    LINE_HEAD,
    LINE_TAIL,
    RECORD_HEAD,
    RECORD_TAIL,
    fields_of,
)
from precoro_daemon.adapters.state.view_columns import Column, Columns, Kind
from precoro_daemon.adapters.state.view_words import Engine, render_code, render_columns, render_word, singular
from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS

_ALL_INVOICES = "invoices_and_credit_notes"
_KINDS = {"invoices": "invoice", "credit_notes": "credit note"}
"""Precoro lists credit notes among invoices. A sum of what is owed must not include them by mistake."""

_PAYS = {"payments": ("invoices", "invoice"), "expense_payments": ("expenses", "expense")}
"""Collections of payments: what they pay, and its name in their JSON."""

_DOCUMENT_KIND = Column("document_kind", Kind.TEXT, "kind of the document")
_LINE = (*LINE_HEAD, *LINE_FIELDS, *LINE_TAIL)


class RecordView(Struct, frozen=True):
    """A view of records, and the view of their lines ("" if there is none).

    kind  the only kind of the collection's records that it shows, "" for all
    """

    name: str
    collection: str
    lines: str
    kind: str = ""

    @property
    def is_of_documents(self) -> bool:
        return COLLECTIONS[self.collection].is_document


def record_views() -> Iterator[RecordView]:
    for name, collection in COLLECTIONS.items():
        if name != "invoices":
            yield RecordView(name, name, f"{singular(name)}_lines" if collection.lines else "")
            continue
        yield RecordView(_ALL_INVOICES, name, "invoice_and_credit_note_lines")
        for view, kind in _KINDS.items():
            yield RecordView(view, name, f"{singular(view)}_lines", kind)


def described_views() -> Mapping[str, Columns]:
    """Returns every view with its columns in order."""
    found = {"documents": (COLLECTION, *RECORD_HEAD, *DOCUMENT_FIELDS, *RECORD_TAIL)}
    for view in record_views():
        shared = DOCUMENT_FIELDS if view.is_of_documents else ()
        found[view.name] = (*RECORD_HEAD, *shared, *fields_of(view.collection), *RECORD_TAIL)
    for view in record_views():
        if view.lines:
            found[view.lines] = _LINE
    found["document_lines"] = (COLLECTION, _DOCUMENT_KIND, *_LINE)
    return {**found, "attachments": ATTACHMENTS, **CUSTOM_FIELD_VIEWS, "data_dictionary": DICTIONARY}


def define_views(engine: Engine) -> Iterator[str]:
    """Yields CREATE VIEW statements for all views except custom fields, in an order in which they can run."""
    yield _documents(engine)
    for view in record_views():
        if view.kind:
            yield engine.words["part"].format(view=view.name, whole=_ALL_INVOICES, kind=view.kind)
        else:
            yield _document_view(engine, view) if view.is_of_documents else _record_view(engine, view)
    yield _document_lines(engine)
    for view in record_views():
        if view.lines:
            yield _line_view(engine, view)
    yield engine.words["attachments"]
    yield engine.words["data_dictionary"].format(rows=dictionary_rows().replace("'", "''"))


def _documents(engine: Engine) -> str:
    """Returns the view with what all documents have, on which the views of each kind are built."""
    return engine.words["documents"].format(
        columns=render_columns(engine, engine.record, DOCUMENT_FIELDS, render_code(engine, engine.record)),
        collections=", ".join(f"'{name}'" for name in DOCUMENTS),
    )


def _document_view(engine: Engine, view: RecordView) -> str:
    return engine.words["document"].format(
        view=view.name,
        collection=view.collection,
        shared=", ".join(column.name for column in DOCUMENT_FIELDS),
        columns=render_columns(engine, engine.document, fields_of(view.collection), "currency"),
    )


def _record_view(engine: Engine, view: RecordView) -> str:
    owners, path = _PAYS.get(view.collection, ("", ""))
    code = render_code(engine, engine.record, owned=bool(owners))
    owner_id = render_word(engine, "integer", engine.record, f"{path}.id")
    return engine.words["records"].format(
        view=view.name,
        collection=view.collection,
        columns=render_columns(engine, engine.record, fields_of(view.collection), code),
        owner=engine.words["owner"].format(owners=owners, id=owner_id) if owners else "",
    )


def _document_lines(engine: Engine) -> str:
    [lines] = {COLLECTIONS[name].lines for name in DOCUMENTS}
    return engine.words["document_lines"].format(
        collections=", ".join(f"'{name}'" for name in DOCUMENTS),
        kind=render_word(engine, "kind", engine.record, ""),
        currency=render_code(engine, engine.record),
        line_id=render_word(engine, "integer", engine.line, "id"),
        columns=render_columns(engine, engine.line, LINE_FIELDS, "listed.currency"),
        lines=lines,
    )


def _line_view(engine: Engine, view: RecordView) -> str:
    return engine.words["lines"].format(
        view=view.lines,
        collection=view.collection,
        columns=", ".join(column.name for column in _LINE),
        only=f" AND document_kind = '{view.kind}'" if view.kind else "",
    )


@cache
def dictionary_rows() -> str:
    """Returns the rows of the view `data_dictionary` as a JSON array."""
    rows = [
        (view, column.name, column.kind, column.meaning)
        for view, columns in described_views().items()
        for column in columns
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
