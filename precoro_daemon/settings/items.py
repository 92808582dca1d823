"""[manage_items]: the source of a supplier's wanted items, and the permitted changes"""

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
    """A database that holds the wanted items."""

    timeout: Seconds = 60.0
    """Seconds that the query may take. It reads a whole catalogue, so it may take longer than a statement of the
    ledger.
    """

    query: Sql
    """The query, which returns one row for each wanted item. :supplier is the value given to the command. The query
    can only read.
    """

    @model_validator(mode="after")
    def _query_fits(self) -> Self:
        try:
            check_statement(self.query, self.address.dialect, ("supplier",))
        except Clash as clash:
            raise Clash(str(clash), at="query") from None
        return self


class ManageItems(Section):
    """Makes suppliers' items follow a file or a table, when a person runs `items apply`."""

    kind: Annotated[Literal["none", "csv", "jsonl", "sql"], Lower, one_of(ITEM_SOURCE_KINDS)] = "none"
    """The source of the wanted items: files (csv, which may be Excel's .xlsx, or jsonl with one JSON object a line)
    or a database (sql).
    """

    path: Path | None = None
    """csv, jsonl: the file. {supplier} in it is replaced by the value given to the command. No default."""

    encoding: Encoding = "utf-8-sig"
    """Encoding of the file. utf-8-sig is UTF-8 with or without a byte order mark; Excel in Western Europe writes
    cp1252.
    """

    delimiter: OneSign = ","
    """The character between two cells."""

    decimal_mark: Annotated[str, one_of((".", ","))] = "."
    """The character before the cents of a price."""

    grouping: NoneOrOneSign = ""
    """The character between the thousands of a price; empty if there is none."""

    columns: Texts = Field(default_factory=dict)
    """The column of each field. Empty: each column has the name of its field, and other columns are refused."""

    currency: CurrencyCode = ""
    """The currency of rows without one. Empty: the currency at Precoro stays."""

    create: _Switch = True
    """Whether wanted items are created if Precoro lacks them."""

    update: _Switch = True
    """Whether items that differ are changed."""

    hide_missing: _Switch = False
    """Whether items that are not wanted are hidden in the catalogue. Off, because half a file must not empty a
    catalogue. Items are never deleted.
    """

    max_shrink: Share = 0.2
    """The share by which the number of rows may shrink since the last plan, without --force. An export that was cut
    off looks exactly like a smaller catalogue.
    """

    keep: _Names = ()
    """More fields of items, as Precoro spells them, that each change sends back as they are. A change replaces the
    whole item, so a field that is not sent is lost.
    """

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
