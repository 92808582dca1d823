"""payments, bills and accounts in QuickBooks' answers, and their meaning"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from precoro_daemon.adapters.ledgers.answers import value_at
from precoro_daemon.adapters.ledgers.cells import CellError, read_amount, read_currency, read_day
from precoro_daemon.adapters.ledgers.own_keys import key_in, short_key_in
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.errors import MalformedAnswer
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, Undone, UnreadableRow
from precoro_daemon.payments.rules.receipts import Bill, Receipt

_PAY_TYPES = {"Bank": ("Check", "CheckPayment", "BankAccountRef"),
              "Credit Card": ("CreditCard", "CreditCardPayment", "CCAccountRef")}  # fmt: skip
"""By type of account: the payment's type, and the fields that name the account."""

_READER = RowReader()


@dataclass(frozen=True, slots=True)
class QuickbooksAccount:
    """Implements `Account`."""

    id: str
    name: str
    currency: str
    closed: str
    type: str

    def pays(self) -> dict[str, Any]:
        """Returns the fields by which a payment names this account."""
        kind, detail, reference = _PAY_TYPES[self.type]
        return {"PayType": kind, detail: {reference: {"value": self.id}}}


_NO_BILL = "(none that it names)"
"""The invoice of an existing payment that does not say which bill it pays. No bill has this name."""


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill with what its payment must name.

    vendor    the vendor's id
    payables  the account of payables, "" if the bill names none
    """

    bill: Bill
    vendor: str
    payables: str


@dataclass(slots=True)
class Documents:
    """The payments of some documents. A document pays one or several bills, and each bill in it is a payment here."""

    payments: list[LedgerPayment] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)


def read_documents(rows: Sequence[Any], home: str) -> Documents:
    """Reads documents.

    home  the currency of documents that name none, because their company uses only one
    """
    found = Documents()
    for row in rows:
        id_ = row.get("Id") if isinstance(row, Mapping) else None
        if not isinstance(id_, str) or not id_:
            found.unreadable.append(_READER.refuse("", "a payment without an Id", {"row": row}))
            continue
        shares = {} if row.get("status") == "Deleted" else _shares(row)
        if shares is None:
            why = "it pays several bills, and credits in part: how much money each got is not known"
            found.unreadable.append(_READER.refuse(id_, why, row))
            continue
        # Bills that it no longer pays were taken back: it was deleted or voided, or one bill was removed.
        found.undone.append(Undone(id_, [f"{id_}/{bill}" for bill in shares]))
        for bill, amount in shares.items():
            read = _read_payment(row, bill, amount, home)
            if isinstance(read, LedgerPayment):
                found.payments.append(read)
            else:
                found.unreadable.append(read)
    return found


def _shares(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns the money that each bill got, or None if that is unknown.

    A payment may also settle credits, by journal entries too. Its total is then less than the sum of its bills.
    Credits alone are no payment.
    """
    bills: dict[str, Any] = {}
    credits_ = False
    for amount, kind, id_ in _lines(row):
        if kind == "Bill":
            bills[id_] = _sum(bills[id_], amount) if id_ in bills else amount
        credits_ |= kind == "VendorCredit"
    total = row.get("TotalAmt")
    if not credits_ and not _is_less(total, bills.values()):
        return bills
    if total == 0 or not bills:
        return {}
    return {next(iter(bills)): total} if len(bills) == 1 else None


def _is_less(total: Any, amounts: Iterable[Any]) -> bool:
    numbers = [one for one in (total, *amounts) if isinstance(one, int | Decimal)]
    return len(numbers) > 1 and numbers[0] is total and numbers[0] < sum(numbers[1:])


def _sum(one: Any, other: Any) -> Any:
    """Returns the sum, or None if a summand is no number, which is then reported as unreadable."""
    both = isinstance(one, int | Decimal) and isinstance(other, int | Decimal)
    return one + other if both else None


