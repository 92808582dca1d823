"""what Business Central's answers say, and what a payment looks like to it"""

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
"""What of a purchase invoice is the externalId in Precoro."""

_LONGEST_DESCRIPTION = 100
_NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class PurchaseInvoice:
    """A vendor's invoice. status: Open once it is posted and not paid whole"""

    id: str
    number: str
    status: str
    currency: str
    total: Decimal
    vendor: str


def rows_of(tree: Any, what: str) -> Sequence[Row]:
    """The rows of a list that must be whole. Raises MalformedAnswer."""
    rows = tree.get("value") if isinstance(tree, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedAnswer(f"{what}: the answer has no list of rows at value")
    return rows


def read_invoice(row: Row) -> PurchaseInvoice:
    """Raises MalformedAnswer."""
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
    """A journal line as what was recorded. Its currency stands nowhere. Raises MalformedAnswer."""
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
    """As the field has it: in capitals."""
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
