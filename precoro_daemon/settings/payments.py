"""[payments], [mark_invoices_paid], [export_payments]: matching and sending of payments"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from precoro_daemon.runtime.schedules import Every
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Lower, Seconds, Turn, one_of, read_number
from precoro_daemon.values.money import read_amount


def read_money(value: object) -> Decimal:
    """Returns an exact amount, from a text or a whole number.

    A TOML number with a decimal point is already a binary float.
    """
    amount = read_amount(read_number(value))
    if amount is None:
        raise ValueError
    return amount


_Amount = Annotated[
    Decimal,
    BeforeValidator(read_money),
    Field(ge=0),
    Allowed('an amount ≥ 0, whole or in quotes: 5000, "99.50" (0 lifts the cap)'),
]
_Number = Annotated[int, BeforeValidator(read_number), Field(ge=0), Allowed("a whole number ≥ 0 (0 lifts the cap)")]
_Switch = Annotated[bool, one_of(("true", "false"))]
_Within = Annotated[Seconds, Field(ge=900), Allowed('a duration of at least 15m, such as "2h"')]
_Currency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$"), Allowed("three capital letters (ISO 4217), or nothing")]


def _read_names(value: object) -> tuple[str, ...]:
    """Returns a list of names, from a list or from a text with commas, as in the environment."""
    if isinstance(value, str):
        value = [name for part in value.split(",") if (name := part.strip())]
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError
    return tuple(value)


_Fields = Annotated[
    tuple[str, ...], BeforeValidator(_read_names), Allowed('a list of fields as status names them: ["sumPaid"]')
]

MATCHES = ("external_id", "id", "idn", "number_and_supplier", "xero_id", "qbo_id", "netsuite_id")

_MatchBy = Literal["external_id", "id", "idn", "number_and_supplier", "xero_id", "qbo_id", "netsuite_id"]


class Payments(Section):
    """Rules for payments in both directions."""

    kill_switch: Path | None = None
    """While this file exists, nothing is sent; reading and planning continue. It is checked before each payment, so
    it works at once. No default: without it, `payments.stop` beside the state, or beside the configuration if the
    state is on a server.
    """

    max_amount: _Amount = Decimal(100_000)
    """The largest amount of one payment, in any currency. It stops a payment with a misplaced decimal point."""

    max_per_day: _Amount = Decimal(1_000_000)
    """The largest total of 24 hours, in each currency and direction. Payments in doubt count."""

    max_per_lap: _Number = 200
    """The most payments of one lap in each direction. At a call a second, 200 take ten minutes."""

    accept_changed: _Fields = ()
    """Fields of Precoro's answers that changed permanently, as `status` names them: payments no longer wait for them.
    Each invoice is still judged by what it shows. Empty, because the meaning of a change cannot be known in
    advance.
    """


class MarkInvoicesPaid(Section):
    """Records the ledger's payments at Precoro."""

    enabled: _Switch = False
    """Off until you turn it on. On, it only plans: it sends nothing before `payments arm`."""

    every: Turn = Every(900.0)
    """Time between two reads of the ledger. A read costs no call to Precoro. Changed invoices are checked as soon as
    a list shows them.
    """

    match_by: Annotated[_MatchBy, Lower, one_of(MATCHES)] = "external_id"
    """The ledger's name for an invoice: Precoro's externalId, id or idn, the supplier's invoice number, or the id
    that Precoro's own connector noted (xero_id, qbo_id, netsuite_id; its import of payments must be off). A number
    alone does not identify an invoice, so with it the ledger must give the supplier too (by Precoro's id, name or
    externalId).
    """

    currency: _Currency = ""
    """The currency of ledger payments that do not show one. Empty: such a payment waits for a person."""

    repost: Annotated[Literal["never", "guarded"], Lower, one_of(("never", "guarded"))] = "never"
    """What happens to a payment that was sent, is in doubt and was not found. never: a person decides. guarded: it is
    sent again if the invoice has no room for two of it. This relies on Precoro, which refuses more than the unpaid
    rest.
    """

    external_id: Annotated[Literal["uuid", "number", "none"], Lower, one_of(("uuid", "number", "none"))] = "uuid"
    """The external id of our payments at Precoro, by which they are recognised: a UUID, or a number of 18 digits if
    only numbers are accepted. none: each lost answer then waits for a person.
    """


class ExportPayments(Section):
    """Records in the ledger the payments made in Precoro."""

    enabled: _Switch = False
    """Off until you turn it on. On, it only plans: it records nothing before `payments arm`."""

    every: Turn = Every(900.0)
    """Time between two checks of the paid invoices. A check costs no call to Precoro. Changed invoices are checked as
    soon as a list shows them.
    """

    within: _Within = 7_200.0
    """The longest time from a payment in Precoro until it is recorded in the ledger. The lists of invoices and
    payments are scanned often enough for this, also at night, when lists hardly change. Two hours take 24 calls a
    day, most of which are made anyway. Your own schedule in [mirror_collections] takes precedence.
    """

    adopt_existing: _Switch = True
    """true: the first lap treats existing payments as already known. false: all of them are recorded in the
    ledger.
    """
