"""[payments], [mark_invoices_paid], [export_payments]: what is matched and what may be sent"""

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
    """An exact amount: text, or a whole number. A TOML number with a point is a binary float already."""
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
    """A list, or one text with commas, as the environment has it."""
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
    """What holds for payments in both directions."""

    kill_switch: Path | None = None
    """As long as this file is there, nothing is sent; reading and planning go on. It is checked before each payment:
    it works at once. No default: it then is `payments.stop` beside the state, or beside the configuration where the
    state is on a server."""

    max_amount: _Amount = Decimal(100_000)
    """The most that one payment may be, in whatever currency. A slip of the decimal point is held back by it."""

    max_per_day: _Amount = Decimal(1_000_000)
    """The most that 24 hours may come to, in each currency and direction; what is in doubt counts."""

    max_per_lap: _Number = 200
    """The most payments of one lap in each direction. 200 take ten minutes at a call a second."""

    accept_changed: _Fields = ()
    """Fields of Precoro's answers that changed for good, as status names them: payments no longer wait for them. Each
    invoice is still judged by what it shows. Empty, as nobody can tell beforehand what a change means."""


class MarkInvoicesPaid(Section):
    """Payments in the ledger are recorded at Precoro."""

    enabled: _Switch = False
    """Off until you say so. On, it plans; it sends nothing before `payments arm`."""

    every: Turn = Every(900.0)
    """From one reading of the ledger to the next. Reading costs no call to Precoro; changed invoices are checked as
    soon as lists bring them."""

    match_by: Annotated[_MatchBy, Lower, one_of(MATCHES)] = "external_id"
    """What the ledger calls an invoice: Precoro's externalId, id or idn, the supplier's invoice number, or the id
    that Precoro's own connector noted (xero_id, qbo_id, netsuite_id; its import of payments must be off). A number
    alone is no name: with it, the ledger must say the supplier too (by Precoro's id, name or externalId)."""

    currency: _Currency = ""
    """The currency of the ledger's payments where it does not say. Empty: such a payment waits for a person."""

    repost: Annotated[Literal["never", "guarded"], Lower, one_of(("never", "guarded"))] = "never"
    """What becomes of a payment that was sent, is in doubt and was not found. never: a person decides. guarded: it is
    sent again where two of it cannot both fit the invoice; that relies on Precoro refusing what is above the rest."""

    external_id: Annotated[Literal["uuid", "number", "none"], Lower, one_of(("uuid", "number", "none"))] = "uuid"
    """What our payments are called at Precoro, so that they are known again: a UUID, or a number of 18 digits where
    only numbers are taken. none: every lost answer then waits for a person."""


class ExportPayments(Section):
    """Payments made in Precoro are recorded in the ledger."""

    enabled: _Switch = False
    """Off until you say so. On, it plans; it records nothing before `payments arm`."""

    every: Turn = Every(900.0)
    """From one check of the paid invoices to the next. A check costs no call to Precoro; changed invoices are checked
    at as soon as lists bring them."""

    within: _Within = 7_200.0
    """From a payment in Precoro until it is recorded in the ledger, at most: at night too, when lists hardly change,
    the lists of invoices and payments are scanned so often. Two hours take 24 calls a day, most of which are made
    anyway. A schedule of yours in [mirror_collections] goes before."""

    adopt_existing: _Switch = True
    """The first lap takes what is paid already as known. false: all of it is recorded in the ledger."""
