"""[ledger.csv]: files of payments that come in, and files that go out"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from precoro_daemon.payments.rules.entries import ENTRY_NAMES
from precoro_daemon.settings.ledger_values import (
    CurrencyCode,
    DayFormat,
    Encoding,
    NoneOrOneSign,
    OneSign,
    PlainText,
    Texts,
    check_templates,
    refuse_unknown,
)
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Seconds, one_of

_REQUIRED = ("invoice", "amount", "paid_on")
_KNOWN_COLUMNS = ("key", *_REQUIRED, "currency", "supplier", "ours")


class CsvLedger(Section):
    """Folders with files. At least one of in_directory and out_directory."""

    in_directory: Path | None = None
    """Folder that is watched for exports of a bank or an ERP. Files are only read; moving them away later is fine."""

    in_pattern: PlainText = "*.csv"
    """Which files of it."""

    settle: Seconds = 10.0
    """Seconds a file must not have changed before it is read: a program may still be writing it."""

    encoding: Encoding = "utf-8-sig"
    """Of all files. utf-8-sig is UTF-8 with or without a byte order mark; Excel in Western Europe writes cp1252."""

    delimiter: OneSign = ","
    """What stands between two cells."""

    decimal_mark: Annotated[str, one_of((".", ","))] = "."
    """What stands before the cents."""

    grouping: NoneOrOneSign = ""
    """What stands between thousands; empty for nothing."""

    day_format: DayFormat = ""
    """How days are written, such as %d.%m.%Y; empty for 2026-01-31."""

    negate: Annotated[bool, one_of(("true", "false"))] = False
    """Whether payments have a negative amount in the file, as money that leaves a bank account has."""

    columns: Texts = Field(default_factory=dict)
    """Which column holds what: invoice, amount and paid_on, and perhaps key, currency, supplier and ours. Without a
    key column a row is known by what these columns say, and two rows that say the same are one payment."""

    currency: CurrencyCode = ""
    """What is assumed where a row has no currency."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """What stands before the key in the column `ours`, where people may write other things."""

    out_directory: Path | None = None
    """Folder that gets one file for each payment, named by its key."""

    out_done: tuple[Path, ...] = ()
    """Folders to which those files are moved once they were taken. A file that is deleted may be written again."""

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

    @model_validator(mode="after")
    def _folders_fit(self) -> Self:
        if self.in_directory is None and self.out_directory is None:
            raise Clash("missing; give in_directory, out_directory or both", at="in_directory")
        if self.in_directory and self.in_directory == self.out_directory:
            raise Clash("is in_directory too; what goes out would come in again", at="out_directory")
        _at("columns", lambda: refuse_unknown(self.columns, _KNOWN_COLUMNS, str))
        lacking = [name for name in _REQUIRED if name not in self.columns] if self.in_directory else []
        if lacking:
            raise Clash(f"names no column for {', '.join(lacking)}", at="columns")
        _at("out_columns", lambda: check_templates(self.out_columns, ENTRY_NAMES))
        if self.delimiter == self.decimal_mark:
            raise Clash("is the decimal mark too", at="delimiter")
        return self


def _at(where: str, check: Callable[[], None]) -> None:
    try:
        check()
    except Clash as clash:
        raise Clash(str(clash), at=where) from None
