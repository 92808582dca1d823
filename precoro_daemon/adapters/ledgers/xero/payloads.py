"""payments, bills and accounts in Xero's answers, and their meaning"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from precoro_daemon.adapters.ledgers.answers import Absent, rows_at, value_at
from precoro_daemon.adapters.ledgers.cells import CellError, moment_since_1970, read_amount, read_currency, read_day
from precoro_daemon.adapters.ledgers.own_keys import key_in
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.errors import LedgerMisfit, MalformedAnswer
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, Undone, UnreadableRow
from precoro_daemon.payments.rules.receipts import Bill, Receipt

_NO_ID = "00000000-0000-0000-0000-000000000000"
"""The id that Xero shows for an object that was not created."""

_CLOSED = {
    "DRAFT": "it is a draft in Xero: approve it there",
    "SUBMITTED": "it waits for approval in Xero: approve it there",
    "DELETED": "it was deleted in Xero",
    "VOIDED": "it was voided in Xero",
}
_UNTOLD_PAGE_ROWS = 100
"""Rows of a page of a server that does not know the page size parameter."""

_READER = RowReader()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class XeroAccount:
    """Implements `Account`."""

    id: str
    name: str
    currency: str
    closed: str


@dataclass(frozen=True, slots=True)
class NoReceipt:
    """An answer to a payment that names no payment.

    refused  whether Xero says that it recorded none
    words    its whole message
    """

    refused: bool
    words: str


def reference_of(key: str) -> str:
    """Returns the Reference of a payment of this program."""
    return f"Precoro {key}"


def batch_of(rows: Sequence[Any], position: str) -> LedgerBatch:
    read = [one for row in rows if (one := _read_payment(row)) is not None]
    payments = [one for one in read if isinstance(one, LedgerPayment)]
    unreadable = [one for one in read if isinstance(one, UnreadableRow)]
    return LedgerBatch(payments, unreadable, position, [one for one in read if isinstance(one, Undone)])


def _read_payment(row: Any) -> LedgerPayment | UnreadableRow | Undone | None:
    """Reads a payment. Returns None for refunds and for what credit notes, prepayments and overpayments settle."""
    if not isinstance(row, Mapping):
        return _READER.refuse("", "the row is no JSON object", {"row": row})
    if row.get("PaymentType") != "ACCPAYPAYMENT":
        return None
    id_ = row.get("PaymentID")
    if row.get("Status") == "DELETED" and isinstance(id_, str) and id_:
        return Undone(id_)
    cells = {
        "key": id_,
        "invoice": _at(row, "Invoice.InvoiceID"),
        "amount": row.get("Amount"),
        "currency": _at(row, "Invoice.CurrencyCode"),
        "paid_on": row.get("Date"),
        "supplier_id": _at(row, "Invoice.Contact.ContactID"),
        "ours": key_in(row.get("Reference")),
    }
    read = _READER.read(cells, f"changed at {row.get('UpdatedDateUTC')}")
    if isinstance(read, LedgerPayment) and not read.currency:
        return _READER.refuse(read.key, "currency: the bill's is not said", cells)
    return read


def _at(tree: Any, path: str) -> Any:
    try:
        value = value_at(tree, path)
    except Absent:
        return None
    return value if isinstance(value, str) else None


def receipt_of(row: Any, reference: str) -> Receipt | None:
    """Returns the payment of a row with that Reference, or None if it was deleted or is another."""
    if not isinstance(row, Mapping) or row.get("Reference") != reference or row.get("Status") == "DELETED":
        return None
    receipt = _receipt(row)
    return receipt if isinstance(receipt, Receipt) else None


def receipt_in(tree: Any) -> Receipt | NoReceipt:
    """Returns the result of the one payment that was sent."""
    rows = tree.get("Payments") if isinstance(tree, Mapping) else None
    row = rows[0] if isinstance(rows, list) and rows else None
    return _receipt(row) if isinstance(row, Mapping) else NoReceipt(refused=False, words="no payment in the answer")


def _receipt(row: Mapping[str, Any]) -> Receipt | NoReceipt:
    """Reads a payment's result. The status is no proof: Xero answers 200 with an id of zeros if it refuses."""
    id_ = row.get("PaymentID")
    words = "; ".join(_words(row))
    has_id = isinstance(id_, str) and id_ not in ("", _NO_ID)
    if words or row.get("HasValidationErrors") is True or row.get("StatusAttributeString") == "ERROR":
        # A payment with an id may exist despite the error.
        why = words or "without a word of why"
        return NoReceipt(
            refused=not has_id, words=f"PaymentID is {id_!r}, and there is an error: {why}" if has_id else why
        )
    if not has_id:
        return NoReceipt(refused=False, words=f"PaymentID is {id_!r}")
    return Receipt(
        str(id_),
        amount=_read(read_amount, row.get("Amount")),
        currency=_read(read_currency, _at(row, "Invoice.CurrencyCode")) or None,
        paid_on=_read(read_day, row.get("Date")),
        invoice=_at(row, "Invoice.InvoiceID"),
    )


