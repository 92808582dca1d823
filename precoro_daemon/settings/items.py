"""[manage_items]: where a supplier's wanted items come from, and what may be done about them"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from precoro_daemon.catalogue.rules.item_fields import CUSTOM, ITEM_FIELDS
from precoro_daemon.settings.databases import Database
from precoro_daemon.settings.ledger_values import (
    CurrencyCode,
    Encoding,
    NoneOrOneSign,
    OneSign,
    Sql,
    Texts,
    check_statement,
    refuse_unknown,
)
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Lower, Seconds, Share, one_of, read_list

ITEM_SOURCE_KINDS = ("none", "csv", "jsonl", "sql")
_Switch = Annotated[bool, one_of(("true", "false"))]


def _plain_name(name: str) -> str:
    if not name.isidentifier() or name in (*ITEM_FIELDS, "id", "supplier"):
        raise ValueError
    return name


_Names = Annotated[
    tuple[Annotated[str, AfterValidator(_plain_name)], ...],
    BeforeValidator(read_list),
    Allowed('a list of names such as "link", none of those that are sent anyway'),
]


class ItemsSql(Database):
    """A database that has the wanted items."""

    timeout: Seconds = 60.0
    """Seconds the query may take. A catalogue is read whole, so longer than a statement of the ledger."""

    query: Sql
    """Gives one row for each wanted item; :supplier is what the command was given. It can only read."""

    @model_validator(mode="after")
    def _query_fits(self) -> Self:
        try:
            check_statement(self.query, self.address.dialect, ("supplier",))
        except Clash as clash:
            raise Clash(str(clash), at="query") from None
        return self


class ManageItems(Section):
    """Suppliers' items follow a file or a table, when `items apply` says so."""

    kind: Annotated[Literal["none", "csv", "jsonl", "sql"], Lower, one_of(ITEM_SOURCE_KINDS)] = "none"
    """Where wanted items are: files (csv, which may be Excel's .xlsx, or jsonl with one JSON object a
    line) or a database (sql)."""

    path: Path | None = None
    """The file, for csv and jsonl; {supplier} in it becomes what the command was given. No default."""

    encoding: Encoding = "utf-8-sig"
    """Of the file. utf-8-sig is UTF-8 with or without a byte order mark; Excel in Western Europe writes cp1252."""

    delimiter: OneSign = ","
    """What stands between two cells."""

    decimal_mark: Annotated[str, one_of((".", ","))] = "."
    """What stands before the cents of a price."""

    grouping: NoneOrOneSign = ""
    """What stands between thousands of a price; empty for nothing."""

    columns: Texts = Field(default_factory=dict)
    """Which column holds which field. Empty: columns are called as the fields are, and no others may be there."""

    currency: CurrencyCode = ""
    """What is assumed where a row has no currency. Empty: what Precoro has stays."""

    create: _Switch = True
    """Whether wanted items that Precoro lacks are created."""

    update: _Switch = True
    """Whether items that differ are changed."""

    hide_missing: _Switch = False
    """Whether items that are not wanted are hidden in the catalogue. Off: half a file must not empty a catalogue.
    None is ever deleted."""

    max_shrink: Share = 0.2
    """Share by which there may be fewer rows than at the last plan without --force: an export that was cut off looks
    just like a smaller catalogue."""

    keep: _Names = ()
    """Further fields of items to send back as they are with each change, as Precoro spells them; a change sends the
    whole item, and what is not sent is gone."""

    sql: ItemsSql | None = None
    """See [manage_items.sql]."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind in ("csv", "jsonl") and self.path is None:
            raise Clash(f"missing; kind = {self.kind} needs it", at="path", also="manage_items.kind")
        if self.kind == "sql" and self.sql is None:
            raise Clash("missing; kind = sql needs it", at="sql", also="manage_items.kind")
        if self.kind == "csv" and self.delimiter == self.decimal_mark:
            raise Clash("is the decimal mark too", at="delimiter")
        named = [name for name in self.columns if not name.startswith(CUSTOM)]
        try:
            refuse_unknown(named, (*ITEM_FIELDS, "supplier"), str)
        except Clash as clash:
            raise Clash(str(clash), at="columns") from None
        if self.columns and not {"externalId", "sku"} & self.columns.keys():
            raise Clash("names no column for externalId or sku, so nothing names the item of a row", at="columns")
        return self
