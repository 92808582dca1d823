"""what QuickBooks says of payments, bills and accounts, and what that means"""

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
"""How a payment from an account of a type is called, and where it names the account."""

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
        """What a payment from it says of it."""
        kind, detail, reference = _PAY_TYPES[self.type]
        return {"PayType": kind, detail: {reference: {"value": self.id}}}


_NO_BILL = "(none that it names)"
"""What stands where a payment that is there does not say which bill it pays. No bill is called so."""


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill with what a payment of it has to name: whom, and which account of payables where the bill names one."""

    bill: Bill
    vendor: str
    payables: str


@dataclass(slots=True)
class Documents:
    """Payments as they were read: each document pays one bill or several, and each bill in it is a payment here."""

    payments: list[LedgerPayment] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)


def read_documents(rows: Sequence[Any], home: str) -> Documents:
    """home  the currency of documents that name none, as where a company has no other"""
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
        # What it does not pay any more was taken back: deleted or voided as a whole, or one bill taken out of it.
        found.undone.append(Undone(id_, [f"{id_}/{bill}" for bill in shares]))
        for bill, amount in shares.items():
            read = _read_payment(row, bill, amount, home)
            if isinstance(read, LedgerPayment):
                found.payments.append(read)
            else:
                found.unreadable.append(read)
    return found


def _shares(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The money that each bill got; None where nobody can tell.

    A payment may settle credits too, by journal entries as well: its total is then less than what its bills got.
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
    """What is no number stays none, and is shown as such."""
    both = isinstance(one, int | Decimal) and isinstance(other, int | Decimal)
    return one + other if both else None


def _lines(row: Mapping[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """Amount, kind and id of what each line settles. A document that was voided has no lines, or no amounts."""
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
    """Our key. People write into the memo; the number then still is our short key."""
    return key_in(row.get("PrivateNote")) or short_key_in(row.get("DocNumber"))


def _text(tree: Any, path: str) -> str | None:
    value = value_at(tree, path)
    return value if isinstance(value, str) and value else None


def receipts_in(row: Mapping[str, Any]) -> Iterator[Receipt]:
    """One for each bill that the document pays; none if it was voided. One that stands and of which nobody can tell
    what it pays is no receipt for any bill, and there all the same."""
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
    """When it changed."""
    return read_moment(value_at(row, "MetaData.LastUpdatedTime"))


def read_moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
