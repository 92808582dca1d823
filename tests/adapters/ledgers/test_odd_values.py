"""One odd value in what a ledger says costs one payment or one call, never the process: each value in each place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest

from precoro_daemon.adapters.ledgers.answers import parse, rows_at
from precoro_daemon.adapters.ledgers.business_central import payloads as business_central
from precoro_daemon.adapters.ledgers.quickbooks import payloads as quickbooks
from precoro_daemon.adapters.ledgers.rest_rows import RowShape, positions_of, read_rows
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.adapters.ledgers.xero import payloads as xero
from precoro_daemon.errors import LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.payments.rules.invoices import Invoice, read_invoice
from precoro_daemon.values.money import read_amount

ABSENT: Any = object()

_JSON = msgspec.json.Encoder(decimal_format="number")

ODD: list[Any] = [
    ABSENT, None, True, False, 0, -1, "", "x", [], [1], [[]], {}, {"id": 1}, [{"a": 1}, {"a": 2}], 10**400,
    Decimal("1e5000"), Decimal("1e999999999"), Decimal("-0.1"), Decimal("1e-999999"), "1e5000",
    "/Date(99999999999999999)/", "/Date(1573755038314)/", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "Infinity", "2026-03-01",
]  # fmt: skip

XERO_PAYMENT = {
    "PaymentID": "p", "PaymentType": "ACCPAYPAYMENT", "Status": "AUTHORISED", "Amount": Decimal("1.5"),
    "Date": "/Date(1573755038314)/", "UpdatedDateUTC": "/Date(1573755038314)/", "Reference": "ours",
    "HasValidationErrors": False,
    "Invoice": {"InvoiceID": "i", "CurrencyCode": "EUR", "Contact": {"ContactID": "c"}},
}  # fmt: skip
XERO_BILL = {"Type": "ACCPAY", "InvoiceID": "i", "AmountDue": Decimal(1), "CurrencyCode": "EUR", "Status": "PAID"}
XERO_ACCOUNT = {"AccountID": "i", "Status": "ACTIVE", "Name": "b", "CurrencyCode": "EUR"}
BILL_PAYMENT = {
    "Id": "1", "TotalAmt": Decimal(5), "TxnDate": "2026-03-01", "CurrencyRef": {"value": "EUR"},
    "VendorRef": {"value": "3"}, "DocNumber": "x", "PrivateNote": "y",
    "MetaData": {"LastUpdatedTime": "2026-03-01T00:00:00Z"},
    "Line": [{"Amount": Decimal(5), "LinkedTxn": [{"TxnId": "9", "TxnType": "Bill"}]}],
}  # fmt: skip
QUICKBOOKS_BILL = {"Id": "1", "Balance": Decimal(5), "CurrencyRef": {"value": "EUR"}, "VendorRef": {"value": "3"}}
JOURNAL_LINE = {"id": "x", "appliesToInvoiceId": "i", "amount": Decimal(5), "postingDate": "2026-03-01"}
PURCHASE_INVOICE = {
    "id": "x", "number": "i", "totalAmountIncludingTax": Decimal(5), "status": "Open", "currencyCode": "EUR",
    "vendorId": "v",
}  # fmt: skip
REST_ROW = {"id": 1, "bills": [{"number": "17"}], "sum": "1.00", "day": "2026-03-01", "at": "2026", "is": "posted"}
FIELDS = {"invoice": "bills.only.number", "amount": "sum", "paid_on": "day"}
SHAPES = [
    RowShape(("id",), FIELDS, "at", only={"is": ("posted",)}, void={"bills.only.number": ("void",)}),
    RowShape(("bills.only.number",), FIELDS, "bills.only.number"),
    RowShape(("id", "bills.number"), FIELDS | {"invoice": "bills.number"}, "at", each="bills"),
]
INVOICE = {
    "id": 1, "idn": 17, "status": {"id": 2}, "sum": "100.0", "sumPaid": "1.0", "currency": "EUR", "logicType": 0,
    "supplier": {"id": 3, "name": "S"}, "invoiceNumber": "A", "externalId": "e",
    "payments": {"data": [{"id": 4, "idn": 5, "sumPaid": "1.0", "status": 2, "payDate": "2026-03-01T00:00:00+02:00",
                           "createDate": "2026-03-01T00:00:00+02:00", "invoice": {"id": 1}}]},
}  # fmt: skip


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def with_odd(tree: Any) -> Iterator[Any]:
    """The tree with each odd value in each place."""
    for path in places(tree):
        for value in ODD:
            changed = copy.deepcopy(tree)
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            if value is ABSENT:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            yield changed


def _shown(read: Invoice) -> object:
    return read.remainder, read.hidden, [one.days for one in read.standing]


READERS: list[tuple[str, Any, Callable[[Any], object]]] = [
    ("xero payments", [XERO_PAYMENT], lambda rows: xero.batch_of(rows, "")),
    ("xero moments", [XERO_PAYMENT], lambda rows: list(xero.moments_of(rows))),
    ("xero receipt", {"Payments": [XERO_PAYMENT]}, xero.receipt_in),
    ("xero bill", {"Invoices": [XERO_BILL]}, lambda tree: xero.bill_in(tree, "i")),
    ("xero account", {"Accounts": [XERO_ACCOUNT]}, xero.read_account),
    ("quickbooks documents", [BILL_PAYMENT], lambda rows: quickbooks.read_documents(rows, "EUR")),
    ("quickbooks receipts", BILL_PAYMENT, lambda row: list(quickbooks.receipts_in(row))),
    ("quickbooks moment", BILL_PAYMENT, quickbooks.moment_in),
    ("business_central line", JOURNAL_LINE, lambda row: business_central.read_line(row, "id")),
    ("business_central invoice", PURCHASE_INVOICE, business_central.read_invoice),
    *[(f"rest {at}", [REST_ROW], partial(read_rows, shape=one, reader=RowReader())) for at, one in enumerate(SHAPES)],
    ("rest list", {"a": [{"rows": [1]}]}, lambda tree: rows_at(tree, "a.only.rows", may_be_absent=False)),
    ("invoice", INVOICE, lambda tree: _shown(read_invoice(json.dumps(tree, default=str)))),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "read"), [one[1:] for one in READERS], ids=[one[0] for one in READERS])
def test_an_odd_value_is_read_or_refused(tree: Any, read: Callable[[Any], object]) -> None:
    count = 0
    for odd in with_odd(tree):
        with suppress(TemporaryError, PermanentError):
            read(parse(_JSON.encode(odd)))
        count += 1
    assert count >= len(ODD)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_odd_position_holds_up_no_other(shape: RowShape) -> None:
    for odd in with_odd(REST_ROW):
        try:
            found = list(positions_of([odd, REST_ROW], shape))
        except LedgerMisfit:  # a list or an object: the configuration names something else
            continue
        if shape.position == "at":
            assert found[-1] == "2026"
        assert "/Date(99999999999999999)/" not in found


def test_an_amount_that_would_fill_the_memory_is_none() -> None:
    assert read_amount(Decimal("1e999999999")) is None
    assert read_amount(Decimal("1e-999999999")) is None
    assert read_amount(Decimal("1e3")) == 1000


def test_a_credit_note_is_one_in_whatever_shape_its_type_comes() -> None:
    for kind in (1, "1", {"id": 1}, {"id": "5"}):
        assert read_invoice(json.dumps(INVOICE | {"logicType": kind})).credit_note
    for kind in (0, None, {"id": 0}, [], "x"):
        assert not read_invoice(json.dumps(INVOICE | {"logicType": kind})).credit_note