def _words(row: Mapping[str, Any]) -> Iterator[str]:
    errors = row.get("ValidationErrors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping) and isinstance(error.get("Message"), str):
            yield error["Message"]


def _read(read: Callable[[Any], T], value: Any) -> T | None:
    """Reads a value. Returns None if Xero omits it or writes it in an unreadable form."""
    try:
        return read(value)
    except CellError:
        return None


def bill_in(tree: Any, id_: str) -> Bill | None:
    """Returns the bill with that id. Xero also accepts numbers as ids, and may return a customer's invoice."""
    for row in rows_at(tree, "Invoices", may_be_absent=False):
        if isinstance(row, Mapping) and row.get("Type") == "ACCPAY" and _same(row.get("InvoiceID"), id_):
            return _read_bill(row)
    return None


def _same(one: Any, other: str) -> bool:
    return isinstance(one, str) and one.casefold() == other.casefold()


def _read_bill(row: Mapping[str, Any]) -> Bill:
    try:
        open_, currency = read_amount(row.get("AmountDue")), read_currency(row.get("CurrencyCode"))
    except CellError as error:
        raise MalformedAnswer(f"bill {row['InvoiceID']}: {error}") from None
    if not currency:
        raise MalformedAnswer(f"bill {row['InvoiceID']}: it has no currency")
    return Bill(row["InvoiceID"], open_, currency, _CLOSED.get(str(row.get("Status")), ""))


def read_account(tree: Any) -> XeroAccount | None:
    rows = rows_at(tree, "Accounts", may_be_absent=False)
    row = rows[0] if rows else None
    if not isinstance(row, Mapping) or not isinstance(row.get("AccountID"), str):
        return None
    closed = "" if row.get("Status") == "ACTIVE" else "it is not active in Xero"
    return XeroAccount(row["AccountID"], str(row.get("Name")), str(row.get("CurrencyCode") or ""), closed)


def is_full(tree: Mapping[str, Any], rows: int, page: int, size: int) -> bool:
    """Checks whether another page follows.

    If Xero does not say so, a page is full if it has the requested size, or a multiple of the old size, which a
    server uses that does not know the parameter.
    """
    pages = value_at(tree, "pagination.pageCount")
    if isinstance(pages, int):
        return page < pages
    return rows >= size or (rows > 0 and rows % _UNTOLD_PAGE_ROWS == 0)


def moments_of(rows: Sequence[Any]) -> Iterator[datetime]:
    """Yields the times of the rows' last changes. A row without one does not block the others."""
    for row in rows:
        value = row.get("UpdatedDateUTC") if isinstance(row, Mapping) else None
        if isinstance(value, str) and (moment := moment_since_1970(value)):
            yield moment


def moment_text(moment: datetime) -> str:
    """Returns a time in the form of If-Modified-Since at Xero: UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def read_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise LedgerMisfit(f"read: {text!r} is no position in Xero's payments") from None
