"""rules of paying, and what a payment changes in its invoice or expense"""

from collections.abc import Mapping
from dataclasses import dataclass

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.filters import moment
from precoro_daemon.sandbox.forms import Form, amount, identifier, required
from precoro_daemon.sandbox.options import Tuning
from precoro_daemon.sandbox.refusals import MissingError, RefusedError
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import exact

CREDIT_NOTES = (schema.CREDIT_NOTE, schema.CREDIT_NOTE_TOO)
OWNERS = {"payments": "invoices", "expensePayments": "expenses"}


@dataclass(frozen=True)
class Wish:
    """A payment as requested.

    amount   in cents
    paid_on  in seconds since the epoch
    """

    amount: int
    paid_on: int
    logic: int = 0
    external_id: str | None = None


def order(company: Company, tuning: Tuning, collection: str, fields: Form) -> Row:
    """Creates the payment that a POST requests. Raises RefusedError."""
    owner = owner_of(company, collection, identifier(fields, OWNERS[collection].removesuffix("s")))
    required(fields, "sumPaid")
    logic = str(fields.get("logicType", "0"))
    if logic not in ("0", "1"):
        raise RefusedError("logicType", "This value is not valid.")
    name = fields.get("externalId") or None
    kept = tuning.keep_external_id and (not tuning.numeric_external_ids or _is_number(name))
    wish = Wish(
        amount=amount(fields, "sumPaid") or 0,
        paid_on=moment(required(fields, "payDate"), "payDate"),
        logic=int(logic),
        external_id=name if kept else None,
    )
    _let_a_person_pay(company, tuning, collection, owner, wish)
    return pay(company, collection, owner, wish, guarded=tuning.over_payment_guard)


def rename(company: Company, tuning: Tuning, row: Row, fields: Mapping[str, str]) -> None:
    """Changes what a PATCH may change: a record's external id, and the result of its last synchronisation.

    Raises RefusedError.
    """
    facts: dict[str, str | None] = {}
    if "externalId" in fields:
        facts["external_id"] = fields["externalId"] or None
        if tuning.numeric_external_ids and row.collection == "payments" and not _is_number(fields["externalId"]):
            raise RefusedError("externalId", "This value is not valid.")
    if "externalIntegrationLog" in fields and schema.COLLECTIONS[row.collection].document:
        facts["log"] = fields["externalIntegrationLog"] or None
    if not facts:
        raise RefusedError("externalId", "This value should not be blank.")
    company.edit(row, **facts)


def _is_number(name: str | None) -> bool:
    return name is not None and name.isdecimal()


def _let_a_person_pay(company: Company, tuning: Tuning, collection: str, owner: Row, wish: Wish) -> None:
    """Enters a person's payment just before the requested one arrives. This happens once per setting of `rival`."""
    rival, tuning.rival = tuning.rival, "none"
    if rival != "none":
        cents = wish.amount if rival == "same" else owner.total - owner.paid
        pay(company, collection, owner, Wish(cents, wish.paid_on))


def pay(company: Company, collection: str, owner: Row, wish: Wish, *, guarded: bool = True) -> Row:
    """Creates a payment. Raises RefusedError. It is not idempotent: a repeated request pays twice, if both fit.

    Without `guarded` every amount fits, because a company may be allowed to pay more than it owes.
    """
    check(owner, wish.amount, guarded=guarded)
    payment = company.create(
        collection, total=wish.amount, currency=owner.currency, supplier=owner.supplier, status=schema.PAID,
        logic=wish.logic, external_id=wish.external_id, origin=owner, required=wish.paid_on,
    )  # fmt: skip
    _settle(company, owner)
    return payment


def check(owner: Row, amount: int, *, guarded: bool = True) -> None:
    """Raises RefusedError for what the live API refuses, in its words."""
    remainder = owner.total - owner.paid
    if not guarded and owner.status in (schema.APPROVED, schema.PARTLY_PAID, schema.PAID) and amount > 0:
        return
    if owner.status == schema.PAID or (owner.status == schema.PARTLY_PAID and remainder <= 0):
        raise RefusedError("sumPaid", f"The {_NAMES[owner.collection]} is already fully paid.")
    if owner.logic in CREDIT_NOTES or owner.status not in (schema.APPROVED, schema.PARTLY_PAID):
        raise RefusedError(_NAMES[owner.collection].lower(), "This document cannot be paid.")
    # One cent off the remainder, either way, counts as a rounding error and is refused.
    if amount <= 0 or amount > remainder or amount == remainder - 1:
        raise RefusedError("sumPaid", f"The amount must be greater than 0 and not exceed {exact(remainder)}")


def cancel(company: Company, payment: Row) -> None:
    """Cancels a payment. It stays in the list as canceled."""
    if payment.status == schema.CANCELED:
        raise RefusedError("status", "The payment is already canceled.")
    company.edit(payment, status=schema.CANCELED)
    if payment.origin is not None:
        _settle(company, payment.origin)


def owner_of(company: Company, collection: str, ident: int | None) -> Row:
    """Returns the document that a payment names by its global id. Raises RefusedError."""
    name = _NAMES[OWNERS[collection]].lower()
    if ident is None:
        raise RefusedError(name, "This value should not be blank.")
    try:
        return company.row(OWNERS[collection], ident)
    except MissingError:
        raise RefusedError(name, "This value is not valid.") from None


def _settle(company: Company, owner: Row) -> None:
    """Sets sumPaid and status of a document from its payments that are not canceled."""
    payments = owner.made("payments") + owner.made("expensePayments")
    paid = sum(each.total for each in payments if each.status != schema.CANCELED)
    status = schema.APPROVED if paid == 0 else schema.PAID if paid >= owner.total else schema.PARTLY_PAID
    company.edit(owner, paid=paid, status=status)


_NAMES = {"invoices": "Invoice", "expenses": "Expense"}
