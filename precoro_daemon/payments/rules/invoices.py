"""invoices and their payments, read from loose JSON with every digit"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from precoro_daemon.errors import BadRecord
from precoro_daemon.values.json_reading import nested, plain_number, reference, whole_number
from precoro_daemon.values.money import ROUNDING_CENT, read_amount

APPROVED, DENIED, PARTLY_PAID, PAID, CANCELED = 2, 3, 4, 5, 8
PAYABLE = frozenset({APPROVED, PARTLY_PAID})
_CREDIT_NOTES = frozenset({1, 5})
_EXACT_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str)
"""Reads a number with a decimal point as a Decimal, without a binary float in between. Created once, for thousands of
reads.
"""

_LONGEST_INTEGER_DIGITS = 4_000
"""The most digits of an integer that Python reads. No field that payments need is that long, but another one may
be.
"""

IMPORTED_BY: Mapping[str, str] = {"xero_id": "xeroId", "qbo_id": "qboId", "netsuite_id": "netSuiteId"}
"""Where Precoro's own connectors store the ledger's name for an invoice."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as Precoro shows it.

    day          day of `payDate` as written, None if unreadable
    utc_day      the same in UTC
    created_at   Unix seconds, None if unknown
    external_id  the name that its creator, or we later, gave it; None if none
    invoice_id   None if it is part of its invoice
    """

    id: int
    idn: int | str | None
    amount: Decimal | None
    currency: str
    day: date | None
    utc_day: date | None
    canceled: bool
    external_id: str | None
    created_at: float | None = None
    invoice_id: int | None = None

    @property
    def days(self) -> frozenset[date]:
        """Every day that `payDate` may mean."""
        return frozenset(day for day in (self.day, self.utc_day) if day is not None)

    def completed(self, listed: Payment) -> Payment:
        """Returns the payment, completed from the list of payments with what its invoice does not repeat."""
        days = (listed.day, listed.utc_day) if self.day is None else (self.day, self.utc_day)
        return replace(
            self,
            amount=listed.amount if self.amount is None else self.amount,
            currency=self.currency or listed.currency,
            day=days[0],
            utc_day=days[1],
            external_id=self.external_id or listed.external_id,
            created_at=listed.created_at if self.created_at is None else self.created_at,
        )

    @property
    def is_whole(self) -> bool:
        """Whether it has everything that decisions need."""
        return None not in (self.amount, self.day, self.created_at)


@dataclass(frozen=True, slots=True)
class Supplier:
    """Precoro's names for a payee; `external_id` only if the mirror knows it."""

    id: int | None = None
    name: str = ""
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as Precoro shows it.

    total, paid  exact, None if unreadable
    imported     the ledger's names for it from Precoro's own connectors, by the name that `match_by` uses
    payments     all of them, cancelled ones too; None if it was read from a list, which has none
    """

    id: int
    idn: int | str | None
    number: str
    status: int | None
    currency: str
    total: Decimal | None
    paid: Decimal | None
    supplier: Supplier
    external_id: str | None
    credit_note: bool = False
    payments: Sequence[Payment] | None = None
    imported: Mapping[str, str] = field(default_factory=dict)

    @property
    def remainder(self) -> Decimal | None:
        return None if self.total is None or self.paid is None else self.total - self.paid

    @property
    def hidden(self) -> Decimal:
        """The sum that was paid according to the invoice, but not by the payments that it shows."""
        shown = sum((payment.amount or Decimal(0) for payment in self.standing), Decimal(0))
        return Decimal(0) if self.paid is None else self.paid - shown

    @property
    def hides(self) -> bool:
        return self.hidden > ROUNDING_CENT

    @property
    def standing(self) -> Sequence[Payment]:
        """The payments that were not cancelled."""
        return [payment for payment in self.payments or () if not payment.canceled]

    def __str__(self) -> str:
        return f"invoice {self.idn if self.idn is not None else f'with id {self.id}'}"


Linked: TypeAlias = Callable[[int], str | None]
"""A function that returns the external id of a supplier by its id."""


def read_invoice(raw: str | bytes, linked: Linked | None = None) -> Invoice:
    """Reads a detail, bare or wrapped in {"data": ...}. Raises BadRecord."""
    return _invoice(_object(raw), linked)


def read_mirrored(raw: str | bytes, linked: Linked | None = None) -> Invoice:
    """Reads a list row or a detail of the mirror. Unreadable payments count as not shown, as in a list: nothing is
    sent before the invoice was read as it is now.
    """
    fields = _object(raw)
    try:
        return _invoice(fields, linked)
    except BadRecord:
        return _invoice({name: value for name, value in fields.items() if name != "payments"}, linked)


def _invoice(fields: Mapping[str, Any], linked: Linked | None) -> Invoice:
    number = whole_number(fields.get("id"))
    if number is None:
        raise BadRecord("the invoice has no usable id")
    payments = read_nested(fields["payments"]) if "payments" in fields else None
    standing = None if payments is None else [_payment(each) for each in payments]
    return Invoice(
        id=number,
        idn=plain_number(fields.get("idn")),
        number=_text(fields.get("invoiceNumber")) or "",
        status=reference(fields.get("status")),
        currency=_currency(fields.get("currency")),
        total=read_amount(fields.get("sum")),
        paid=_paid(fields.get("sumPaid"), standing),
        supplier=_supplier(_mapping(fields.get("supplier")), linked),
        external_id=_text(fields.get("externalId")),
        credit_note=reference(fields.get("logicType")) in _CREDIT_NOTES,
        payments=standing,
        imported={name: said for name, key in IMPORTED_BY.items() if (said := _text(fields.get(key)))},
    )


def read_payment(raw: str | bytes) -> Payment:
    """Reads a payment: a list row, or the answer to a POST. Raises BadRecord."""
    return _payment(_object(raw))


def read_nested(value: Any) -> Sequence[Mapping[str, Any]]:
    """Returns the members of a nested collection that are objects."""
    return [row for row in nested(value) if isinstance(row, dict)]


def _object(raw: str | bytes) -> Mapping[str, Any]:
    try:
        text = raw if isinstance(raw, str) else raw.decode(json.detect_encoding(raw), "surrogatepass")
        fields = _decoded(text)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"not a readable object: {error}") from error
    inner = fields.get("data") if isinstance(fields, dict) and "id" not in fields else fields
    if not isinstance(inner, dict):
        raise BadRecord("not an object")
    return inner


def _decoded(text: str) -> Any:
    try:
        return _EXACT_DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _PATIENT_DECODER.decode(text)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER_DIGITS else digits


_PATIENT_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str, parse_int=_integer)


def _supplier(fields: Mapping[str, Any], linked: Linked | None) -> Supplier:
    number = whole_number(fields.get("id"))
    external_id = None if linked is None or number is None else linked(number)
    return Supplier(number, _text(fields.get("name")) or "", external_id)


def _payment(fields: Mapping[str, Any]) -> Payment:
    number = whole_number(fields.get("id"))
    if number is None:
        raise BadRecord("a payment has no usable id")
    day, utc_day = _days(fields.get("payDate"))
    return Payment(
        id=number,
        idn=plain_number(fields.get("idn")),
        amount=read_amount(fields.get("sumPaid")),
        currency=_currency(fields.get("currency")),
        day=day,
        utc_day=utc_day,
        canceled=reference(fields.get("status")) == CANCELED,
        external_id=_text(fields.get("externalId")),
        created_at=_unix(fields.get("createDate")),
        invoice_id=whole_number(_mapping(fields.get("invoice")).get("id")),
    )


def _paid(value: Any, payments: Sequence[Payment] | None) -> Decimal | None:
    """Returns what was paid according to the invoice or, if it does not say, to its payments."""
    paid = read_amount(value)
    if paid is not None or payments is None:
        return paid
    amounts = [payment.amount for payment in payments if not payment.canceled]
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), Decimal(0))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _currency(value: Any) -> str:
    return value.strip().upper() if isinstance(value, str) else ""


def _text(value: Any) -> str | None:
    """Returns text, or a number with its digits; None for any kind of empty value."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return None
    return str(value) or None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None


def _days(value: Any) -> tuple[date | None, date | None]:
    moment = _moment(value)
    if moment is None:
        return None, None
    try:
        utc = moment if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        utc = moment
    return moment.date(), utc.date()


def _unix(value: Any) -> float | None:
    moment = _moment(value)
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
