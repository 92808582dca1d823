"""[ledger.csv]: files of payments that come in, and files that go out"""

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
    """Folders with files. At least one of in_directory and out_directory."""

    layout: (
        Annotated[
            Literal["chase", "datev", "dkb", "ing_de", "ing_nl", "n26", "revolut", "sparkasse", "vr", "wise"],
            Lower,
            one_of(LAYOUTS),
        ]
        | None
    ) = None
    """How a bank or a program writes its files, known by name. Your own keys win over it, also single columns."""

    in_directory: Path | None = None
    """Folder that is watched for exports of a bank or an ERP. Files are only read; moving them away later is fine."""

    in_pattern: PlainText = "*.csv"
    """Which files of it, in any case of letters. The log tells which files are passed over."""

    format: Annotated[Literal["auto", "csv", "xlsx", "camt053", "mt940"], Lower, one_of(FILE_FORMATS)] = "auto"
    """What kind of files come in: CSV, Excel, or the account statements camt.053 and MT940, of which only what went
    out counts. auto: by what each file holds. in_pattern must let them in, as with "*.xlsx"."""

    settle: Seconds = 10.0
    """Seconds a file must not have changed before it is read: a program may still be writing it."""

    encoding: Encoding = "utf-8-sig"
    """Of all files. utf-8-sig is UTF-8 with or without a byte order mark; Excel in Western Europe writes cp1252. A
    byte order mark in a file that comes in says more than this key."""

    delimiter: OneSign = ","
    """What stands between two cells. A first line such as sep=; in a file that comes in says more than this key."""

    decimal_mark: Annotated[str, one_of((".", ","))] = "."
    """What stands before the cents."""

    grouping: NoneOrOneSign = ""
    """What stands between thousands; empty for nothing. A space stands for spaces of any kind, an apostrophe for
    apostrophes of any kind."""

    day_format: DayWithoutYear = ""
    """How days are written, such as %d.%m.%Y; empty for 2026-01-31. Without a year, the file's name or the lines
    above its header must tell one year."""

    negate: Annotated[bool, one_of(("true", "false"))] = False
    """Whether payments have a negative amount in the file, as money that leaves a bank account has. What has the
    other sign came in, and is never sent."""

    columns: Texts = Field(default_factory=dict)
    """Which column holds what: invoice, amount and paid_on, and perhaps key, currency, supplier, supplier_id, ours
    and direction; or debit and credit in the place of amount. The header is the first row that has all of these.
    Without a key column a row is known by what these columns say, and two rows that say the same are one payment.
    Of a column that is there twice, Name#1 is the first."""

    only: TextLists = Field(default_factory=dict)
    """Rows that are payments, by what stands in a column: { "State" = ["COMPLETED"] }. A value that neither only nor
    void nor skip names makes the row unreadable, so that a person looks at it. Case of letters does not count."""

    void: TextLists = Field(default_factory=dict)
    """Rows whose payment was undone, such as { "State" = ["REVERTED"] }: a payment of nothing."""

    skip: TextLists = Field(default_factory=dict)
    """Rows that are no payments, such as { "Type" = ["FEE"] }. "*" stands for all other values."""

    paid_out: Words = ("S", "Soll", "D", "DR", "DBIT", "Debit", "Af", "-")
    """What stands in the column direction where money was paid out."""

    come_in: Words = ("H", "Haben", "C", "CR", "CRDT", "Credit", "Bij", "+")
    """What stands there where it came in. Such rows are never sent; other values make a row unreadable."""

    invoice_pattern: Pattern = ""
    """A regular expression that finds the invoice's number in a longer text, such as INV-[0-9]{4,8}; its group, if it
    has one, is the number. Empty: the whole text is the number."""

    currency: CurrencyCode = ""
    """What is assumed where a row has no currency."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """What stands before the key in the column `ours`, where people may write other things."""

    out_directory: Path | None = None
    """Folder that gets one file for each payment, named by its key."""

    out_done: tuple[Path, ...] = ()
    """Folders to which those files are moved once they were taken. A file that is deleted may be written again."""

    out_group: Annotated[str, Allowed("the name or number of a group")] = ""
    """Group of this machine whose members may read those files (mode 0640), such as that of the program that takes
    them. Empty: nobody but their owner (0600)."""

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
    """The columns of a file, and what stands in them."""

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
        """A value makes one thing of a row."""
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
