"""[ledger.csv]: folders for incoming and outgoing files of payments"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from precoro_daemon.payments.rules.entries import ENTRY_NAMES
from precoro_daemon.settings.layouts import LAYOUTS, with_layout
from precoro_daemon.settings.ledger_values import (
    CurrencyCode,
    DayWithoutYear,
    Encoding,
    NoneOrOneSign,
    OneSign,
    Pattern,
    PlainText,
    TextLists,
    Texts,
    Words,
    check_templates,
    has_year,
    refuse_unknown,
)
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Lower, Seconds, one_of

_KNOWN_COLUMNS = (
    "key", "invoice", "amount", "debit", "credit", "direction", "paid_on", "currency", "supplier", "supplier_id",
    "ours",
)  # fmt: skip
_ROW_KINDS = ("only", "void", "skip")
FILE_FORMATS = ("auto", "csv", "xlsx", "camt053", "mt940")
_STATEMENTS = ("camt053", "mt940")


class CsvLedger(Section):
    """Folders with files. At least one of in_directory and out_directory must be given."""

    layout: (
        Annotated[
            Literal["chase", "datev", "dkb", "ing_de", "ing_nl", "n26", "revolut", "sparkasse", "vr", "wise"],
            Lower,
            one_of(LAYOUTS),
        ]
        | None
    ) = None
    """A known file format of a bank or program. Your own keys override it, also single columns."""

    in_directory: Path | None = None
    """Folder that is watched for exports of a bank or an ERP. Its files are only read; you may move them away
    later.
    """

    in_pattern: PlainText = "*.csv"
    """Name pattern of the files that are read, without regard to case. The log names the files that are skipped."""

    format: Annotated[Literal["auto", "csv", "xlsx", "camt053", "mt940"], Lower, one_of(FILE_FORMATS)] = "auto"
    """The kind of incoming files: CSV, Excel, or the account statements camt.053 and MT940, of which only outgoing
    money counts. auto: recognised from the content of each file. in_pattern must match the files too, as with
    "*.xlsx".
    """

    settle: Seconds = 10.0
    """Seconds for which a file must be unchanged before it is read, because a program may still be writing it."""

    encoding: Encoding = "utf-8-sig"
    """Encoding of all files. utf-8-sig is UTF-8 with or without a byte order mark; Excel in Western Europe writes
    cp1252. A byte order mark in an incoming file overrides this key.
    """

    delimiter: OneSign = ","
    """The character between two cells. A first line such as sep=; in an incoming file overrides this key."""

    decimal_mark: Annotated[str, one_of((".", ","))] = "."
    """The character before the cents."""

    grouping: NoneOrOneSign = ""
    """The character between thousands; empty if there is none. A space means any kind of space, an apostrophe any
    kind of apostrophe.
    """

    day_format: DayWithoutYear = ""
    """Format of dates, such as %d.%m.%Y; empty for 2026-01-31. If the format has no year, the file's name or the
    lines above its header must give exactly one year.
    """

    negate: Annotated[bool, one_of(("true", "false"))] = False
    """Whether payments have negative amounts in the file, as money that leaves a bank account usually has. Amounts
    with the other sign are incoming money, and are never sent.
    """

    columns: Texts = Field(default_factory=dict)
    """The name of the column for each value: invoice, amount and paid_on; optionally key, currency, supplier,
    supplier_id, ours and direction; debit and credit may replace amount. The header is the first row that has all
    of these names. Without a key column, a row is identified by the values in these columns, so two equal rows are
    one payment. If a column name occurs twice, Name#1 is the first.
    """

    only: TextLists = Field(default_factory=dict)
    """Rows that are payments, by the value in a column: { "State" = ["COMPLETED"] }. A value that is listed in none
    of only, void and skip makes the row unreadable, so that a person checks it. Upper and lower case are equal.
    """

    void: TextLists = Field(default_factory=dict)
    """Rows whose payment was reversed, such as { "State" = ["REVERTED"] }. They count as payments of zero."""

    skip: TextLists = Field(default_factory=dict)
    """Rows that are not payments, such as { "Type" = ["FEE"] }. "*" means all other values."""

    paid_out: Words = ("S", "Soll", "D", "DR", "DBIT", "Debit", "Af", "-")
    """Values of the column direction that mean outgoing money."""

    come_in: Words = ("H", "Haben", "C", "CR", "CRDT", "Credit", "Bij", "+")
    """Values of the column direction that mean incoming money. Such rows are never sent. Other values make a row
    unreadable.
    """

    invoice_pattern: Pattern = ""
    """A regular expression that finds the invoice's number in a longer text, such as INV-[0-9]{4,8}. If it has a
    group, the group is the number. Empty: the whole text is the number.
    """

    currency: CurrencyCode = ""
    """The currency of rows without one."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """The text before the key in the column `ours`, in which people may write other things."""

    out_directory: Path | None = None
    """Folder that gets one file for each payment, named after its key."""

    out_done: tuple[Path, ...] = ()
    """Folders to which those files are moved after another program has taken them. A file that is deleted instead may
    be written again.
    """

    out_group: Annotated[str, Allowed("the name or number of a group")] = ""
    """Group of this machine whose members may read those files (mode 0640), such as the group of the program that
    takes them. Empty: only the owner may read them (0600).
    """

    out_columns: Texts = Field(
        default={
            "key": "{key}",
            "invoice": "{invoice_number}",
            "amount": "{amount}",
            "currency": "{currency}",
            "paid_on": "{paid_on}",
            "supplier": "{supplier_name}",
        }
    )
    """The columns of an outgoing file, each with the template of its content."""

    @model_validator(mode="before")
    @classmethod
    def _on_its_layout(cls, given: Any) -> Any:
        return with_layout(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _folders_fit(self) -> Self:
        if self.in_directory is None and self.out_directory is None:
            raise Clash("missing; give in_directory, out_directory or both", at="in_directory")
        if self.in_directory and self.in_directory == self.out_directory:
            raise Clash("is in_directory too; what goes out would come in again", at="out_directory")
        _at("columns", lambda: refuse_unknown(self.columns, _KNOWN_COLUMNS, str))
        if self.in_directory and (self.columns or self.format not in _STATEMENTS):
            _at("columns", lambda: _refuse_incomplete(self.columns))
        for name in _ROW_KINDS:
            _at(name, partial(self._refuse_twice, name))
        if self.out_directory and not has_year(self.day_format):
            raise Clash("has no year, so that days that go out would have none", at="day_format")
        _at("out_columns", lambda: check_templates(self.out_columns, ENTRY_NAMES))
        if self.delimiter == self.decimal_mark:
            raise Clash("is the decimal mark too", at="delimiter")
        return self

    def _refuse_twice(self, name: str) -> None:
        """Raises Clash if a value of a column is listed in two of only, void and skip, since it would give a row two
        meanings.
        """
        for column, values in getattr(self, name).items():
            for other in _ROW_KINDS[_ROW_KINDS.index(name) + 1 :]:
                twice = {one.casefold() for one in values} & {
                    one.casefold() for one in getattr(self, other).get(column, ())
                }
                if twice:
                    raise Clash(f"{column}: {', '.join(sorted(twice))} stands in {other} too")


def _refuse_incomplete(columns: Mapping[str, str]) -> None:
    two = {"debit", "credit"} & columns.keys()
    if two and {"amount", "direction"} & columns.keys():
        raise Clash("names debit or credit, so there is neither amount nor direction")
    if "credit" in two and "debit" not in two:
        raise Clash("names credit and no column for debit, where payments are")
    lacking = [name for name in ("invoice", *(() if two else ("amount",)), "paid_on") if name not in columns]
    if lacking:
        raise Clash(f"names no column for {', '.join(lacking)}")


def _at(where: str, check: Callable[[], None]) -> None:
    try:
        check()
    except Clash as clash:
        raise Clash(str(clash), at=where) from None
