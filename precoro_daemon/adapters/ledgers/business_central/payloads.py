"""the contents of Business Central's answers, and a payment in its format"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from precoro_daemon.adapters.ledgers.cells import CellError, read_amount, read_day
from precoro_daemon.errors import MalformedAnswer
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.entries import short_key
from precoro_daemon.payments.rules.receipts import Receipt

Row = Mapping[str, Any]

BillName = Literal["id", "number"]
"""The property of a purchase invoice that is the externalId in Precoro."""

_LONGEST_DESCRIPTION = 100
_NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class PurchaseInvoice:
    """A vendor's invoice.

    status  Open if it is posted and not fully paid
    """

    id: str
    number: str
    status: str
    currency: str
    total: Decimal
    vendor: str


def rows_of(tree: Any, what: str) -> Sequence[Row]:
    """Returns the rows of a list, all of which must be objects. Raises MalformedAnswer."""
    rows = tree.get("value") if isinstance(tree, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedAnswer(f"{what}: the answer has no list of rows at value")
    return rows


def read_invoice(row: Row) -> PurchaseInvoice:
    """Reads a purchase invoice. Raises MalformedAnswer."""
    if not isinstance(row, Mapping) or not row.get("id"):
        raise MalformedAnswer("purchase invoice: the answer names none")
    try:
        total = read_amount(row.get("totalAmountIncludingTax"))
    except CellError as error:
        raise MalformedAnswer(f"purchase invoice: {error}") from None
    return PurchaseInvoice(
        id=str(row["id"]),
        number=str(row.get("number") or row["id"]),
        status=str(row.get("status") or "").strip(),
        currency=str(row.get("currencyCode") or ""),
        total=total,
        vendor=str(row.get("vendorId") or ""),
    )


def read_line(row: Row, bill_name: BillName) -> Receipt:
    """Reads a journal line as a receipt, without a currency, because a line has none. Raises MalformedAnswer."""
    identity = str(row.get("id") or "")
    invoice = str(row.get("appliesToInvoiceId" if bill_name == "id" else "appliesToInvoiceNumber") or "")
    try:
        amount, day = read_amount(row.get("amount")), read_day(row.get("postingDate"))
    except CellError as error:
        raise MalformedAnswer(f"journal line {identity}: {error}") from None
    if identity in ("", _NO_ID):
        raise MalformedAnswer("the journal line has no id")
    return Receipt(identity, amount, None, day, invoice or "none")


def document_number(key: str) -> str:
    """Returns the short key in capitals, as the field stores it."""
    return short_key(key).upper()


def line_of(entry: Entry, invoice: PurchaseInvoice) -> dict[str, Any]:
    number = document_number(entry.key)
    shown = "".join(sign for sign in entry.invoice_number if sign.isprintable())
    return {
        "vendorId": invoice.vendor,
        "postingDate": entry.paid_on.isoformat(),
        "documentNumber": number,
        "externalDocumentNumber": number,
        "amount": entry.amount,
        "appliesToInvoiceId": invoice.id,
        "description": f"Precoro {shown}".strip()[:_LONGEST_DESCRIPTION],
    }
