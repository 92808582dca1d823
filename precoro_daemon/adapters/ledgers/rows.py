"""one row of the ledger as a payment, or its faults"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from precoro_daemon.adapters.ledgers.cells import (
    ISO,
    CellError,
    Writing,
    number_in,
    optional_name,
    read_currency,
    read_day,
    read_money,
    read_name,
    read_reference,
    settle_currency,
)
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, UnreadableRow
from precoro_daemon.telemetry import excerpt

REQUIRED = ("key", "invoice", "amount", "paid_on")
OPTIONAL = ("currency", "supplier", "supplier_id", "ours")
PAYMENT_COLUMNS = (*REQUIRED, *OPTIONAL)

ROWS_A_BATCH = 500
"""The most rows that are read and handed on in one batch."""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows of one ledger.

    currency         the currency of a row that names none
    ours_prefix      the text before this program's key in the field that stores it; other text is not this program's
    secrets          texts that no error may show
    invoice_pattern  finds the invoice's number in a longer text
    """

    writing: Writing = ISO
    currency: str = ""
    ours_prefix: str = ""
    secrets: Sequence[str] = ()
    invoice_pattern: re.Pattern[str] | None = None

    def read(self, row: Mapping[str, Any], where: str, content: str | None = None) -> LedgerPayment | UnreadableRow:
        """Reads a row. `where` names a row whose own key is unreadable; `content` is `LedgerPayment.row`."""
        try:
            amount, currency = self._money(row)
            return LedgerPayment(
                self._key(row),
                self._invoice(row),
                amount,
                currency,
                self._day(row),
                self._supplier(row),
                self._ours(row),
                self._supplier_id(row),
                content,
            )
        except CellError:
            return self.refuse(self._key_or(where, row), "; ".join(dict.fromkeys(self._faults(row))), row)

    def _faults(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Yields every fault of a row, so that a person can correct all at once."""
        # The currency is checked twice: alone, and against the one beside the amount.
        for read in (
            self._key, self._invoice, self._money, _currency, self._day, self._supplier, self._supplier_id, self._ours
        ):  # fmt: skip
            try:
                read(row)
            except CellError as error:
                yield str(error)

    def _key_or(self, where: str, row: Mapping[str, Any]) -> str:
        try:
            return self._key(row)
        except CellError:
            return where

    def _key(self, row: Mapping[str, Any]) -> str:
        return read_name("key", row.get("key"))

    def _invoice(self, row: Mapping[str, Any]) -> str:
        return number_in(read_reference(row.get("invoice")), self.invoice_pattern)

    def _money(self, row: Mapping[str, Any]) -> tuple[Decimal, str]:
        money = read_money(row.get("amount"), self.writing)
        return money.amount, settle_currency(_currency(row), self.currency, money.currency)

    def _day(self, row: Mapping[str, Any]) -> date:
        return read_day(row.get("paid_on"), self.writing)

    def _supplier(self, row: Mapping[str, Any]) -> str | None:
        return optional_name("supplier", row.get("supplier"))

    def _supplier_id(self, row: Mapping[str, Any]) -> str | None:
        return optional_name("supplier_id", row.get("supplier_id"))

    def refuse(self, key: str, reason: str, row: Mapping[str, Any]) -> UnreadableRow:
        raw = json.dumps(dict(row), ensure_ascii=False, default=str)
        return UnreadableRow(key, excerpt(reason, self.secrets), excerpt(raw, self.secrets))

    def _ours(self, row: Mapping[str, Any]) -> str | None:
        text = optional_name("ours", row.get("ours"))
        if text is None or not self.ours_prefix:
            return text
        return text.removeprefix(self.ours_prefix).strip() or None if text.startswith(self.ours_prefix) else None


def _currency(row: Mapping[str, Any]) -> str:
    return read_currency(row.get("currency"))