def _lines(row: Mapping[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """Yields amount, kind and id of what each line settles. A voided document has no lines, or no amounts."""
    lines = row.get("Line")
    for line in lines if isinstance(lines, list) else ():
        linked = line.get("LinkedTxn") if isinstance(line, Mapping) else None
        for one in linked if isinstance(linked, list) else ():
            if isinstance(one, Mapping) and isinstance(one.get("TxnId"), str):
                yield line.get("Amount"), str(one.get("TxnType")), one["TxnId"]


def _read_payment(row: Mapping[str, Any], bill: str, amount: Any, home: str) -> LedgerPayment | UnreadableRow:
    cells = {
        "key": f"{row['Id']}/{bill}",
        "invoice": bill,
        "amount": amount,
        "currency": _text(row, "CurrencyRef.value") or home,
        "paid_on": row.get("TxnDate"),
        "supplier_id": _text(row, "VendorRef.value"),
        "ours": ours_in(row),
    }
    return _READER.read(cells, f"{row['Id']}/{bill}")


def ours_in(row: Mapping[str, Any]) -> str | None:
    """Returns this program's key from the memo, or the short key from the number if people have edited the memo."""
    return key_in(row.get("PrivateNote")) or short_key_in(row.get("DocNumber"))


def _text(tree: Any, path: str) -> str | None:
    value = value_at(tree, path)
    return value if isinstance(value, str) and value else None


def receipts_in(row: Mapping[str, Any]) -> Iterator[Receipt]:
    """Yields a receipt for each bill that the document pays, none if it was voided.

    If a document has an amount but does not say what it pays, yields one receipt without a bill, because the
    payment exists. Raises MalformedAnswer.
    """
    if not isinstance(row.get("Id"), str):
        raise MalformedAnswer("a payment without an Id")
    shares = _shares(row)
    total = _amount(row.get("TotalAmt"))
    if not shares and total:
        yield Receipt(row["Id"], amount=total, currency=_currency(row), paid_on=_day(row), invoice=_NO_BILL)
    for bill, amount in (shares or {}).items():
        yield Receipt(
            f"{row['Id']}/{bill}",
            amount=_amount(amount),
            currency=_currency(row),
            paid_on=_day(row),
            invoice=bill,
        )


def _amount(value: Any) -> Decimal | None:
    try:
        return read_amount(value)
    except CellError:
        return None


def _currency(row: Mapping[str, Any]) -> str | None:
    try:
        return read_currency(_text(row, "CurrencyRef.value")) or None
    except CellError:
        return None


def _day(row: Mapping[str, Any]) -> Any:
    try:
        return read_day(row.get("TxnDate"))
    except CellError:
        return None


def read_bill(row: Mapping[str, Any], home: str) -> OpenBill:
    try:
        open_ = read_amount(row.get("Balance"))
        currency = read_currency(_text(row, "CurrencyRef.value")) or home
    except CellError as error:
        raise MalformedAnswer(f"bill {row['Id']}: {error}") from None
    vendor = _text(row, "VendorRef.value")
    if vendor is None:
        raise MalformedAnswer(f"bill {row['Id']}: it names no vendor")
    return OpenBill(Bill(row["Id"], open_, currency), vendor, _text(row, "APAccountRef.value") or "")


def read_account(row: Mapping[str, Any], home: str) -> QuickbooksAccount:
    kind = str(row.get("AccountType"))
    closed = "" if row.get("Active", True) else "it is not active in QuickBooks"
    if kind not in _PAY_TYPES:
        closed = f"it is of type {kind}; bills are paid from {' or '.join(_PAY_TYPES)}"
    currency = _text(row, "CurrencyRef.value") or home
    return QuickbooksAccount(row["Id"], str(row.get("Name")), currency, closed, kind)


def moment_in(row: Any) -> datetime | None:
    """Returns the time of a document's last change, or None."""
    return read_moment(value_at(row, "MetaData.LastUpdatedTime"))


def read_moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
