"""one row of the ledger as a payment, or what is wrong with it"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
"""Rows of a ledger that are read and handed on at a time."""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows of one ledger.

    currency         what is assumed where the row has none
    ours_prefix      what stands before our key in the field that keeps it; text without it is somebody else's
    secrets          what no error may show
    invoice_pattern  takes the invoice's number out of a longer text
    """

    writing: Writing = ISO
    currency: str = ""
    ours_prefix: str = ""
    secrets: Sequence[str] = ()
    invoice_pattern: re.Pattern[str] | None = None

    def read(self, row: Mapping[str, Any], where: str, content: str | None = None) -> LedgerPayment | UnreadableRow:
        """`where` names the row where its own key cannot be read; `content` is `LedgerPayment.row`."""
        wrong: list[str] = []

        def attempt(read: Callable[[], Any]) -> Any:
            try:
                return read()
            except CellError as error:
                wrong.append(str(error))
                return None

        key = attempt(lambda: read_name("key", row.get("key")))
        cells = {
            "invoice": attempt(lambda: number_in(read_reference(row.get("invoice")), self.invoice_pattern)),
            **self._money(row, attempt),
            "paid_on": attempt(lambda: read_day(row.get("paid_on"), self.writing)),
            "supplier": attempt(lambda: optional_name("supplier", row.get("supplier"))),
            "supplier_id": attempt(lambda: optional_name("supplier_id", row.get("supplier_id"))),
            "ours": attempt(lambda: self._ours(row.get("ours"))),
        }
        if wrong:
            return self.refuse(key or where, "; ".join(wrong), row)
        return LedgerPayment(key=key, row=content, **cells)

    def _money(self, row: Mapping[str, Any], attempt: Callable[[Callable[[], Any]], Any]) -> Mapping[str, Any]:
        money = attempt(lambda: read_money(row.get("amount"), self.writing))
        own = attempt(lambda: read_currency(row.get("currency")))
        if money is None or own is None:
            return {"amount": None, "currency": None}
        currency = attempt(lambda: settle_currency(own, self.currency, money.currency))
        return {"amount": money.amount, "currency": currency}

    def refuse(self, key: str, reason: str, row: Mapping[str, Any]) -> UnreadableRow:
        raw = json.dumps(dict(row), ensure_ascii=False, default=str)
        return UnreadableRow(key, excerpt(reason, self.secrets), excerpt(raw, self.secrets))

    def _ours(self, value: Any) -> str | None:
        text = optional_name("ours", value)
        if text is None or not self.ours_prefix:
            return text
        return text.removeprefix(self.ours_prefix).strip() or None if text.startswith(self.ours_prefix) else None
